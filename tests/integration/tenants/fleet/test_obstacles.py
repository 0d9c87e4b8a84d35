"""What stands in the way of a fleet: locks, ruins of killed builds, long tables, and what must wait for others."""

from __future__ import annotations

import threading
from collections import Counter

import psycopg
import pytest

from tenants.fleet import owner, replay, workers
from tenants.fleet.apply import Crewing, Progress, apply_plan
from tenants.fleet.owner import Connection, FleetBusy, asking, held
from tenants.fleet.plan import Wish, make_plan
from tenants.fleet.status import read_status
from tenants.fleet.tree import FleetRefused
from tenants.fleet.verify import verify
from tenants.schema.head import tenant_revision
from tenants.sessions import DatabaseAway
from tests.factories.fleet import (
    BACKFILL,
    CONCURRENT,
    CONTRACT,
    SLOW,
    Revisions,
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


class TestALockInTheWay:
    def test_sends_the_workspace_to_the_end_of_the_line(
        self, harbour: Installation, revisions: Revisions, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(replay, "PATIENCE", "50ms")
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
        monkeypatch.setattr(replay, "PATIENCE", "20ms")
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


class TestADatabaseThatGoesAway:
    def test_is_waited_for_and_nothing_is_lost_or_done_twice(self, harbour: Installation, revisions: Revisions):
        make_tenants(harbour, 8)
        fleet = make_fleet(harbour, revisions.add("t_slow", SLOW))
        cut: list[int] = []

        def tell(progress: Progress) -> None:
            if progress.tally.done >= 2 and not cut:
                cut.append(
                    len(
                        harbour.cell(
                            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                            " AND usename = current_user AND pid <> pg_backend_pid()"
                        )
                    )
                )

        plan = upgrade(fleet, wish=Wish(soak_seconds=0, one_ring=True), workers=2, tell=tell)
        assert cut
        assert cut[0] > 0
        assert plan.state == "finished"
        assert revisions_of(harbour) == {"t_slow": 8}

    def test_for_too_long_ends_the_run_and_the_next_goes_on(
        self, harbour: Installation, revisions: Revisions, monkeypatch: pytest.MonkeyPatch
    ):
        make_tenants(harbour, 3)
        fleet = make_fleet(harbour, revisions.short())
        make_plan(fleet, Wish(soak_seconds=0))

        real = owner.Connections.take

        def refused(self: owner.Connections, cell: str) -> Connection:
            if threading.current_thread() is threading.main_thread():
                return real(self, cell)
            raise DatabaseAway("The database does not answer.")

        with monkeypatch.context() as patch:
            patch.setattr(owner.Connections, "take", refused)
            patch.setattr(workers, "_PATIENCE", 2)
            with pytest.raises(DatabaseAway):
                apply_plan(fleet, Crewing())
        (row,) = harbour.control("SELECT state, reason FROM control.fleet_plan")
        assert (row.state, row.reason) == ("stopped", "The database does not answer.")
        plan = apply_plan(fleet, Crewing())
        assert plan is not None
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
