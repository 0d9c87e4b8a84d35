"""From what happened to the receiver: proven, signed, sent once or as often as it takes, and written down."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook, WebhookVerificationError
from svix.webhooks import Webhook as Svix

from app.connectors.webhooks.events import DeliveriesRepeated
from app.kernel.ids import new_id
from app.kernel.outbound.egress import NO_ENTRIES
from app.kernel.queue.dispatcher import relay_outbox
from tests.integration.connectors.webhooks.conftest import ADDED, Hooks, make_tenant
from tests.integration.connectors.webhooks.receiver import Got, Reply


def check(public: str, message: Got) -> None:
    """The Ed25519 signature, as its specification says it is checked."""
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public.removeprefix("whpk_")))
    signed = f"{message.id}.{message.headers['webhook-timestamp']}.".encode() + message.body
    signatures = [each for each in message.headers["webhook-signature"].split() if each.startswith("v1a,")]
    key.verify(base64.b64decode(signatures[0].removeprefix("v1a,")), signed)


class TestProof:
    def test_is_the_code_given_back(self, hooks: Hooks):
        made = hooks.add().body
        assert made["endpoint"]["health"] == "unverified"
        hooks.happen()
        hooks.run()
        [asked] = hooks.receiver.asked
        Webhook(made["secret"]).verify(asked.body, asked.headers)
        assert hooks.read(made["endpoint"]["id"])["health"] == "healthy"
        assert not [each for each in hooks.receiver.got if each.told["type"] == ADDED], "it heard before it was proven"

    def test_or_typed_by_somebody_who_saw_it_arrive(self, hooks: Hooks):
        hooks.receiver.shy = True
        endpoint = hooks.add().body["endpoint"]["id"]
        hooks.run()
        assert hooks.read(endpoint)["health"] == "unverified"
        code = hooks.receiver.asked[-1].told["data"]["challenge"]
        assert hooks.do(endpoint, "confirmation", {"code": "WRONGONE"}).problem == "code-wrong"
        hooks.do(endpoint, "challenge")
        hooks.run()
        assert hooks.do(endpoint, "confirmation", {"code": code}).problem == "code-wrong", "an earlier one"
        newer = hooks.receiver.asked[-1].told["data"]["challenge"]
        assert hooks.do(endpoint, "confirmation", {"code": f" {newer.lower()} "}).body["health"] == "healthy"

    def test_is_asked_for_anew_at_another_address(self, hooks: Hooks):
        endpoint = hooks.ready()
        hooks.receiver.shy = True
        version = hooks.caller.get(f"{hooks.path}/{endpoint}").headers["etag"]
        moved = hooks.caller.patch(
            f"{hooks.path}/{endpoint}", {"url": "https://hooks.partner.example/other"}, version=version
        )
        assert moved.body["health"] == "unverified"
        query = "SELECT body FROM {}.record WHERE key = %s"
        [kept] = hooks.api.installation.rows(hooks.tenant, query, endpoint)
        assert kept.body["verified_at"] is None, "what the old address has proven counts for no other"
        hooks.happen()
        hooks.run()
        assert [each.path for each in hooks.receiver.asked[-1:]] == ["/other"]
        assert not hooks.receiver.got

    def test_of_an_address_that_nobody_reaches_is_tried_three_times_and_told(self, hooks: Hooks):
        hooks.api.outbound.book = type(NO_ENTRIES)({("hooks.partner.example", 443): 1})
        endpoint = hooks.add().body["endpoint"]["id"]
        for _try in range(3):
            hooks.hurry()
        assert "could not be reached" in hooks.read(endpoint)["reason"]
        assert not hooks.api.installation.cell("SELECT 1 FROM cell.job WHERE state = 'ready'")


class TestDelivery:
    def test_is_a_cloud_event_that_both_libraries_believe_and_no_altered_one(self, hooks: Hooks):
        made = hooks.add().body
        hooks.run()
        hooks.receiver.got.clear()
        event = hooks.happen()
        hooks.run()
        [message] = hooks.receiver.of(ADDED)
        Webhook(made["secret"]).verify(message.body, message.headers)
        Svix(made["secret"]).verify(message.body, message.headers)
        check(made["endpoint"]["keys"][0]["public_key"], message)
        with pytest.raises(WebhookVerificationError):
            Webhook(made["secret"]).verify(message.body.replace(b"CRM", b"ERP"), message.headers)
        assert message.headers["content-type"].startswith("application/cloudevents+json")
        told = message.told
        assert (told["specversion"], told["id"], told["type"]) == ("1.0", str(event), ADDED)
        assert told["source"] == f"/tenants/{hooks.tenant.id}"
        assert told["data"] == {"connector": "crm", "name": "CRM"}
        delivery = hooks.delivery(made["endpoint"]["id"], event)
        assert (delivery["state"], delivery["tries"]) == ("delivered", 1)
        assert [(each["code"], each["status"]) for each in delivery["attempts"]] == [("delivered", 204)]

    def test_goes_to_who_hears_that_type_in_that_workspace(self, hooks: Hooks):
        hooks.ready(types=["onboarding.*", "connectors.connection.added"], thin=True)
        other = make_tenant(hooks.api, "Globex")
        Hooks(hooks.api, other, hooks.receiver).happen()
        hooks.run()
        assert not hooks.receiver.got
        hooks.happen()
        with hooks.api.installation.work(hooks.tenant) as work:
            work.announce(DeliveriesRepeated(subject_id=new_id(), number=1))
        hooks.run()
        [message] = hooks.receiver.got
        assert (message.told["type"], "data" in message.told) == (ADDED, False)

    def test_is_tried_again_with_the_same_bytes_until_it_is_taken(self, hooks: Hooks):
        endpoint = hooks.ready()
        hooks.receiver.replies += [
            Reply(500, body=b"<b>out of order</b>"),
            Reply(302, {"location": "http://169.254.169.254/"}),
        ]
        event = hooks.happen()
        hooks.run()
        assert 4 < hooks.waits() < 6
        first = hooks.delivery(endpoint, event)
        assert (first["state"], first["attempts"][0]["excerpt"]) == ("waiting", "<b>out of order</b>")
        assert hooks.read(endpoint)["trouble"]["failures"] == 1
        hooks.hurry()
        assert 260 < hooks.waits() < 340
        hooks.hurry()
        assert [each.body for each in hooks.receiver.of(ADDED)] == [hooks.receiver.got[0].body] * 3
        assert {each.id for each in hooks.receiver.got} == {str(event)}
        done = hooks.delivery(endpoint, event)
        assert [each["status"] for each in done["attempts"]] == [500, 302, 204]
        assert (done["state"], hooks.read(endpoint)["health"]) == ("delivered", "healthy")

    def test_waits_as_long_as_the_receiver_wishes(self, hooks: Hooks):
        hooks.ready()
        hooks.receiver.replies.append(Reply(429, {"retry-after": "1200"}))
        hooks.happen()
        hooks.run()
        assert 1190 < hooks.waits() <= 1200

    @pytest.mark.parametrize(
        ("reply", "code"),
        [
            (Reply(200, body=b"x" * 20_000), "unreadable"),
            (Reply(garbage=True), "unreadable"),
            (Reply(seconds=1.5), "silent"),
            (Reply(404), "refused"),
        ],
        ids=["huge", "garbage", "slow", "404"],
    )
    def test_fails_for_a_while_at_a_receiver_that_answers_badly(
        self, hooks: Hooks, reply: Reply, code: str, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("app.connectors.webhooks.sender.LIMIT", 0.5)
        endpoint = hooks.ready()
        hooks.receiver.replies.append(reply)
        event = hooks.happen()
        hooks.run()
        assert [each["code"] for each in hooks.delivery(endpoint, event)["attempts"]] == [code]

    def test_is_given_up_after_ten_tries_and_sent_again_on_request(self, hooks: Hooks):
        endpoint = hooks.ready()
        hooks.receiver.replies += [Reply(500)] * 10
        event = hooks.happen()
        for _try in range(10):
            hooks.document(endpoint, "{trouble}", "null")
            hooks.hurry()
        failed = hooks.delivery(endpoint, event)
        assert (failed["state"], len(failed["attempts"]), failed["next_at"]) == ("failed", 10, None)
        assert hooks.do(endpoint, f"deliveries/{event}/repetition").status == 202
        hooks.run()
        again = hooks.delivery(endpoint, event)
        assert (again["state"], again["tries"], len(again["attempts"])) == ("delivered", 1, 11)

    def test_of_one_onboarding_stays_in_order_where_that_is_wished(self, hooks: Hooks):
        hooks.ready(ordered=True)
        onboarding = new_id()
        hooks.receiver.replies.append(Reply(500))
        first, second = hooks.happen(onboarding, 1), hooks.happen(onboarding, 2)
        other = hooks.happen(new_id(), 1)
        hooks.run()
        assert [each.id for each in hooks.receiver.got] == [str(first), str(other)]
        hooks.hurry()
        assert [each.id for each in hooks.receiver.got[2:]] == [str(first), str(second)]
        assert [each.told["sequence"] for each in hooks.receiver.got[2:]] == ["000000000001", "000000000002"]
        assert hooks.receiver.got[0].told["partitionkey"] == str(onboarding)

    def test_comes_again_with_its_id_after_a_worker_that_died_over_it(self, hooks: Hooks):
        endpoint = hooks.ready()
        event = hooks.happen()
        relay_outbox(hooks.api.installation.databases, "main", {})
        [item] = [
            each for each in hooks.api.installation.take() if _kind(hooks, each.job_id) == "connectors.deliver_webhook"
        ]

        def die(*_args: Any, **_more: Any) -> None:
            raise KeyboardInterrupt

        with pytest.MonkeyPatch.context() as dying:
            dying.setattr("app.connectors.jobs.webhooks.end_delivery", die)
            with pytest.raises(KeyboardInterrupt):
                hooks.api.installation.run_one(item)
        hooks.api.installation.cell("UPDATE cell.job SET lease_until = now() WHERE id = %s", item.job_id)
        hooks.run()
        assert [each.id for each in hooks.receiver.of(ADDED)] == [str(event)] * 2
        assert hooks.delivery(endpoint, event)["state"] == "delivered"


def _kind(hooks: Hooks, job_id: Any) -> str:
    return str(hooks.api.installation.job(job_id).kind)
