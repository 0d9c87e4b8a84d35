"""An endpoint over its life: named, watched over, stopped, given another key, let go; and who may do none of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from tests.integration.connectors.webhooks.conftest import ADDED, URL, Hooks, make_tenant
from tests.integration.connectors.webhooks.receiver import Reply


def trail(hooks: Hooks, action: str) -> list[Any]:
    query = "SELECT * FROM {}.trail WHERE action = %s ORDER BY id"
    return hooks.api.installation.rows(hooks.tenant, query, f"connectors.webhook.{action}")


def ago(**time: float) -> str:
    return f'"{(datetime.now(UTC) - timedelta(**time)).isoformat()}"'


class TestNaming:
    @pytest.mark.parametrize(
        "url",
        [
            "http://hooks.partner.example/in",
            "https://127.0.0.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://[::ffff:10.0.0.1]/",
            "https://localhost/",
            "https://2130706433/",
            "https://somebody@partner.com/",
            "https://partner.com:22/",
            "ftp://partner.com/",
        ],
    )
    def test_refuses_an_address_that_is_nobodys_business(self, hooks: Hooks, url: str):
        answer = hooks.caller.post(hooks.path, {"url": url, "types": ["*"]})
        assert (answer.status, answer.problem) == (422, "address-unfit")
        assert answer.body["errors"][0]["pointer"] == "/url"

    def test_refuses_events_that_do_not_exist_and_says_which(self, hooks: Hooks):
        answer = hooks.caller.post(hooks.path, {"url": URL, "types": ["onboarding.*", "onboarding.task.complet"]})
        assert (answer.problem, answer.body["errors"][0]["pointer"]) == ("types-unfit", "/types/1")

    def test_shows_the_secret_once_and_keeps_it_nowhere_in_the_clear(self, hooks: Hooks):
        wanted = {"url": URL, "types": ["*"]}
        first = hooks.caller.post(hooks.path, wanted, key="once")
        again = hooks.caller.post(hooks.path, wanted, key="once")
        assert first.body["secret"].startswith("whsec_")
        assert (again.body["secret"], again.body["endpoint"]["id"]) == (None, first.body["endpoint"]["id"])
        hooks.run()
        secret = first.body["secret"].removeprefix("whsec_")
        for table in ("record", "trail", "command", "journal"):
            query = f"SELECT t::text AS line FROM {{}}.{table} t"  # noqa: S608 - a name of ours
            rows = hooks.api.installation.rows(hooks.tenant, query)
            assert not [row for row in rows if secret in row.line], table
        assert "key=hidden" not in str(trail(hooks, "added"))

    def test_ends_at_twenty(self, hooks: Hooks):
        for _each in range(20):
            hooks.add()
        answer = hooks.caller.post(hooks.path, {"url": URL, "types": ["*"]})
        assert (answer.status, answer.problem) == (409, "too-many-endpoints")

    def test_is_changed_from_the_version_that_was_read_only(self, hooks: Hooks):
        endpoint = hooks.ready()
        version = hooks.caller.get(f"{hooks.path}/{endpoint}").headers["etag"]
        assert hooks.caller.patch(f"{hooks.path}/{endpoint}", {"thin": True}, version=version).body["thin"] is True
        stale = hooks.caller.patch(f"{hooks.path}/{endpoint}", {"thin": False}, version=version)
        assert (stale.status, stale.problem) == (412, "endpoint-stale")
        hooks.happen()
        hooks.run()
        assert "data" not in hooks.receiver.of(ADDED)[0].told


class TestHealth:
    def test_is_strained_after_five_failures_and_then_sounded_out_by_one(self, hooks: Hooks):
        endpoint = hooks.ready()
        hooks.receiver.replies += [Reply(500)] * 6
        for _each in range(5):
            hooks.happen()
            hooks.run()
        assert hooks.read(endpoint)["health"] == "strained"
        later = [hooks.happen() for _each in range(3)]
        hooks.run()
        assert len(hooks.receiver.got) == 5, "a strained endpoint was called at once"
        assert [hooks.delivery(endpoint, event)["state"] for event in later] == ["waiting"] * 3
        hooks.hurry()
        assert len(hooks.receiver.got) == 5
        hooks.document(endpoint, "{trouble,again_at}", ago(seconds=1))
        hooks.hurry()
        assert len(hooks.receiver.got) == 6, "more than one sounded it out"
        hooks.document(endpoint, "{trouble,again_at}", ago(seconds=1))
        hooks.hurry()
        hooks.hurry()
        assert hooks.read(endpoint)["health"] == "healthy"
        assert {hooks.delivery(endpoint, event)["state"] for event in later} == {"delivered"}

    def test_sends_again_what_was_delivered_to_a_receiver_that_lost_it(self, hooks: Hooks):
        endpoint = hooks.ready()
        events = [str(hooks.happen()) for _ in range(3)]
        hooks.run()
        first = hooks.delivery(endpoint, events[0])["at"]
        hooks.receiver.got.clear()
        assert hooks.do(endpoint, "repetition", {}).body == {"number": 0}
        wished = {
            "delivered": True,
            "types": [ADDED],
            "since": first,
            "until": hooks.delivery(endpoint, events[2])["at"],
        }
        assert hooks.do(endpoint, "repetition", wished | {"types": ["onboarding.*"]}).body == {"number": 0}
        assert hooks.do(endpoint, "repetition", wished).body == {"number": 2}
        hooks.run()
        assert sorted(each.id for each in hooks.receiver.got) == sorted(events[:2])
        assert hooks.do(endpoint, "repetition", {"until": "yesterday"}).status == 422

    def test_warns_on_the_way_and_disables_after_five_days(self, hooks: Hooks):
        endpoint = hooks.ready()
        hooks.receiver.replies += [Reply(500)] * 5
        hooks.happen()
        hooks.run()
        for hours in (61, 62, 85, 121):
            hooks.document(endpoint, "{trouble,since}", ago(hours=hours))
            hooks.hurry()
        assert [entry.body["percent"] for entry in trail(hooks, "failing")] == [50, 70]
        assert hooks.read(endpoint)["health"] == "disabled"
        assert trail(hooks, "disabled")[-1].reason == "Nothing could be delivered for five days."
        missed = hooks.happen()
        hooks.run()
        assert hooks.delivery(endpoint, missed)["state"] == "held"
        letters = "SELECT kind, facts FROM {}.message WHERE kind LIKE 'webhook_%%' ORDER BY queued_at"
        told = hooks.api.installation.rows(hooks.tenant, letters)
        assert [(row.kind, row.facts["title"]["en"]) for row in told] == [
            *[("webhook_failing", "hooks.partner.example")] * 2,
            ("webhook_disabled", "hooks.partner.example"),
        ]
        assert told[-1].facts["text"]["de"] != told[-1].facts["text"]["en"]
        assert all(each.told["type"] == ADDED for each in hooks.receiver.got), "it was told of itself"

    def test_is_over_at_an_address_that_is_gone_and_what_was_missed_is_sent_on_request(self, hooks: Hooks):
        endpoint = hooks.ready()
        hooks.receiver.replies += [Reply(500), Reply(410)]
        waiting, gone = hooks.happen(), None
        hooks.run()
        gone = hooks.happen()
        hooks.run()
        assert (hooks.read(endpoint)["health"], hooks.delivery(endpoint, gone)["state"]) == ("disabled", "failed")
        hooks.hurry()
        assert hooks.delivery(endpoint, waiting)["state"] == "held"
        assert hooks.do(endpoint, "repetition", {}).problem == "not-in-use"
        assert hooks.do(endpoint, "enablement").body["health"] == "healthy"
        hooks.receiver.got.clear()
        assert hooks.do(endpoint, "repetition", {}).body == {"number": 2}
        hooks.run()
        assert [each.id for each in hooks.receiver.of(ADDED)] == [str(waiting), str(gone)]
        assert hooks.do(endpoint, "repetition", {}).body == {"number": 0}

    def test_of_one_endpoint_is_no_matter_of_another(self, hooks: Hooks):
        down = hooks.ready()
        hooks.ready(url="https://hooks.partner.example/other")
        hooks.document(down, "{url}", '"https://nobody.partner.example/"')
        event = hooks.happen()
        hooks.run()
        assert [(each.path, each.id) for each in hooks.receiver.of(ADDED)] == [("/other", str(event))]
        assert hooks.delivery(down, event)["attempts"][0]["code"] in {"egress_special_name", "unreachable"}


class TestCare:
    def test_sends_an_event_made_for_it(self, hooks: Hooks):
        endpoint = hooks.ready(types=["onboarding.*"])
        tested = hooks.do(endpoint, "test")
        hooks.run()
        [message] = hooks.receiver.got
        assert (message.id, message.told["type"]) == (tested.body["event_id"], "connectors.webhook.tested")
        page = hooks.caller.get(f"{hooks.path}/{endpoint}/deliveries?limit=1").body
        assert [each["state"] for each in page["items"]] == ["delivered"]

    def test_signs_with_both_keys_while_they_change(self, hooks: Hooks):
        made = hooks.add().body
        endpoint, old = made["endpoint"]["id"], Webhook(made["secret"])
        hooks.run()
        new = Webhook(hooks.do(endpoint, "rotation", {"overlap_hours": 24}).body["secret"])
        assert hooks.do(endpoint, "rotation", {"overlap_hours": 24}).problem == "rotation-under-way"
        hooks.receiver.got.clear()
        hooks.happen()
        hooks.run()
        message = hooks.receiver.of(ADDED)[-1]
        for key in (old, new):
            key.verify(message.body, message.headers)
        hooks.document(endpoint, "{keys,0,until}", ago(hours=1))
        hooks.happen()
        hooks.run()
        later = hooks.receiver.of(ADDED)[-1]
        new.verify(later.body, later.headers)
        with pytest.raises(WebhookVerificationError):
            old.verify(later.body, later.headers)
        assert hooks.do(endpoint, "rotation", {"overlap_hours": 0}).status == 200
        names = "SELECT field FROM {}.secret WHERE purpose = 'webhook_signing' AND field LIKE %s"
        assert [row.field for row in hooks.api.installation.rows(hooks.tenant, names, f"{endpoint}/%")] == [
            f"{endpoint}/3"
        ]

    def test_cuts_a_leaked_key_off_at_once(self, hooks: Hooks):
        made = hooks.add().body
        endpoint, leaked = made["endpoint"]["id"], Webhook(made["secret"])
        hooks.run()
        hooks.do(endpoint, "rotation", {"overlap_hours": 24})
        new = Webhook(hooks.do(endpoint, "rotation", {"overlap_hours": 0}).body["secret"])
        hooks.happen()
        hooks.run()
        message = hooks.receiver.of(ADDED)[-1]
        new.verify(message.body, message.headers)
        with pytest.raises(WebhookVerificationError):
            leaked.verify(message.body, message.headers)

    def test_sends_nothing_without_a_signature(self, hooks: Hooks):
        endpoint = hooks.ready()
        gone = "DELETE FROM {}.secret WHERE purpose = 'webhook_signing' AND field LIKE %s RETURNING 1"
        assert hooks.api.installation.rows(hooks.tenant, gone, f"{endpoint}/%")
        event = hooks.happen()
        hooks.run()
        assert (hooks.read(endpoint)["health"], hooks.delivery(endpoint, event)["state"]) == ("disabled", "held")
        hooks.do(endpoint, "rotation", {"overlap_hours": 0})
        hooks.do(endpoint, "enablement")
        hooks.do(endpoint, "repetition", {})
        hooks.run()
        assert hooks.delivery(endpoint, event)["state"] == "delivered"

    def test_proves_another_address_before_a_stopped_one_hears_again(self, hooks: Hooks):
        endpoint = hooks.ready()
        hooks.do(endpoint, "disablement")
        version = hooks.caller.get(f"{hooks.path}/{endpoint}").headers["etag"]
        moved = {"url": "https://hooks.partner.example/other"}
        assert hooks.caller.patch(f"{hooks.path}/{endpoint}", moved, version=version).body["health"] == "disabled"
        event = hooks.happen()
        hooks.run()
        assert hooks.delivery(endpoint, event)["state"] == "held"
        assert hooks.do(endpoint, "enablement").body["health"] == "unverified"
        hooks.run()
        assert hooks.read(endpoint)["health"] == "healthy"
        assert [each.path for each in hooks.receiver.asked[-1:]] == ["/other"]

    def test_sends_once_what_is_asked_for_while_it_waits(self, hooks: Hooks):
        endpoint = hooks.ready()
        hooks.receiver.replies.append(Reply(500))
        event = hooks.happen()
        hooks.run()
        assert hooks.do(endpoint, f"deliveries/{event}/repetition").status == 202
        hooks.run()
        hooks.hurry()
        assert [each.id for each in hooks.receiver.of(ADDED)] == [str(event)] * 2, "once refused, once taken"
        done = hooks.delivery(endpoint, event)
        assert (done["state"], done["tries"]) == ("delivered", 1)

    def test_rotates_once_for_two_who_do_it_at_once(self, hooks: Hooks):
        endpoint = hooks.ready()
        with ThreadPoolExecutor(2) as pool:
            answers = list(
                pool.map(lambda _each: hooks.do(endpoint, "rotation", {"overlap_hours": 1}).status, range(2))
            )
        assert sorted(answers) == [200, 409]

    def test_leaves_nothing_behind_of_what_was_removed(self, hooks: Hooks):
        endpoint = hooks.ready()
        hooks.receiver.replies.append(Reply(500))
        hooks.happen()
        hooks.run()
        assert hooks.caller.send("DELETE", f"{hooks.path}/{endpoint}", None, {}).status == 200
        hooks.hurry()
        assert len(hooks.receiver.got) == 1
        for table, column in (("record", "key"), ("secret", "field")):
            query = f"SELECT 1 FROM {{}}.{table} WHERE {column} LIKE %s"  # noqa: S608 - names of ours
            assert not hooks.api.installation.rows(hooks.tenant, query, f"{endpoint}%"), table
        assert hooks.caller.get(f"{hooks.path}/{endpoint}").status == 404

    def test_is_for_those_who_connect_systems_there_and_an_address_for_who_may_change_it(self, hooks: Hooks):
        endpoint = hooks.ready()
        other = make_tenant(hooks.api, "Initech")
        assert hooks.caller.get(f"/api/v1/tenants/{other.id}/webhooks/{endpoint}").status == 404
        reader = hooks.api.caller("ivy@northwind.example", hooks.api.doors.northwind, "implementation")
        seen = reader.get(f"{hooks.path}/{endpoint}").body
        assert (seen["url"], seen["host"]) == (None, "hooks.partner.example")
        assert reader.post(f"{hooks.path}/{endpoint}/test", None).status == 403
        assert reader.post(hooks.path, {"url": URL, "types": ["*"]}).status == 403
        technician = hooks.api.caller("tom@northwind.example", hooks.api.doors.northwind, "technical")
        assert technician.post(f"{hooks.path}/{endpoint}/test", None).status == 202
        assert technician.post(hooks.path, {"url": URL, "types": ["*"]}).status == 403, "it may not read the trail"
        viewer = hooks.api.caller("cleo@northwind.example", hooks.api.doors.northwind, "csm")
        assert viewer.get(hooks.path).status == 403

    def test_of_a_sandbox_sends_to_stand_ins_only(self, hooks: Hooks):
        practice = Hooks(hooks.api, make_tenant(hooks.api, "Practice", "sandbox"), hooks.receiver)
        endpoint = practice.ready()
        practice.document(endpoint, "{url}", '"https://example.com/"')
        event = practice.happen()
        practice.run()
        assert practice.delivery(endpoint, event)["attempts"][0]["code"] == "egress_sandbox"
