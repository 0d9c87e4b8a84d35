"""What a delegation leaves behind: each use in the customer's trail, the news to people, its end by time, the index."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from sqlalchemy import event

from app.access.operations.answering import end_delegation
from app.access.operations.asking import break_glass, withdraw_delegation
from app.access.operations.founding import DEFAULT_ROLES, end_delegations, give_default_delegation
from app.access.operations.indexing import index_tenant, read_lines, write_lines
from app.access.queries.index import IndexQuery, list_index
from app.access.schemas import GlassWish
from app.kernel.events import Event
from app.kernel.ids import new_id
from app.kernel.paging import CursorKey
from app.kernel.work import Work
from tests.integration.access.conftest import Scene

KEY = CursorKey(b"k" * 32)


class Changed(Event, frozen=True, kw_only=True):
    """A change by somebody."""

    type: ClassVar[str] = "test.thing.changed"
    subject_kind: ClassVar[str] = "tenant"


def change(work: Work) -> None:
    """What an operation does: ask for the rights, then record."""
    assert work.rights
    work.record(Changed(subject_id=work.tenant.id))


def letters(scene: Scene) -> list[tuple[str, str]]:
    """(kind, address) of all letters, oldest first."""
    rows = scene.installation.rows(scene.tenant, "SELECT kind, email FROM {}.message ORDER BY queued_at, id")
    return [(row.kind, row.email) for row in rows]


class TestAUse:
    def test_is_told_once_an_hour_for_each_person(self, scene: Scene):
        given = scene.give("csm")
        for _ in range(3):
            assert scene.rights(scene.dana) == {"csm"}
        cora = scene.staff("Cora", "csm")
        scene.rights(cora)
        told = scene.entries("delegation.entered")
        assert [(row.actor_name, row.subject_id, row.on_behalf_of) for row in told] == [
            ("Dana", given.id, scene.partner.id),
            ("Cora", given.id, scene.partner.id),
        ]
        scene.installation.rows(scene.tenant, "DELETE FROM {}.command WHERE key LIKE 'entered:%%'")  # an hour later
        scene.rights(cora)
        assert len(scene.entries("delegation.entered")) == 3

    def test_is_told_once_when_many_come_at_the_same_moment(self, scene: Scene):
        scene.give("csm")
        start = threading.Barrier(4)

        def enter() -> None:
            start.wait()
            scene.rights(scene.dana)

        threads = [threading.Thread(target=enter) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(scene.entries("delegation.entered")) == 1

    def test_that_is_rolled_back_is_told_the_next_time(self, scene: Scene):
        scene.give("csm")

        def fail(work: Work) -> None:
            assert work.rights
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            scene.do(scene.dana, fail)
        assert not scene.entries("delegation.entered")
        scene.rights(scene.dana)
        assert len(scene.entries("delegation.entered")) == 1

    def test_names_delegation_and_organisation_in_each_change(self, scene: Scene):
        given = scene.give("csm")
        scene.do(scene.dana, change)
        scene.do(scene.olga, change)
        by_dana, by_olga = scene.installation.rows(
            scene.tenant, "SELECT * FROM {}.trail WHERE action = 'test.thing.changed' ORDER BY id"
        )
        assert (by_dana.on_behalf_of, by_dana.body) == (scene.partner.id, {"delegations": [str(given.id)]})
        assert (by_olga.on_behalf_of, by_olga.body) == (None, {})

    def test_costs_one_query(self, scene: Scene):
        scene.give("csm")
        scene.rights(scene.dana)
        asked: list[str] = []
        with scene.installation.work(scene.tenant, scene.dana) as work:
            event.listen(work.session.connection(), "before_cursor_execute", lambda *given: asked.append(str(given[2])))
            assert work.rights
        assert len(asked) == 1

    def test_shows_who_was_here_last(self, scene: Scene):
        given = scene.give("csm")
        scene.rights(scene.dana)
        [row] = scene.installation.rows(
            scene.tenant, "SELECT last_used_name, last_used_at FROM {}.delegation WHERE id = %s", given.id
        )
        assert row.last_used_name == "Dana"

    def test_by_software_keeps_to_its_scopes(self, scene: Scene):
        scene.give("csm")
        robot = replace(scene.staff("Robot", "csm"), kind="service", only=frozenset({"tenancy:tenant:read"}))
        assert scene.rights(robot) == {"csm", "only=tenancy:tenant:read"}
        assert scene.entries("delegation.entered")[-1].actor_kind == "service"


class TestNews:
    def test_of_a_request_goes_to_owners_and_of_the_answer_to_who_asked(self, scene: Scene):
        scene.installation.control(
            "INSERT INTO control.person (id, email, name, locale, made_at) VALUES (%s, %s, 'Dana', 'en', now())",
            *(scene.dana.id, f"dana-{scene.dana.id.hex[-6:]}@northwind.example"),
        )
        scene.member("Vera", "viewer")
        scene.approve(scene.ask("csm"))
        scene.run_due()
        scene.run_due()
        kinds = [(kind, email.partition("-")[0]) for kind, email in letters(scene)]
        assert sorted(kinds) == [("access_approved", "dana"), ("access_requested", "olga")]

    def test_of_broken_glass_goes_to_owners_and_administrators_at_once(self, scene: Scene):
        scene.member("Adam", "admin")
        scene.do(scene.staff("Ada", "partner_admin"), break_glass, GlassWish(["csm"], "Stuck"))
        scene.run_due()
        assert sorted((kind, email.partition("-")[0]) for kind, email in letters(scene)) == [
            ("access_glass_broken", "adam"),
            ("access_glass_broken", "olga"),
        ]


class TestTime:
    def look(self, scene: Scene, *, ends: str) -> list[Any]:
        """The delegation's watch comes due when so much time is left."""
        [row] = scene.installation.rows(scene.tenant, "SELECT id FROM {}.delegation")
        scene.late(row.id, ends_at=ends)
        scene.installation.cell("UPDATE cell.job SET run_at = now() WHERE tenant_id = %s", scene.tenant.id)
        scene.run_due()
        return [(entry.action.rpartition(".")[2], entry.body.get("days")) for entry in scene.entries()[2:]]

    def test_tells_twice_and_ends(self, scene: Scene):
        scene.give("csm", days=200)
        scene.run_due()
        assert self.look(scene, ends="now() + interval '31 days'") == []
        assert self.look(scene, ends="now() + interval '30 days'") == [("runs_out", 30)]
        assert self.look(scene, ends="now() + interval '20 days'") == [("runs_out", 30)]
        assert self.look(scene, ends="now() + interval '7 days'") == [("runs_out", 30), ("runs_out", 7)]
        assert self.look(scene, ends="now()")[2:] == [("expired", None)]
        assert self.look(scene, ends="now()")[3:] == []

    def test_passes_over_what_was_asked_for_again(self, scene: Scene):
        given = scene.give("csm", days=100)
        scene.ask("csm", days=300, renewal_of=given.id)
        scene.late(given.id, ends_at="now() + interval '6 days'")
        scene.installation.cell("UPDATE cell.job SET run_at = now() WHERE tenant_id = %s", scene.tenant.id)
        scene.run_due()
        assert not scene.entries("delegation.runs_out")

    def test_voids_a_request_that_nobody_answered(self, scene: Scene):
        asked = scene.ask("csm", days=200)
        scene.late(asked.id, requested_at="now() - interval '90 days'")
        scene.installation.cell("UPDATE cell.job SET run_at = now() WHERE tenant_id = %s", scene.tenant.id)
        scene.run_due()
        [told] = scene.entries("delegation.expired")
        assert told.body["was"] == "requested"


class TestTheDefault:
    def test_is_watched_indexed_and_ended_like_any_other(self, scene: Scene):
        made = scene.do(scene.olga, give_default_delegation)
        scene.run_due()
        scene.do(scene.olga, end_delegations, reason="Moved")
        scene.run_due()
        [line] = scene.installation.control("SELECT * FROM control.delegation_index WHERE id = %s", made)
        assert (line.kind, line.state, line.roles, line.version) == ("default", "ended", list(DEFAULT_ROLES), 2)


class TestTheIndex:
    def lines(self, scene: Scene) -> list[tuple[str, int]]:
        rows = scene.installation.control(
            "SELECT state, version FROM control.delegation_index WHERE tenant_id = %s ORDER BY id", scene.tenant.id
        )
        return [(row.state, row.version) for row in rows]

    def test_follows_every_change(self, scene: Scene):
        given = scene.give("csm")
        scene.run_due()
        assert self.lines(scene) == [("active", 2)]
        scene.do(scene.olga, end_delegation, given.id, reason="Done")
        scene.run_due()
        assert self.lines(scene) == [("ended", 3)]

    def test_never_goes_back(self, scene: Scene):
        asked = scene.ask("csm")
        old = scene.do(scene.olga, read_lines)
        scene.do(scene.dana, withdraw_delegation, asked.id, reason="A mistake")
        scene.run_due()
        write_lines(scene.installation.runtime, scene.tenant, old)
        assert self.lines(scene) == [("withdrawn", 2)]

    def test_can_be_made_anew(self, scene: Scene):
        scene.give("csm")
        scene.ask("finance")
        index_tenant(scene.installation.runtime, scene.tenant)
        assert self.lines(scene) == [("active", 2), ("requested", 1)]

    def test_of_another_tenant_stays_what_it_is(self, scene: Scene, northwind: Any):
        scene.give("csm")
        index_tenant(scene.installation.runtime, scene.tenant)
        other = scene.installation.customer(northwind, "Umbrella")
        forged = json.loads(scene.do(scene.olga, read_lines))
        forged[0] |= {"version": 99, "state": "ended"}
        write_lines(scene.installation.runtime, other, json.dumps(forged))
        assert self.lines(scene) == [("active", 2)]

    def test_gives_a_distributor_of_ten_thousand_tenants_one_page(self, scene: Scene):
        """Bulk rows, as many customers as the largest distributor has: a page is one query, and so is a search."""
        inst = scene.installation
        distributor = inst.partner("Distri")
        reseller = inst.partner("Resell", parent=distributor.id)
        inst.control(
            "INSERT INTO control.tenant (id, organisation_id, kind, name, state, request_key, cause, requested_at)"
            " SELECT gen_random_uuid(), %s, 'customer', 'Customer ' || lpad(n::text, 5, '0'), 'active', 'k' || n,"
            " '{}', now() FROM generate_series(1, 10000) n",
            reseller.id,
        )
        inst.control(
            "INSERT INTO control.delegation_index (id, tenant_id, organisation_id, kind, state, roles, reason,"
            " starts_at, ends_at, version) SELECT gen_random_uuid(), t.id, t.organisation_id, 'default', 'active',"
            " '[\"csm\"]', 'x', now(), now() + interval '100 days', 1 FROM control.tenant t"
            " WHERE t.organisation_id = %s",
            reseller.id,
        )
        boss = replace(scene.dana, organisation_id=distributor.id)
        runtime = replace(inst.runtime, services={CursorKey: KEY})
        asked: list[str] = []
        engine = inst.databases.control
        event.listen(engine, "before_cursor_execute", note := lambda *given: asked.append(str(given[2])))
        first = list_index(runtime, boss, IndexQuery())
        event.remove(engine, "before_cursor_execute", note)
        assert len(asked) <= 3, asked
        assert [line.tenant_name for line in first.items[:2]] == ["Customer 00001", "Customer 00002"]
        second = list_index(runtime, boss, IndexQuery(cursor=first.next or "-"))
        assert second.items[0].tenant_name == "Customer 00051"
        found = list_index(runtime, boss, IndexQuery(q="customer 0999"))
        assert [line.tenant_name for line in found.items] == [f"Customer 0999{n}" for n in range(10)]
        stranger = replace(scene.dana, organisation_id=inst.partner(f"Other{new_id().hex[-4:]}").id)
        assert list_index(runtime, stranger, IndexQuery()).items == []
        expiring = list_index(runtime, boss, IndexQuery(state="expiring"))
        assert expiring.items == []
        assert first.items[0].ends_at - first.items[0].starts_at == timedelta(days=100)
