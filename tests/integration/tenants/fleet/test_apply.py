"""A fleet goes from one revision to another: all of it, once, in rings, beside whoever is in the way."""

from __future__ import annotations

import threading
from collections import Counter

import psycopg
import pytest

from tenants.fleet import replay, workers
from tenants.fleet.apply import Crewing, Progress, apply_plan
from tenants.fleet.owner import FleetBusy, asking, held
from tenants.fleet.plan import Wish, count_below, make_plan
from tenants.fleet.status import read_status
from tenants.fleet.tree import FleetRefused
from tenants.fleet.verify import verify
from tenants.head import tenant_revision
from tests.factories.fleet import (
    BACKFILL,
    CONCURRENT,
    CONTRACT,
    TABLE,
    Revisions,
    count_queries,
    make_fleet,
    make_tenants,
    remember,
    upgrade,
)
from tests.factories.installation import CELL, Installation


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

    @pytest.mark.parametrize("lie", ["schema", "cell", "both", "nothing"])
    def test_is_one_whose_records_do_not_agree(self, harbour: Installation, revisions: Revisions, lie: str):
        tenants = make_tenants(harbour, 3)
        fleet = make_fleet(harbour, revisions.short())
        make_plan(fleet, Wish(soak_seconds=0))
        if lie in {"schema", "both"}:
            harbour.rows(tenants[2], "UPDATE {}.alembic_version SET version_num = 'elsewhere'")
        if lie in {"cell", "both"}:
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
        return fleet, upgrade(fleet, wish=Wish(soak_seconds=0, **wish), workers=1)  # type: ignore[arg-type]  # a Wish's own

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
        tenants = make_tenants(harbour, 12)
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
        assert plan.sizes == {"canary": 1, "1 %": 1, "10 %": 2, "rest": 8}
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


class TestALockInTheWay:
    def test_sends_the_workspace_to_the_end_of_the_line(
        self, harbour: Installation, revisions: Revisions, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(replay, "_LIMITS", replay._LIMITS.replace("'2s'", "'50ms'"))
        monkeypatch.setattr(replay, "_ENTER", replay._ENTER.replace("'2s'", "'50ms'"))
        tenants = make_tenants(harbour, 4)
        fleet = make_fleet(harbour, revisions.short())
        with psycopg.connect(harbour.urls.cell_url) as other:
            other.execute(f"LOCK TABLE {tenants[0].schema}.command IN ACCESS SHARE MODE".encode())
            released = threading.Event()

            def tell(progress: Progress) -> None:
                if progress.tally.done == 3 and progress.tally.postponed and not released.is_set():
                    released.set()
                    other.rollback()

            plan = upgrade(fleet, wish=Wish(soak_seconds=0, one_ring=True), workers=1, tell=tell)
        assert released.is_set()
        assert plan.state == "finished"
        assert revisions_of(harbour) == {"t_expand": 4}

    def test_for_too_long_sets_it_apart(
        self, harbour: Installation, revisions: Revisions, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(replay, "_ENTER", replay._ENTER.replace("'2s'", "'20ms'"))
        monkeypatch.setattr(workers, "ATTEMPTS", 2)
        tenants = make_tenants(harbour, 3)
        fleet = make_fleet(harbour, revisions.short())
        with psycopg.connect(harbour.urls.cell_url) as other:
            other.execute(f"LOCK TABLE {tenants[2].schema}.command IN ACCESS SHARE MODE".encode())
            plan = upgrade(fleet, wish=Wish(soak_seconds=0, one_ring=True))
        assert plan.state == "incomplete"
        (found,) = read_status(fleet).quarantined
        assert (found.schema, found.attempts) == (tenants[2].schema, 2)
        assert "lock timeout" in found.error

    def test_may_be_another_fleet_process(self, harbour: Installation, revisions: Revisions):
        make_tenants(harbour, 2)
        fleet = make_fleet(harbour, revisions.short())
        make_plan(fleet, Wish(soak_seconds=0))
        with held(fleet), pytest.raises(FleetBusy):
            apply_plan(fleet, Crewing())
        with held(fleet), pytest.raises(FleetBusy):
            make_plan(fleet, Wish())

    def test_may_be_what_a_killed_process_left_running(
        self, harbour: Installation, revisions: Revisions, monkeypatch: pytest.MonkeyPatch
    ):
        """Its backend still holds the schema's own lock: the next process comes back to it, and does nothing twice."""
        tenants = make_tenants(harbour, 2)
        fleet = make_fleet(harbour, revisions.short())
        with psycopg.connect(harbour.urls.cell_url, autocommit=True) as other:
            key = f"hashtextextended('slipway fleet ' || '{tenants[1].schema}', 0)"
            other.execute(f"SELECT pg_advisory_lock({key})".encode())

            def tell(progress: Progress) -> None:
                if progress.tally.postponed and progress.tally.done == 1:
                    other.execute("SELECT pg_advisory_unlock_all()")

            plan = upgrade(fleet, wish=Wish(soak_seconds=0, one_ring=True), tell=tell)
        assert plan.state == "finished"


class TestAnIndexBesideRunningWork:
    def test_is_built_anew_where_a_killed_build_left_a_ruin(self, harbour: Installation, revisions: Revisions):
        tenants = make_tenants(harbour, 2)
        remember(harbour, tenants[1], 2)
        harbour.rows(tenants[1], "UPDATE {}.command SET at = '2026-01-01'")
        with psycopg.connect(harbour.urls.cell_url, autocommit=True) as other, pytest.raises(psycopg.Error):
            other.execute(
                f"CREATE UNIQUE INDEX CONCURRENTLY ix_command_at ON {tenants[1].schema}.command (at)".encode()
            )
        query = "SELECT i.indisvalid, i.indisunique FROM pg_index i WHERE i.indexrelid = to_regclass(%s)"
        assert harbour.cell(query, f"{tenants[1].schema}.ix_command_at") == [(False, True)]
        fleet = make_fleet(harbour, revisions.add("t_index", CONCURRENT, concurrent=True))
        upgrade(fleet)
        assert harbour.cell(query, f"{tenants[1].schema}.ix_command_at") == [(True, False)]
        assert verify(fleet).drifts == ()

    def test_that_is_there_is_not_built_twice(self, harbour: Installation, revisions: Revisions):
        """Killed after the build and before the version: done again, it finds the work done."""
        tenant = make_tenants(harbour, 1)[0]
        harbour.rows(tenant, "CREATE INDEX ix_command_at ON {}.command (at)")
        (built,) = harbour.cell("SELECT to_regclass(%s)::oid AS oid", f"{tenant.schema}.ix_command_at")
        upgrade(make_fleet(harbour, revisions.add("t_index", CONCURRENT, concurrent=True)))
        (after,) = harbour.cell("SELECT to_regclass(%s)::oid AS oid", f"{tenant.schema}.ix_command_at")
        assert built.oid == after.oid
        assert revisions_of(harbour) == {"t_index": 1}


class TestABackfill:
    def test_goes_on_after_its_last_batch(
        self, harbour: Installation, revisions: Revisions, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(replay, "BATCH", 10)
        tenant = make_tenants(harbour, 1)[0]
        remember(harbour, tenant, 35)
        fleet = make_fleet(harbour, revisions.usual())
        make_plan(fleet, Wish(soak_seconds=0))
        turns = iter(range(100))

        class AfterSomeTurns(threading.Event):
            def is_set(self) -> bool:
                return next(turns) > 4

        with asking(harbour.urls.cell_url) as connection:
            assert not replay.Replay(fleet.tree, "t_fill", AfterSomeTurns()).advance(connection, tenant.schema)
        (step,) = harbour.cell("SELECT state, backfilled FROM cell.fleet_step")
        assert (step.state, step.backfilled) == ("waiting", "t_fill 1 0030")
        assert len(harbour.rows(tenant, "SELECT 1 FROM {}.command WHERE note IS NOT NULL")) == 30
        apply_plan(fleet, Crewing())
        notes = harbour.rows(tenant, "SELECT note FROM {}.command ORDER BY key")
        assert [row.note for row in notes] == [f"print-{n}" for n in range(1, 36)]
        assert harbour.cell("SELECT backfilled FROM cell.fleet_step")[0].backfilled is None

    def test_looks_again_for_rows_that_came_behind_it(
        self, harbour: Installation, revisions: Revisions, monkeypatch: pytest.MonkeyPatch
    ):
        tenant = make_tenants(harbour, 1)[0]
        remember(harbour, tenant, 3)
        fleet = make_fleet(harbour, revisions.usual())
        upgrade(fleet, wish=Wish(to="t_index", soak_seconds=0))
        make_plan(fleet, Wish(soak_seconds=0))
        harbour.cell("UPDATE cell.fleet_step SET backfilled = 't_fill 1 0003'")  # as if all had been walked
        plan = apply_plan(fleet, Crewing())
        assert plan is not None
        assert plan.state == "finished"
        assert not harbour.rows(tenant, "SELECT 1 FROM {}.command WHERE note IS NULL")

    def test_that_never_ends_is_given_up(self, harbour: Installation, revisions: Revisions):
        tenant = make_tenants(harbour, 1)[0]
        remember(harbour, tenant, 3)
        revisions.add("t_endless", kind="backfill", backfill=BACKFILL | {"change": "at = at", "pending": "true"})
        fleet = make_fleet(harbour, revisions)
        assert upgrade(fleet, wish=Wish(one_ring=True, soak_seconds=0)).state == "incomplete"
        assert "keep appearing" in read_status(fleet).quarantined[0].error


class TestAContract:
    def test_waits_for_everybody_and_for_a_word(self, harbour: Installation, revisions: Revisions):
        make_tenants(harbour, 3)
        fleet = make_fleet(harbour, revisions.usual().add("t_less", CONTRACT, kind="contract"))
        for contract in (False, True):
            with pytest.raises(FleetRefused, match="--to t_fill"):
                make_plan(fleet, Wish(contract=contract))
        upgrade(fleet, wish=Wish(to="t_fill", soak_seconds=0))
        with pytest.raises(FleetRefused, match="earlier release"):
            make_plan(fleet, Wish())
        assert upgrade(fleet, wish=Wish(contract=True, soak_seconds=0)).state == "finished"
        assert revisions_of(harbour) == {"t_less": 3}


class TestAPlan:
    def test_is_refused_when_its_revision_has_changed(self, harbour: Installation, revisions: Revisions):
        make_tenants(harbour, 2)
        make_plan(make_fleet(harbour, revisions.short()), Wish())
        file = revisions.folder / "t_expand.py"
        file.write_text(file.read_text().replace("ix_command_note", "ix_command_other"))
        with pytest.raises(FleetRefused, match="t_expand is not what it was"):
            apply_plan(make_fleet(harbour, revisions), Crewing())
        assert revisions_of(harbour) == {tenant_revision(): 2}

    def test_gives_way_to_a_newer_one(self, harbour: Installation, revisions: Revisions):
        make_tenants(harbour, 3)
        fleet = make_fleet(harbour, revisions.usual())
        make_plan(fleet, Wish(to="t_expand"))
        upgrade(fleet)
        states = harbour.control("SELECT state FROM control.fleet_plan ORDER BY made_at")
        assert [row.state for row in states] == ["abandoned", "finished"]

    def test_is_left_to_the_newer_build_that_has_been_here(self, harbour: Installation, revisions: Revisions):
        tenants = make_tenants(harbour, 2)
        harbour.cell("UPDATE cell.slot SET revision = 'from_tomorrow' WHERE schema_name = %s", tenants[0].schema)
        with pytest.raises(FleetRefused, match="from_tomorrow"):
            make_plan(make_fleet(harbour, revisions.short()), Wish())

    def test_is_none_without_a_workspace(self, harbour: Installation, revisions: Revisions):
        fleet = make_fleet(harbour, revisions.short())
        assert make_plan(fleet, Wish()) is None
        assert apply_plan(fleet, Crewing()) is None
        assert CELL in fleet.cell_urls
