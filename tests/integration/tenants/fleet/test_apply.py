"""A fleet goes from one revision to another: all of it, once, in rings, beside whoever is in the way."""

from __future__ import annotations

import threading
from collections import Counter
from threading import Timer

import psycopg
import pytest

from tenants.fleet.apply import Crewing, Progress, apply_plan
from tenants.fleet.owner import _ONE_FLEET, asking
from tenants.fleet.plan import Wish, count_below, make_plan
from tenants.fleet.status import read_status
from tenants.fleet.tree import FleetRefused
from tenants.fleet.verify import verify
from tenants.schema.head import tenant_revision
from tests.factories.fleet import (
    TABLE,
    Revisions,
    count_queries,
    make_fleet,
    make_tenants,
    remember,
    upgrade,
)
from tests.factories.installation import Installation


def revisions_of(harbour: Installation) -> Counter[str]:
    return Counter(row.revision for row in harbour.cell("SELECT revision FROM cell.slot WHERE state = 'claimed'"))


def steps(harbour: Installation) -> Counter[str]:
    return Counter(row.state for row in harbour.cell("SELECT state FROM cell.fleet_step"))


class TestAFleet:
    def test_gets_to_the_target_with_every_kind_of_revision(self, harbour: Installation, revisions: Revisions):
        tenants = make_tenants(harbour, 6)
        remember(harbour, tenants[2], 7)
        fleet = make_fleet(harbour, revisions.usual())
        plan = upgrade(fleet)
        assert plan.state == "finished"
        assert revisions_of(harbour) == {"t_fill": 6}
        notes = harbour.rows(tenants[2], "SELECT note FROM {}.command ORDER BY key")
        assert [row.note for row in notes] == [f"print-{n}" for n in range(1, 8)]
        verdict = verify(fleet)
        assert (verdict.compared, verdict.drifts) == (6, ())

    def test_says_the_same_of_itself_and_in_the_cell(self, harbour: Installation, revisions: Revisions):
        tenants = make_tenants(harbour, 2)
        upgrade(make_fleet(harbour, revisions.short()))
        for tenant in tenants:
            assert harbour.rows(tenant, "SELECT version_num FROM {}.alembic_version")[0].version_num == "t_expand"

    def test_waits_for_the_lock_of_a_command_that_has_just_ended(self, harbour: Installation, revisions: Revisions):
        """Its server process lets go only after it has seen that the connection is gone."""
        with psycopg.connect(harbour.urls.control_url) as former:
            former.execute("SELECT pg_advisory_lock(%s)", [_ONE_FLEET])
            timer = Timer(0.3, former.close)
            timer.start()
            try:
                assert make_plan(make_fleet(harbour, revisions.short()), Wish()) is None  # no workspaces yet
            finally:
                timer.join()

    def test_is_asked_one_query_when_there_is_nothing_to_do(
        self, harbour: Installation, revisions: Revisions, monkeypatch: pytest.MonkeyPatch
    ):
        make_tenants(harbour, 8)
        fleet = make_fleet(harbour, revisions.short())
        upgrade(fleet)
        with asking(harbour.urls.cell_url) as connection:
            sent = count_queries(monkeypatch, lambda: count_below(connection, fleet, "t_expand"))
        assert len(sent) == 1
        sent = count_queries(monkeypatch, lambda: make_plan(fleet, Wish()))
        assert [line for line in sent if "cell.slot" in line] == sent[1:]
        assert len(sent) == 2  # the lock of the one planner, and one query for the one cell
        assert make_plan(fleet, Wish()) is None

    def test_takes_only_what_each_workspace_lacks(self, harbour: Installation, revisions: Revisions):
        make_tenants(harbour, 4)
        upgrade(make_fleet(harbour, revisions.usual()), wish=Wish(to="t_expand", soak_seconds=0))
        assert revisions_of(harbour) == {"t_expand": 4}
        make_tenants(harbour, 2)
        upgrade(make_fleet(harbour, revisions))
        assert revisions_of(harbour) == {"t_fill": 6}

    def test_gives_the_tenant_its_rights_on_a_new_table(self, harbour: Installation, revisions: Revisions):
        tenant = make_tenants(harbour, 1)[0]
        fleet = make_fleet(harbour, revisions.add("t_table", TABLE))
        upgrade(fleet)
        with harbour.work(tenant) as work:
            work.session.connection().exec_driver_sql("INSERT INTO probe VALUES (gen_random_uuid())")
        assert verify(fleet).drifts == ()

    def test_takes_along_who_was_claimed_meanwhile(self, harbour: Installation, revisions: Revisions):
        make_tenants(harbour, 3)
        fleet = make_fleet(harbour, revisions.short())
        make_plan(fleet, Wish(soak_seconds=0))
        make_tenants(harbour, 2)  # by a program of the earlier release
        plan = apply_plan(fleet, Crewing())
        assert plan is not None
        assert plan.state == "finished"
        assert revisions_of(harbour) == {"t_expand": 5}

    def test_leaves_the_pool_alone(self, harbour: Installation, revisions: Revisions):
        make_tenants(harbour, 2)
        before = harbour.cell("SELECT * FROM cell.slot WHERE state = 'free'")
        assert before
        upgrade(make_fleet(harbour, revisions.short()))
        assert harbour.cell("SELECT * FROM cell.slot WHERE state = 'free'") == before


class TestAPoisonedWorkspace:
    def test_is_set_apart_and_the_others_go_on(self, harbour: Installation, revisions: Revisions):
        tenants = make_tenants(harbour, 6)
        remember(harbour, tenants[3], 1)
        harbour.rows(tenants[3], "ALTER TABLE {}.command ADD COLUMN note text")
        fleet = make_fleet(harbour, revisions.short())
        plan = upgrade(fleet)
        assert plan.state == "incomplete"
        assert revisions_of(harbour) == {"t_expand": 5, tenant_revision(): 1}
        found = read_status(fleet).quarantined
        assert [(each.schema, each.tenant_id) for each in found] == [(tenants[3].schema, tenants[3].id)]
        assert "already exists (42701)" in found[0].error

    def test_is_tried_again_once_it_is_mended(self, harbour: Installation, revisions: Revisions):
        tenants = make_tenants(harbour, 4)
        harbour.rows(tenants[3], "ALTER TABLE {}.command ADD COLUMN note text")
        fleet = make_fleet(harbour, revisions.short())
        upgrade(fleet)
        harbour.rows(tenants[3], "ALTER TABLE {}.command DROP COLUMN note")
        plan = apply_plan(fleet, Crewing(resume=True, quarantined=True))
        assert plan is not None
        assert plan.state == "finished"
        assert revisions_of(harbour) == {"t_expand": 4}

    def test_tells_nothing_of_its_rows(self, harbour: Installation, revisions: Revisions):
        tenants = make_tenants(harbour, 3)
        remember(harbour, tenants[2], 2)
        harbour.rows(tenants[2], "UPDATE {}.command SET fingerprint = 'ann@example.com'")
        revisions.add("t_unique", "op.create_index('uq_x', 'command', ['fingerprint'], unique=True)")
        fleet = make_fleet(harbour, revisions)
        upgrade(fleet)
        (found,) = read_status(fleet).quarantined
        assert "could not create unique index" in found.error
        assert "ann@" not in found.error

    @pytest.mark.parametrize("lie", ["schema", "both", "nothing"])
    def test_is_one_whose_records_do_not_agree(self, harbour: Installation, revisions: Revisions, lie: str):
        tenants = make_tenants(harbour, 3)
        fleet = make_fleet(harbour, revisions.short())
        make_plan(fleet, Wish(soak_seconds=0))
        if lie in {"schema", "both"}:
            harbour.rows(tenants[2], "UPDATE {}.alembic_version SET version_num = 'elsewhere'")
        if lie == "both":
            harbour.cell("UPDATE cell.slot SET revision = 'elsewhere' WHERE schema_name = %s", tenants[2].schema)
        if lie == "nothing":
            harbour.rows(tenants[2], "DELETE FROM {}.alembic_version")
        apply_plan(fleet, Crewing())
        (found,) = read_status(fleet).quarantined
        assert found.schema == tenants[2].schema
        assert harbour.rows(tenants[2], "SELECT * FROM {}.command") == []
        columns = "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attname = 'note'"
        assert not harbour.cell(columns, f"{tenants[2].schema}.command")


class TestTheBudget:
    def poison(self, harbour: Installation, revisions: Revisions, count: int, of: int, **wish: object):
        tenants = make_tenants(harbour, of)
        for tenant in tenants[-count:]:
            harbour.rows(tenant, "ALTER TABLE {}.command ADD COLUMN note text")
        fleet = make_fleet(harbour, revisions.short())
        return fleet, upgrade(fleet, wish=Wish(soak_seconds=0, **wish), workers=1)  # type: ignore[arg-type]  # the fields of a Wish

    def test_bears_one_and_halts_at_the_second(self, harbour: Installation, revisions: Revisions):
        _fleet, plan = self.poison(harbour, revisions, 3, of=6)
        assert plan.state == "halted"
        assert steps(harbour)["quarantined"] == 2
        assert steps(harbour)["waiting"] == 1

    def test_is_nothing_for_a_canary(self, harbour: Installation, revisions: Revisions):
        tenants = make_tenants(harbour, 5)
        harbour.rows(tenants[4], "ALTER TABLE {}.command ADD COLUMN note text")
        fleet = make_fleet(harbour, revisions.short())
        plan = upgrade(fleet, wish=Wish(soak_seconds=0, canaries=[str(tenants[4].id)]))
        assert (plan.state, plan.rings[plan.ring]) == ("halted", "canary")
        assert steps(harbour) == {"quarantined": 1, "waiting": 4}

    def test_starts_anew_for_an_operator_who_goes_on(self, harbour: Installation, revisions: Revisions):
        fleet, _plan = self.poison(harbour, revisions, 3, of=6)
        with pytest.raises(FleetRefused, match="halted"):
            apply_plan(fleet, Crewing())
        plan = apply_plan(fleet, Crewing(resume=True, workers=1))
        assert plan is not None
        assert plan.state == "incomplete"
        assert revisions_of(harbour) == {"t_expand": 3, tenant_revision(): 3}


class TestRings:
    def test_follow_one_another(self, harbour: Installation, revisions: Revisions):
        tenants = make_tenants(harbour, 8)
        chosen = tenants[5]
        seen: list[str] = []

        def tell(progress: Progress) -> None:
            if progress.ring not in seen:
                seen.append(progress.ring)
                state = revisions_of(harbour)[tenant_revision()]
                seen.append(f"{state} to go" if progress.ring == "rest" else "")

        fleet = make_fleet(harbour, revisions.short())
        plan = make_plan(fleet, Wish(soak_seconds=0, canaries=[chosen.schema]))
        assert plan is not None
        assert plan.sizes == {"canary": 1, "1 %": 1, "10 %": 1, "rest": 5}
        canary = harbour.cell("SELECT schema_name FROM cell.fleet_step WHERE ring = 0")
        assert [row.schema_name for row in canary] == [chosen.schema]
        apply_plan(fleet, Crewing(tell=tell))
        assert [each for each in seen if each and "to go" not in each] == ["canary", "1 %", "10 %", "rest"]

    def test_soak_by_the_clock_of_the_database_also_after_a_stop(self, harbour: Installation, revisions: Revisions):
        make_tenants(harbour, 4)
        fleet = make_fleet(harbour, revisions.short())
        make_plan(fleet, Wish(soak_seconds=3600))
        stop = threading.Event()
        soaking: list[float] = []

        def tell(progress: Progress) -> None:
            if progress.soak_left:
                soaking.append(progress.soak_left)
                stop.set()

        plan = apply_plan(fleet, Crewing(tell=tell, stop=stop))
        assert plan is not None
        assert (plan.state, plan.ring) == ("stopped", 1)
        assert 3500 < soaking[0] <= 3600
        assert revisions_of(harbour)["t_expand"] == 1
        harbour.control("UPDATE control.fleet_plan SET soak_until = now() - interval '1 second', soak_seconds = 0")
        plan = apply_plan(fleet, Crewing())
        assert plan is not None
        assert plan.state == "finished"

    def test_soak_also_when_the_process_died_right_before(self, harbour: Installation, revisions: Revisions):
        """Killed between the last workspace of a ring and the note that the soak begins: it begins then."""
        make_tenants(harbour, 3)
        fleet = make_fleet(harbour, revisions.short())
        make_plan(fleet, Wish(soak_seconds=3600))
        stop = threading.Event()
        crewing = Crewing(tell=lambda progress: stop.set() if progress.soak_left else None, stop=stop)
        apply_plan(fleet, crewing)
        harbour.control("UPDATE control.fleet_plan SET state = 'running', ring = 0, soak_until = NULL")
        stop.clear()
        plan = apply_plan(fleet, crewing)
        assert plan is not None
        assert (plan.state, plan.ring) == ("stopped", 1)
        assert revisions_of(harbour) == {"t_expand": 1, tenant_revision(): 2}

    def test_begin_with_the_home_of_the_operator(self, harbour: Installation, revisions: Revisions):
        make_tenants(harbour, 3)
        home = harbour.tenant(harbour.platform, "Operator", kind="home")
        make_plan(make_fleet(harbour, revisions.short()), Wish())
        canary = harbour.cell("SELECT schema_name FROM cell.fleet_step WHERE ring = 0")
        assert [row.schema_name for row in canary] == [home.schema]

    def test_refuse_a_canary_that_nobody_knows(self, harbour: Installation, revisions: Revisions):
        make_tenants(harbour, 2)
        with pytest.raises(FleetRefused, match="t_unknown"):
            make_plan(make_fleet(harbour, revisions.short()), Wish(canaries=["t_unknown"]))
        assert not harbour.control("SELECT 1 FROM control.fleet_plan")
