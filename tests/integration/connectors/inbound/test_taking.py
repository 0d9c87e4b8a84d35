"""Messages that come in: taken once, by the right address and the right secret, and worked on after the answer."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from app.web.guard.limits import HOOK, UNKNOWN_HOOKS, Limiter
from app.web.security import MAX_BODY
from tests.factories.api import Said
from tests.integration.connectors.inbound.conftest import OTHER, Peer, Place
from tests.integration.connectors.webhooks.conftest import make_tenant


@contextmanager
def statements() -> Iterator[list[str]]:
    """Every statement that leaves meanwhile by SQLAlchemy."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield sent
    event.remove(Engine, "before_cursor_execute", note)


class TestTakeIn:
    def test_stores_answers_and_announces_ids_and_type_later(self, place: Place):
        peer = place.peer("peer")
        before = len(place.announced())
        answer = peer.send(peer.order(7), message_id="msg_seven")
        assert (answer.status, answer.body) == (202, {"received": 1})
        assert len(place.announced()) == before
        place.run()
        [entry] = place.announced()[before:]
        told = {"message_id": "msg_seven", "message_type": "order.paid", "object": "o-7", "connector": "peer"}
        assert entry.body == told | {"connection_id": str(place.connections["peer"])}
        [delivery] = place.deliveries("peer")[:1]
        assert (delivery["id"], delivery["state"]) == (str(entry.subject_id), "announced")
        assert {each["name"] for each in delivery["headers"]} == {"content-type", "webhook-id"}

    @pytest.mark.parametrize("name", ["peer", "forge"])
    def test_takes_one_message_once_however_often_and_at_once_it_comes(self, place: Place, name: str):
        peer, ready = place.peer(name), threading.Barrier(3)
        answers: list[Said] = []
        body, before = peer.order(8, f"order.{name}"), len(place.deliveries(name))
        headers = peer.signed(body, message_id=f"once-{name}")

        def knock() -> None:
            ready.wait(10)
            answers.append(peer.knock(body, headers))

        threads = [threading.Thread(target=knock) for _each in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        answers += [peer.knock(body, headers), peer.send(body, message_id=f"once-{name}")]
        assert [each.status for each in answers] == [202] * 5
        assert sum(each.body["received"] for each in answers) == 1
        assert len(place.deliveries(name)) == before + 1

    def test_knows_a_copy_by_its_bytes_where_the_id_is_not_signed(self, place: Place):
        peer = place.peer("forge")
        body = peer.order(9, "order.copied")
        headers = peer.signed(body)
        assert peer.knock(body, headers).body == {"received": 1}
        assert peer.knock(body, headers | {"x-github-delivery": "another"}).body == {"received": 0}

    def test_gives_a_handshake_what_it_wants_and_keeps_nothing(self, place: Place):
        peer, before = place.peer("peer"), len(place.deliveries("peer"))
        answer = peer.send(b'{"type": "hello", "challenge": "<b>42</b>"}')
        assert (answer.status, answer.body) == (200, "<b>42</b>")
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.headers["x-content-type-options"] == "nosniff"
        unsigned = peer.knock(b'{"type": "hello", "challenge": "42"}', {})
        assert unsigned.status == 403
        assert len(place.deliveries("peer")) == before

    def test_keeps_nothing_of_a_type_that_nobody_listens_for(self, place: Place):
        peer, before = place.peer("peer"), len(place.deliveries("peer"))
        assert peer.send(peer.order(1, "invoice.paid")).body == {"received": 0}
        assert len(place.deliveries("peer")) == before

    def test_does_a_bounded_number_of_things_before_it_answers(self, place: Place):
        peer = place.peer("peer")
        body = peer.order(10)
        headers = peer.signed(body)
        with statements() as sent:
            assert peer.knock(body, headers).status == 202
        # control: hook, tenant. Workspace: connection, hook, secrets, admitted, stored, now and then what is too old.
        assert len([each for each in sent if not each.startswith("BEGIN")]) <= 12, sent


class TestRefuse:
    @pytest.mark.parametrize(
        ("how", "reason"),
        [
            ({"secret": OTHER}, "wrong"),
            ({"age": 301}, "stale"),
            ({"age": -301}, "early"),
        ],
        ids=["another secret", "stale", "early"],
    )
    def test_what_nobody_has_proven(self, place: Place, how: dict[str, Any], reason: str):
        peer = place.peer("peer")
        taken, held = len(place.deliveries("peer")), len(place.deliveries("peer", held=True))
        peer.secret = how.pop("secret", peer.secret)
        answer = peer.send(peer.order(20), **how)
        assert (answer.status, answer.body["detail"]) == (403, "The signature of this delivery does not hold.")
        [sample, *others] = place.deliveries("peer", held=True)
        assert (sample["state"], sample["reason"], len(others)) == ("unverified", reason, held)
        assert len(place.deliveries("peer")) == taken

    def test_a_body_that_was_altered_packed_doubled_or_is_huge_or_empty(self, place: Place):
        peer, before = place.peer("peer"), len(place.deliveries("peer"))
        body = peer.order(21)
        headers = peer.signed(body)
        assert peer.knock(body.replace(b"21", b"22"), headers).status == 403
        assert peer.knock(b"", headers).status == 403
        assert peer.packed(body).status == 415
        assert peer.knock(body, headers, ("webhook-signature", headers["webhook-signature"])).status == 403
        assert peer.knock(body, headers | {"webhook-signature": "v1,\u00e9"}).status == 403
        assert peer.send(b" " * (MAX_BODY + 1)).status == 413
        assert len(place.deliveries("peer")) == before

    def test_the_secret_of_another_connection_and_an_address_of_nobody(self, place: Place):
        peer, forge = place.peer("peer"), place.peer("forge")
        assert place.set_secret("forge", OTHER, 0).status == 200
        body = peer.order(22)
        assert peer.knock(body, forge.signed(body)).status == 403
        assert forge.knock(body, forge.signed(body)).status == 403
        for unknown in ("x" * 43, "short", peer.address[-43:-1] + ("A" if peer.address[-1] != "A" else "B")):
            assert peer.knock(body, peer.signed(body), address=f"http://h/hooks/{unknown}").status == 404

    def test_everything_before_a_secret_is_set_and_after_the_hook_was_closed(self, place: Place):
        peer = Peer(place.api.doors.port, "standard_webhooks", place.open("peer"))
        assert peer.send(peer.order(23)).status == 403
        assert place.deliveries("peer", held=True)[0]["reason"] == "no_secret"
        assert place.set_secret("peer", peer.secret).status == 200
        assert peer.send(peer.order(23)).status == 202
        assert place.caller.send("DELETE", place.hook("peer"), None, {}).body["addresses"] == []
        assert peer.send(peer.order(24)).status == 404  # at once, before anybody has told control
        place.run()
        query = "SELECT count(*) AS n FROM control.hook WHERE connection_id = %s"
        assert place.api.installation.control(query, place.connections["peer"])[0].n == 0
        vault = "SELECT count(*) AS n FROM {}.secret WHERE purpose = 'inbound_hook' AND field LIKE %s"
        assert place.api.installation.rows(place.tenant, vault, f"{place.connections['peer']}%")[0].n == 0

    def test_what_comes_by_a_connection_that_was_removed(self, place: Place):
        peer = place.peer("peer")
        state = "UPDATE {}.connection SET state = %s WHERE id = %s RETURNING id"
        place.api.installation.rows(place.tenant, state, "removed", place.connections["peer"])
        assert peer.send(peer.order(25)).status == 404
        assert place.caller.post(f"{place.hook('peer')}/address", {}).problem == "connection-inactive"
        place.api.installation.rows(place.tenant, state, "active", place.connections["peer"])
        assert peer.send(peer.order(25)).status == 202

    def test_what_comes_for_a_workspace_that_is_suspended_or_erased(self, place: Place):
        other = Place(place.api, make_tenant(place.api, "Suspended"))
        other.connect("peer")
        peer = other.peer("peer")
        place.api.installation.set_state(other.tenant, "suspended")
        answer = peer.send(peer.order(26))
        assert (answer.status, int(answer.headers["retry-after"]) > 0) == (503, True)
        place.api.installation.control("DELETE FROM control.hook WHERE tenant_id = %s", other.tenant.id)
        assert peer.send(peer.order(26)).status == 404

    def test_stops_counting_against_others_who_floods_one_address(self, place: Place, doors_redis: str):
        peer, forge = place.peer("peer"), place.peer("forge")
        services, usual = place.api.runtime.services, place.api.runtime.service(Limiter)
        strict = services[Limiter] = Limiter(doors_redis, scale=1, key=UUID(int=len(place.announced()) + 1).bytes)
        try:
            digest = hashlib.sha256(peer.address.rpartition("/")[2].encode()).hexdigest()
            for _each in range(HOOK.amount - 13):
                strict.take(HOOK, digest)
            before = len(place.deliveries("peer", held=True))
            answers = [peer.knock(b"{}", {}).status for _each in range(14)]
            assert answers == [403] * 13 + [429]
            assert len(place.deliveries("peer", held=True)) == before + 12
            for _each in range(UNKNOWN_HOOKS.amount - 1):
                strict.take(UNKNOWN_HOOKS, "127.0.0.1")
            unknown = [peer.knock(b"{}", {}, address=f"http://h/hooks/{'y' * 43}").status for _each in range(2)]
            assert unknown == [404, 429]
            assert forge.send(forge.order(27, "order.calm")).status == 202
        finally:
            services[Limiter] = usual


class TestChangeOver:
    def test_an_address_answers_beside_the_next_one_for_a_while(self, place: Place):
        peer = place.peer("peer")
        first, second = peer.address, place.open("peer")
        for number, address in enumerate((first, second)):
            body = peer.order(30 + number)
            assert peer.knock(body, peer.signed(body), address=address).status == 202
        again = place.caller.post(f"{place.hook('peer')}/address", {"overlap_hours": 1})
        assert again.problem == "address-changing"
        place.age_hook("peer")
        body = peer.order(33)
        assert peer.knock(body, peer.signed(body), address=first).status == 404
        assert peer.knock(body, peer.signed(body), address=second).status == 202
        third = place.open("peer", 0)
        assert peer.knock(body, peer.signed(body), address=second).status == 404
        assert peer.knock(body, peer.signed(body), address=third).status == 202

    def test_a_secret_counts_beside_the_next_one_for_a_while(self, place: Place):
        peer = place.peer("peer")
        assert place.set_secret("peer", OTHER).status == 200
        before, after = peer, Peer(peer.port, peer.scheme, peer.address, OTHER)
        assert [each.send(peer.order(34)).status for each in (before, after)] == [202, 202]
        assert place.set_secret("peer", b"third" * 8).problem == "secret-changing"
        place.age_hook("peer")
        assert [each.send(peer.order(35)).status for each in (before, after)] == [403, 202]
        assert place.set_secret("peer", peer.secret, 0).status == 200
        assert [each.send(peer.order(36)).status for each in (before, after)] == [202, 403]

    def test_refuses_a_secret_that_nothing_could_ever_fit(self, place: Place):
        answer = place.caller.post(f"{place.hook('peer')}/secret", {"value": "my birthday"})
        assert (answer.status, answer.problem, answer.body["errors"][0]["pointer"]) == (422, "secret-unfit", "/value")
        assert "birthday" not in str(answer.body)

    def test_shows_an_address_once_and_keeps_neither_it_nor_a_secret_in_the_clear(self, place: Place):
        first = place.caller.post(f"{place.hook('peer')}/address", {}, key="open-once")
        again = place.caller.post(f"{place.hook('peer')}/address", {}, key="open-once")
        assert (again.status, again.body["url"], again.headers["idempotency-replayed"]) == (201, None, "true")
        assert len(again.body["hook"]["addresses"]) == 1
        assert place.set_secret("peer", OTHER).status == 200
        place.run()
        token = str(first.body["url"]).rpartition("/")[2]
        for table in ("record", "trail", "command", "secret"):
            query = f"SELECT t::text AS line FROM {{}}.{table} t"  # noqa: S608 - a name of ours
            for row in place.api.installation.rows(place.tenant, query):
                assert token not in row.line, table
                assert OTHER.decode() not in row.line, table
        assert token not in str(place.api.installation.cell("SELECT j::text AS line FROM cell.job j"))
        assert token not in str(place.api.installation.control("SELECT h::text AS line FROM control.hook h"))

    def test_keeps_the_workspace_the_authority_of_its_address(self, place: Place):
        peer = place.peer("peer")
        other = Place(place.api, make_tenant(place.api, "Elsewhere"))
        other.connect("peer")
        wrong = "UPDATE control.hook SET tenant_id = %s, connection_id = %s WHERE connection_id = %s"
        ids = (other.tenant.id, other.connections["peer"], place.connections["peer"])
        place.api.installation.control(wrong + " RETURNING tenant_id", *ids)
        assert peer.send(peer.order(37)).status == 404
