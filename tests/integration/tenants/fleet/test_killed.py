"""A real process that upgrades the fleet is killed in the middle while the app works; another goes on, to the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.demo.servers import EmbeddedServers
from app.kernel.ids import new_id
from app.kernel.work import open_work
from tenants.fleet.apply import Crewing, Progress, apply_plan
from tenants.fleet.owner import Connection
from tenants.fleet.plan import Wish, make_plan
from tenants.fleet.replay import Replay
from tenants.fleet.status import read_status
from tenants.fleet.verify import verify
from tenants.schema.head import tenant_revision
from tenants.schema.install import install
from tenants.sessions import DatabaseAway
from tenants.tenant import Tenant
from tests import cluster
from tests.factories.fleet import SLOW, Revisions, finish, make_fleet, make_tenants, remember, start, upgrade
from tests.factories.installation import CELL, GATEWAYS, Installation, make_databases, make_runtime, person


@dataclass
class Load:
    """What the app did meanwhile."""

    done: int = 0
    failed: list[str] = field(default_factory=list)


@contextmanager
def under_load(harbour: Installation, tenants: list[Tenant]) -> Iterator[Load]:
    """The app at work in every workspace in turn, in a thread: reads and writes the very table that is changed."""
    load, stop = Load(), threading.Event()
    databases = make_databases(harbour.urls, harbour.key)
    runtime, actor = make_runtime(databases), person()

    def work() -> None:
        while not stop.is_set():
            for tenant in tenants:
                try:
                    with open_work(runtime, tenant, actor, trace_id="load") as unit:
                        unit.remember_command(new_id().hex, fingerprint="Print", result={})
                    load.done += 1
                except Exception as error:  # noqa: BLE001 - whatever fails under load is what the test is about
                    load.failed.append(repr(error))
                if stop.wait(0.002):
                    return

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield load
    finally:
        stop.set()
        thread.join()
        databases.close()


_UNTOUCHED = "SELECT 1 FROM cell.slot WHERE state = 'claimed' AND revision = %s"


def wait_for(harbour: Installation, share: int, of: int) -> None:
    """Until so many workspaces have left the first revision."""
    end = time.monotonic() + 600
    while of - len(harbour.cell(_UNTOUCHED, tenant_revision())) < share:
        assert time.monotonic() < end, "the fleet does not move"
        time.sleep(0.01)  # another process is at work, nothing tells us of it


def run_killed_fleet(harbour: Installation, revisions: Revisions, count: int) -> None:
    """The whole story, with so many workspaces."""
    tenants = make_tenants(harbour, count)
    poisoned = tenants[-1]
    for tenant in tenants[:: max(1, count // 20)]:
        remember(harbour, tenant, 3)
    harbour.rows(poisoned, "ALTER TABLE {}.command ADD COLUMN note text")
    fleet = make_fleet(harbour, revisions.usual(expand=SLOW))
    make_plan(fleet, Wish(soak_seconds=0))
    with under_load(harbour, tenants) as load:
        victim = start(harbour, revisions, "apply", "--workers", "2")
        wait_for(harbour, count // 3, of=count)
        victim.kill()
        victim.communicate()
        (plan,) = harbour.control("SELECT state FROM control.fleet_plan")
        assert plan.state == "running"
        assert 0 < len(harbour.cell(_UNTOUCHED, tenant_revision())) < count
        code, said = finish(start(harbour, revisions, "resume"), within=1_800)
        assert code == 2, said
        assert [each.schema for each in read_status(fleet).quarantined] == [poisoned.schema]
        harbour.rows(poisoned, "ALTER TABLE {}.command DROP COLUMN note")
        assert getattr(apply_plan(fleet, Crewing(resume=True, quarantined=True)), "state", "") == "finished"
    assert not load.failed
    assert load.done > 0
    at = harbour.cell("SELECT DISTINCT revision FROM cell.slot WHERE state = 'claimed'")
    assert [row.revision for row in at] == ["t_fill"]
    verdict = verify(fleet)
    assert (verdict.looked_at, verdict.compared, verdict.drifts) == (count, count, ())
    for tenant in tenants[:: max(1, count // 20)]:
        left = "SELECT 1 FROM {}.command WHERE starts_with(fingerprint, 'Print-') AND note IS NULL"
        assert not harbour.rows(tenant, left)


class TestAKilledFleet:
    def test_is_gone_on_with_under_load(self, harbour: Installation, revisions: Revisions):
        run_killed_fleet(harbour, revisions, 12)

    @pytest.mark.soak
    @pytest.mark.timeout(3_600)
    def test_of_a_thousand_workspaces_is_gone_on_with_under_load_fleet(
        self, harbour: Installation, revisions: Revisions
    ):
        run_killed_fleet(harbour, revisions, 1_000)


class TestACrashedServer:
    """Commits of a fleet do not wait for the disk each: a crash takes the last ones back, whole, with their record."""

    def test_leaves_no_workspace_behind_that_is_said_to_be_done(self, tmp_path: Path):
        servers = cluster.Cluster(tmp_path)
        servers.servers = EmbeddedServers(tmp_path / ".slipway", fsync=True)  # what is said to be durable is
        servers.servers.start()
        try:
            urls = servers.create_databases()
            key = install(control_url=urls.control_url, cell_urls={CELL: urls.cell_url}, gateways=GATEWAYS)
            own = Installation(urls, key)
            make_tenants(own, 40)
            fleet = make_fleet(own, Revisions(tmp_path / "versions").short())
            make_plan(fleet, Wish(soak_seconds=0))
            own.close()

            def tell(progress: Progress) -> None:
                if progress.tally.done >= 20 and not crashed:
                    crashed.append(progress.tally.done)
                    child = servers.servers._running_postgres().child
                    assert child is not None
                    child.kill()
                    child.wait()
                    servers.servers.revive()

            crashed: list[int] = []
            with suppress(DatabaseAway):  # control was on that server, too
                apply_plan(fleet, Crewing(tell=tell))
            assert crashed
            plan = apply_plan(fleet, Crewing())
            assert plan is None or plan.state == "finished"
            verdict = verify(fleet)
            assert (verdict.looked_at, verdict.compared, verdict.drifts) == (40, 40, ())
        finally:
            servers.servers.stop()

    def test_of_one_cell_is_made_up_for_in_the_same_run(
        self, harbour: Installation, revisions: Revisions, monkeypatch: pytest.MonkeyPatch
    ):
        """The server comes back before anybody notices, and has forgotten one commit: its ring is looked at again."""
        tenants = make_tenants(harbour, 6)
        fleet = make_fleet(harbour, revisions.short())
        real, lost = Replay.advance, tenants[3].schema
        forgotten: list[str] = []

        def forget_one(self: Replay, connection: Connection, schema: str) -> bool:
            if schema == lost and not forgotten:
                forgotten.append(schema)
                return True
            return real(self, connection, schema)

        monkeypatch.setattr(Replay, "advance", forget_one)
        told: list[int] = []
        plan = upgrade(fleet, tell=lambda progress: told.append(progress.tally.done))
        assert forgotten
        assert plan.state == "finished"
        assert max(told) == 6
