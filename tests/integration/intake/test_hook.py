"""The hook over real HTTP: whoever cannot sign gets nowhere, whatever comes twice happens once."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
import uvicorn

from app.asgi import create_app
from app.bootstrap.routes import door_services
from app.connectors.inbound.operations.addresses import open_address
from app.connectors.inbound.operations.secrets import set_secret
from app.connectors.inbound.queries import list_deliveries
from app.connectors.inbound.schemes import Arrival
from app.connectors.inbound.schemes.hubspot import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from app.identity.mailer import Mailer
from app.intake.operations.workflows import create_hook
from app.kernel.ids import new_id
from app.kernel.outbound.world_clock import world_time
from app.kernel.work import open_work
from app.notifications.postroom import Postroom
from app.vault.keyring import Keyring, open_keyring
from app.vault.operations import put_door_secret
from app.vault.rules import DoorPurpose, Program
from app.vault.secret import Secret
from app.web.security import MAX_BODY
from tests.canaries.marks import marked
from tests.factories.doors import Answer, Browser, Settings
from tests.factories.main_job import MainJob

SECRET = Secret(marked("client-secret-of-northwind"))
FOREIGN = Secret("client-secret-of-somebody")
HOST = "northwind.localhost"


class Hook:
    """One partner's hook, served; `send` knocks as HubSpot would."""

    def __init__(self, shop: MainJob, port: int, token: str, keyring: Keyring) -> None:
        self.shop, self.port, self.token, self.keyring = shop, port, token, keyring

    @property
    def connection_id(self) -> UUID:
        """The home's connection to its CRM."""
        found = self.shop.installation.rows(self.shop.home, "SELECT id FROM {}.connection WHERE connector = 'hubspot'")
        return UUID(str(found[0].id))

    def event(self, deal: str | int, **more: Any) -> dict[str, Any]:
        """An event as HubSpot documents it."""
        return {
            "eventId": new_id().int % 10**12,
            "subscriptionId": 25,
            "portalId": 62515,
            "appId": 1160452,
            "occurredAt": int(world_time().timestamp() * 1000),
            "subscriptionType": "deal.propertyChange",
            "attemptNumber": 0,
            "objectId": int(deal),
            "propertyName": "dealstage",
            "propertyValue": "closedwon",
        } | more

    def send(self, body: bytes, *, secret: Secret = SECRET, age: float = 0, **headers: str) -> Answer:
        """Deliver the bytes, freshly signed unless `headers` say otherwise."""
        path = f"/hooks/{headers.pop('token', self.token)}"
        stamp = str(int((world_time().timestamp() - age) * 1000))
        signature = sign(secret, Arrival("POST", f"http://{HOST}:8000{path}", (), body), stamp)
        signed = {SIGNATURE_HEADER: signature, TIMESTAMP_HEADER: stamp, "content-type": "application/json"}
        browser = Browser(self.port, headers.pop("host", HOST))
        return browser.send("POST", path, body=body, headers=signed | {"accept": "application/json"} | headers)

    def tell(self, *events: dict[str, Any], **how: Any) -> Answer:
        """Deliver events."""
        return self.send(json.dumps(events).encode(), **how)

    def stored(self) -> int:
        """How many messages the home has kept."""
        found = self.shop.installation.rows(self.shop.home, "SELECT count(*) AS n FROM {}.delivery")
        return int(found[0].n)


@pytest.fixture(scope="module")
def hook(shop: MainJob) -> Iterator[Hook]:
    keyring = open_keyring(Program.WEB, shop.folder / "keys")
    with shop.installation.work(shop.home, shop.lead) as work:
        purpose = DoorPurpose.WEBHOOK_VERIFICATION
        put_door_secret(work, keyring, purpose=purpose, field="client_secret", value=SECRET)
    token = create_hook(shop.runtime, shop.lead, shop.home, "hubspot", trace_id="hook")
    doors = door_services(shop.runtime.databases, Settings("http://localhost:8000", "redis://127.0.0.1:1/0"))
    services = shop.runtime.services | doors | {Mailer: shop.runtime.service(Postroom), Keyring: keyring}
    app = create_app(replace(shop.runtime, services=services))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="on"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    ready = threading.Event()
    while not server.started:
        assert thread.is_alive()
        ready.wait(0.01)
    yield Hook(shop, int(server.servers[0].sockets[0].getsockname()[1]), token, keyring)
    server.should_exit = True
    thread.join(10)


def problem(answer: Answer) -> dict[str, Any]:
    """The trouble as software reads it."""
    assert answer.headers["content-type"].startswith("application/problem+json"), answer.text
    found: dict[str, Any] = json.loads(answer.text)
    assert found["status"] == answer.status
    assert found["title"]
    assert found["detail"]
    return found


class TestHook:
    def test_takes_a_signed_delivery_and_the_deal_is_read(self, shop: MainJob, hook: Hook):
        deal = shop.sell(company="Hooked", sw_plan=None)
        answer = hook.tell(hook.event(deal))
        assert (answer.status, json.loads(answer.text)) == (202, {"received": 1})
        shop.finish()
        assert shop.deal(deal).state == "held"
        assert UUID(shop.deal(deal).trace_id)  # the trace begins at the knock

    def test_takes_the_same_delivery_twice_and_two_at_once_only_once(self, hook: Hook):
        event, before, ready = hook.event(77), hook.stored(), threading.Barrier(3)
        answers: list[Answer] = []

        def knock() -> None:
            ready.wait(10)
            answers.append(hook.tell(event))

        threads = [threading.Thread(target=knock) for _each in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        answers.append(hook.tell(event | {"attemptNumber": 1}))
        assert [answer.status for answer in answers] == [202] * 4
        assert sum(json.loads(answer.text)["received"] for answer in answers) == 1
        assert hook.stored() == before + 1

    @pytest.mark.parametrize(
        "more",
        [
            {"propertyValue": "contractsent"},
            {"propertyName": "amount", "propertyValue": "1"},
            {"subscriptionType": "contact.propertyChange"},
            {"subscriptionType": "deal.creation", "propertyName": "", "propertyValue": ""},
        ],
        ids=["another stage", "another property", "a contact", "a creation"],
    )
    def test_answers_2xx_to_what_is_of_no_interest_and_keeps_nothing(self, hook: Hook, more: dict[str, str]):
        before = hook.stored()
        answer = hook.tell(hook.event(78, **more))
        assert (answer.status, json.loads(answer.text), hook.stored()) == (202, {"received": 0}, before)

    def test_answers_2xx_to_an_empty_delivery(self, hook: Hook):
        assert hook.tell().status == 202

    @pytest.mark.parametrize(
        ("how", "status"),
        [
            ({SIGNATURE_HEADER: ""}, 403),
            ({TIMESTAMP_HEADER: ""}, 403),
            ({TIMESTAMP_HEADER: "soon"}, 403),
            ({SIGNATURE_HEADER: "AAAA"}, 403),
            ({"secret": FOREIGN}, 403),
            ({"age": 301}, 403),
            ({"age": -301}, 403),
            ({"token": "x" * 43}, 404),
            ({"token": "short"}, 404),
        ],
        ids=["unsigned", "undated", "misdated", "garbled", "foreign", "stale", "early", "unknown token", "short token"],
    )
    def test_refuses_and_keeps_nothing(self, hook: Hook, how: dict[str, Any], status: int):
        before = hook.stored()
        answer = hook.tell(hook.event(79), **how)
        assert answer.status == status
        problem(answer)
        assert hook.stored() == before
        assert SECRET.reveal() not in answer.text

    def test_refuses_a_body_that_was_changed_on_the_way(self, hook: Hook):
        event = hook.event(80)
        body = json.dumps([event]).encode()
        stamp = str(int(world_time().timestamp() * 1000))
        signed = sign(SECRET, Arrival("POST", f"http://{HOST}:8000/hooks/{hook.token}", (), body), stamp)
        changed = json.dumps([event | {"objectId": 81}]).encode()
        how: dict[str, Any] = {SIGNATURE_HEADER: signed, TIMESTAMP_HEADER: stamp}
        answer = hook.send(changed, **how)
        assert problem(answer)["status"] == 403

    @pytest.mark.parametrize(
        "body",
        [b"", b"{", b"null", b"{}", b"[1]", b'[{"eventId": 1}]', b"\xff\xfe", b"[" * 5000, b"[]" + b" " * 10 + b"x"],
        ids=["empty", "cut", "null", "object", "number", "half an event", "no text", "deep", "tail"],
    )
    def test_says_what_is_wrong_with_a_signed_body_that_is_none(self, hook: Hook, body: bytes):
        before = hook.stored()
        answer = hook.send(body)
        assert 400 <= answer.status < 500
        problem(answer)
        assert hook.stored() == before

    def test_refuses_more_events_than_hubspot_ever_sends(self, hook: Hook):
        assert problem(hook.tell(*[hook.event(82)] * 101))["status"] in {400, 413, 422}

    def test_refuses_a_body_that_is_too_large(self, hook: Hook):
        assert problem(hook.send(b"[" + b" " * MAX_BODY + b"]"))["status"] == 413

    def test_serves_nothing_on_an_unknown_host(self, hook: Hook):
        before = hook.stored()
        assert hook.tell(hook.event(83), host="nobody.localhost").status == 404
        assert hook.stored() == before

    def test_knows_no_other_method(self, hook: Hook):
        assert Browser(hook.port, HOST).get(f"/hooks/{hook.token}", accept="application/json").status == 405


class TestAConnectionsOwnAddress:
    def test_has_the_deal_read_once_whichever_way_the_crm_tells_of_it(self, shop: MainJob, hook: Hook):
        web = replace(shop.runtime, services=shop.runtime.services | {Keyring: hook.keyring})
        with open_work(web, shop.home, shop.lead, trace_id="own") as work:
            _hook, token = open_address(work, hook.connection_id, overlap_hours=0)
            set_secret(work, hook.connection_id, SECRET, overlap_hours=0)
        shop.finish()
        deal = shop.sell(company="By its own address", sw_plan=None)
        event, other = hook.event(deal), hook.event(deal, subscriptionType="ticket.creation")
        answer = hook.tell(event, other, token=token.reveal())
        assert (answer.status, json.loads(answer.text)) == (202, {"received": 1})
        before = hook.stored()
        shop.finish()
        assert (shop.deal(deal).state, hook.stored()) == ("held", before + 1)
        assert json.loads(hook.tell(event).text) == {"received": 0}
        assert json.loads(hook.tell(event, token=token.reveal()).text) == {"received": 0}

    def test_holds_a_message_for_a_person_that_the_crm_never_sends(self, shop: MainJob, hook: Hook):
        web = replace(shop.runtime, services=shop.runtime.services | {Keyring: hook.keyring})
        with open_work(web, shop.home, shop.lead, trace_id="own") as work:
            _hook, token = open_address(work, hook.connection_id, overlap_hours=0)
        shop.finish()
        odd = hook.event(99) | {"propertyValue": 7}
        assert json.loads(hook.tell(odd, token=token.reveal()).text) == {"received": 1}
        shop.finish()
        with open_work(web, shop.home, shop.lead, trace_id="own") as work:
            [came] = list_deliveries(work, hook.connection_id, held=True)
        assert (came.delivery.state, came.delivery.can_be_replayed(world_time())) == ("failed", True)
