"""What was held back: shown without what proves it, worked on again when somebody asks, and never taken twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.connectors.inbound.operations.announcing import hold_delivery
from app.connectors.inbound.rules import SAMPLE
from tests.integration.connectors.inbound.conftest import OTHER, Place
from tests.integration.connectors.webhooks.conftest import make_tenant


def unproven(place: Place, connector: str = "peer", number: int = 50) -> Any:
    """A delivery that was signed with a secret which is set a little later."""
    peer = place.peer(connector)
    peer.secret = OTHER
    assert peer.send(peer.order(number, f"order.{connector}")).status == 403
    return place.deliveries(connector, held=True)[0]


def trail(place: Place, action: str) -> list[Any]:
    query = "SELECT * FROM {}.trail WHERE action = %s ORDER BY id"
    return place.api.installation.rows(place.tenant, query, f"connectors.delivery.{action}")


class TestReplay:
    @pytest.mark.parametrize("connector", ["peer", "forge"])
    def test_proves_a_delivery_with_the_secret_that_was_put_right(self, place: Place, connector: str):
        delivery = unproven(place, connector)
        assert (delivery["held"], delivery["replayable"], delivery["messages"]) == (True, True, [])
        assert place.replay(connector, delivery).problem == "still-unproven"
        assert place.set_secret(connector, OTHER).status == 200
        before = len(place.announced())
        answer = place.replay(connector, delivery, key=f"replay-{connector}")
        assert (answer.status, answer.body) == (202, {"delivery_id": delivery["id"]})
        assert place.replay(connector, delivery, key=f"replay-{connector}").headers["idempotency-replayed"] == "true"
        place.run()
        [entry] = place.announced()[before:]
        assert entry.body["message_type"] == f"order.{connector}"
        assert trail(place, "replayed")[-1].body["proven"] is True
        assert delivery["id"] not in {each["id"] for each in place.deliveries(connector, held=True)}
        assert place.deliveries(connector)[0]["state"] == "announced"

    def test_takes_nothing_in_that_came_otherwise_meanwhile(self, place: Place):
        peer = place.peer("peer")
        body = peer.order(51)
        right = peer.signed(body, message_id="late-1")
        place.set_secret("peer", OTHER, 0)
        assert peer.knock(body, right).status == 403
        delivery = place.deliveries("peer", held=True)[0]
        place.set_secret("peer", peer.secret)
        assert peer.knock(body, right).body == {"received": 1}  # the sender tried again by itself
        assert place.replay("peer", delivery).problem == "seen-before"

    def test_cannot_prove_what_is_stale_large_or_of_yesterday(self, place: Place):
        peer = place.peer("peer")
        peer.send(peer.order(52), age=400)
        peer.secret = OTHER
        peer.send(b'{"type": "order.large", "order": "' + b"x" * SAMPLE + b'"}')
        large, stale = place.deliveries("peer", held=True)[:2]
        assert (large["reason"], stale["reason"]) == ("wrong", "stale")
        old = unproven(place, number=53)
        place.set_secret("peer", OTHER, 0)
        place.api.installation.rows(
            place.tenant,
            "UPDATE {}.record SET body = jsonb_set(body, ARRAY['at'], '\"2026-01-01T00:00:00Z\"') WHERE key LIKE %s",
            f"%{old['id']}",
        )
        for delivery in (large, stale, old):
            assert place.replay("peer", delivery).problem == "not-replayable"

    def test_works_again_on_what_could_not_be_worked_on(self, place: Place):
        peer = place.peer("peer")
        peer.send(peer.order(54))
        place.run()
        delivery = place.deliveries("peer")[0]
        hook, before = place.connections["peer"], len(place.announced())
        for _twice in range(2):
            with place.api.installation.work(place.tenant) as work:
                hold_delivery(work, hook, UUID(delivery["id"]), connector="peer", said="The deal is gone.")
        [held] = [each for each in place.deliveries("peer", held=True) if each["id"] == delivery["id"]]
        assert (held["state"], held["said"], held["replayable"]) == ("failed", "The deal is gone.", True)
        assert place.replay("peer", held).status == 202
        assert place.replay("peer", held).problem == "not-replayable"  # it is under way
        place.run()
        assert len(place.announced()) == before + 1
        assert place.deliveries("peer")[0]["asked"] == 1

    def test_keeps_what_is_proven_and_cannot_be_read_once(self, place: Place):
        peer = place.peer("peer")
        held = len(place.deliveries("peer", held=True))
        for body in (b"no json", b"\xff\xfe", b"[" * 5_000, b'{"order": "no type"}', b'{"type": "a\\u0000b"}'):
            assert [peer.send(body).body, peer.send(body).body] == [{"received": 0}] * 2
        unreadable = place.deliveries("peer", held=True)[: -held or None]
        assert [each["state"] for each in unreadable] == ["unreadable"] * 5
        assert all(each["said"] for each in unreadable)
        assert place.replay("peer", unreadable[0]).problem == "still-unreadable"

    def test_has_an_entry_in_the_trail_and_needs_a_key_and_the_right(self, place: Place):
        delivery = unproven(place, number=55)
        assert place.replay("peer", delivery, key=None).problem == "idempotency-key-missing"
        viewer = place.api.caller("vic@northwind.example", place.api.doors.northwind, "finance")
        path = f"{place.hook('peer')}/deliveries"
        for answer in (viewer.get(path), viewer.post(f"{path}/{delivery['id']}/replay", None)):
            assert answer.status in {403, 404}
        assert place.api.stranger().get(path).status == 401


class TestShown:
    def test_shows_neither_signature_nor_secret_nor_body(self, place: Place):
        delivery = unproven(place, "forge", 56)
        told = str(place.caller.get(f"{place.hook('forge')}/deliveries/{delivery['id']}").body)
        [row] = place.api.installation.rows(
            place.tenant, "SELECT body FROM {}.record WHERE key LIKE %s", f"%{delivery['id']}"
        )
        for name, value in row.body["proof"]:
            assert value not in told, name
        assert row.body["raw"] not in told
        assert "o-56" not in told
        assert delivery["headers"] == [
            {"name": "content-type", "value": "application/json"},
            {"name": "x-github-delivery", "value": dict(delivery["headers"][1].items())["value"]},
        ]

    def test_is_nobody_elses_business(self, place: Place):
        delivery = unproven(place, number=57)
        other = Place(place.api, make_tenant(place.api, "Curious"))
        mine = other.connect("peer")
        for hook in (place.connections["peer"], mine):
            path = f"{other.path}/{hook}/deliveries/{delivery['id']}"
            assert other.caller.get(path).status == 404
            assert other.caller.post(f"{path}/replay", None).status == 404
        assert other.caller.post(f"{other.path}/{place.connections['peer']}/address", {}).problem == "hook-unknown"
        assert other.caller.get(f"{other.path}/{UUID(int=7)}").problem == "hook-unknown"

    def test_turns_pages_and_forgets_what_is_old(self, place: Place):
        peer = place.peer("forge")
        for number in range(3):
            peer.send(peer.order(60 + number, "order.page"))
        path = f"{place.hook('forge')}/deliveries?limit=2"
        first = place.caller.get(path).body
        second = place.caller.get(f"{path}&cursor={first['next']}").body
        assert len(first["items"]) == 2
        assert {each["id"] for each in first["items"]}.isdisjoint(each["id"] for each in second["items"])
        foreign = place.caller.get(f"{place.hook('peer')}/deliveries?limit=2&cursor={first['next']}")
        assert foreign.problem == "cursor-foreign"


class TestOtherClocks:
    def test_business_time_moves_no_signature(self, place: Place):
        peer = place.peer("peer")
        place.api.installation.move_clock(timedelta(days=3))
        assert peer.send(peer.order(70)).status == 202
        place.run()
