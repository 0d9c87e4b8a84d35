"""What a build does with workspaces that are older than it can work with: it refuses, says so, and lets others be."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.bootstrap.fleet import FleetBehind, behind, upgrade_at_once
from app.bootstrap.health import Readiness
from app.bootstrap.schedules import schedules
from app.bootstrap.wiring import open_program
from app.kernel.errors import Unavailable
from app.kernel.ids import new_id
from app.kernel.work import TenantUpgrading
from app.settings import Settings
from app.vault.rules import Program
from tenants import sessions, slots
from tenants.fleet import status
from tenants.schema.head import head_hash, tenant_revision
from tenants.sessions import TenantOutdated, registry_session, tenant_cursor, tenant_session
from tenants.slots import claim_slot, count_free, discard_stale, make_slots
from tests.factories.fleet import Revisions, make_fleet, make_tenants, upgrade
from tests.factories.installation import CELL, Installation


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A build that needs more than the first revisions."""
    for module in (sessions, status):
        monkeypatch.setattr(module, "outdated_revisions", lambda: frozenset({tenant_revision()}))


class TestAWorkspaceThatIsTooOld:
    def test_is_entered_by_no_way(self, harbour: Installation, newer: None):
        tenant = make_tenants(harbour, 1)[0]
        with pytest.raises(TenantOutdated), tenant_session(harbour.databases, tenant, actor="test"):
            pytest.fail("entered")
        with pytest.raises(TenantOutdated), tenant_cursor(harbour.databases, tenant, actor="test"):
            pytest.fail("entered")
        with pytest.raises(TenantUpgrading, match="being upgraded") as caught, harbour.work(tenant):
            pytest.fail("entered")
        assert isinstance(caught.value, Unavailable)
        assert caught.value.retry_after == 60

    def test_leaves_no_connection_in_its_scope(self, harbour: Installation, newer: None):
        """More often than there are connections: each went back, and none is in somebody's scope."""
        tenant = make_tenants(harbour, 1)[0]
        for _ in range(6):
            with pytest.raises(TenantOutdated), tenant_cursor(harbour.databases, tenant, actor="test"):
                pytest.fail("entered")
        assert harbour.databases.cells[CELL].gateways[tenant.gateway].pool.checkedout() == 0  # type: ignore[attr-defined]  # a QueuePool

    def test_is_served_as_soon_as_it_is_upgraded(self, harbour: Installation, revisions: Revisions, newer: None):
        tenant = make_tenants(harbour, 1)[0]
        upgrade(make_fleet(harbour, revisions.short()))
        with harbour.work(tenant) as work:
            assert work.tenant == tenant

    def test_is_served_while_it_is_ahead_of_the_build(self, harbour: Installation, revisions: Revisions):
        tenant = make_tenants(harbour, 1)[0]
        upgrade(make_fleet(harbour, revisions.short()))
        with harbour.work(tenant) as work:
            work.remember_command("ahead", fingerprint="x", result={})
        assert harbour.rows(tenant, "SELECT note FROM {}.command") == [(None,)]


class TestAProgramThatServes:
    @pytest.mark.parametrize("program", [Program.WEB, Program.WORKER, Program.DISPATCHER])
    def test_does_not_start_while_an_active_workspace_is_too_old(
        self,
        harbour: Installation,
        newer: None,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        doors_redis: str,
        program: Program,
    ):
        make_tenants(harbour, 2)
        monkeypatch.setattr("app.bootstrap.wiring.configure_logging", lambda _format: None)
        urls = {"SLIPWAY_CONTROL_URL": harbour.urls.control_url, "SLIPWAY_CELL_URL": harbour.urls.cell_url}
        given = urls | {"SLIPWAY_REDIS_URL": doors_redis, "SLIPWAY_KEYRING": str(tmp_path / "keys")}
        with pytest.raises(FleetBehind, match=r"2 active workspaces are below .* slipway fleet plan"):
            open_program(Settings.from_environment(given), program)

    def test_starts_when_all_that_are_too_old_are_asleep_or_set_apart(self, harbour: Installation, newer: None):
        asleep, apart = make_tenants(harbour, 2)
        harbour.set_state(asleep, "suspended")
        harbour.cell(
            "INSERT INTO cell.fleet_step (schema_name, plan_id, ring, state, attempts, changed_at)"
            " VALUES (%s, %s, 0, 'quarantined', 1, now())",
            apart.schema,
            new_id(),
        )
        assert behind(harbour.databases) == ""

    def test_starts_at_an_installation_of_today(self, harbour: Installation):
        make_tenants(harbour, 1)
        assert behind(harbour.databases) == ""

    def test_is_ready_for_all_others_and_says_who_waits(self, harbour: Installation, newer: None, doors_redis: str):
        make_tenants(harbour, 1)
        ready, parts = Readiness(harbour.databases, doors_redis).look()
        assert ready
        assert "1 active workspaces are below" in parts["fleet"]

    def test_says_nothing_when_nobody_waits(self, harbour: Installation, doors_redis: str):
        _ready, parts = Readiness(harbour.databases, doors_redis).look()
        assert "fleet" not in parts


class TestUpgradeAtOnce:
    def test_brings_everybody_there_and_is_nothing_the_second_time(self, harbour: Installation, revisions: Revisions):
        make_tenants(harbour, 3)
        fleet = make_fleet(harbour, revisions.short())
        plan = upgrade_at_once(fleet)
        assert plan is not None
        assert plan.state == "finished"
        assert upgrade_at_once(fleet) is None

    def test_says_who_is_in_the_way(self, harbour: Installation, revisions: Revisions):
        tenants = make_tenants(harbour, 2)
        harbour.rows(tenants[1], "ALTER TABLE {}.command ADD COLUMN note text")
        with pytest.raises(FleetBehind, match="slipway fleet status"):
            upgrade_at_once(make_fleet(harbour, revisions.short()))


class TestThePool:
    @pytest.fixture
    def earlier(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(slots, "earlier_revisions", lambda: frozenset({"t_yesterday"}))

    def age(self, harbour: Installation, **changed: str) -> None:
        sets = ", ".join(f"{name} = '{value}'" for name, value in changed.items())
        harbour.cell(
            f"UPDATE cell.slot SET {sets}, made_at = now() - interval '1 hour'"  # noqa: S608 - names of ours
            " WHERE state = 'free' AND made_at > now() - interval '1 minute'"
        )

    def empty(self, harbour: Installation) -> None:
        harbour.cell("UPDATE cell.slot SET state = 'retired' WHERE state = 'free'")
        discard_stale(harbour.databases, CELL)

    @pytest.mark.parametrize("changed", [{"revision": "t_yesterday"}, {"head_hash": "of other models"}])
    def test_drops_what_this_build_cannot_hand_out(self, harbour: Installation, earlier: None, changed: dict[str, str]):
        self.empty(harbour)
        make_slots(harbour.databases, CELL, 2)
        self.age(harbour, **changed)
        stale = harbour.cell("SELECT schema_name, role_name FROM cell.slot WHERE state = 'free'")
        (refill,) = [each for each in schedules(harbour.runtime, warm_slots=2) if each.name == "tenancy.refill_pool"]
        refill.run()
        fresh = harbour.cell("SELECT schema_name, revision, head_hash FROM cell.slot WHERE state = 'free'")
        assert len(fresh) == 2
        assert {(row.revision, row.head_hash) for row in fresh} == {(tenant_revision(), head_hash())}
        for row in stale:
            assert harbour.cell("SELECT to_regnamespace(%s) AS there", row.schema_name)[0].there is None
            assert not harbour.cell("SELECT 1 FROM pg_roles WHERE rolname = %s", row.role_name)

    def test_keeps_fresh_ones_and_those_of_a_newer_build(self, harbour: Installation, earlier: None):
        self.empty(harbour)
        make_slots(harbour.databases, CELL, 1)
        self.age(harbour, revision="t_tomorrow")
        make_slots(harbour.databases, CELL, 1)
        fresh = "UPDATE cell.slot SET revision = 't_yesterday' WHERE revision = %s AND state = 'free'"
        harbour.cell(fresh, tenant_revision())
        assert discard_stale(harbour.databases, CELL) == 0
        assert count_free(harbour.databases, CELL) == 0

    def test_keeps_one_that_is_being_claimed(self, harbour: Installation, earlier: None):
        self.empty(harbour)
        make_slots(harbour.databases, CELL, 1)
        self.age(harbour, head_hash="of other models")
        with registry_session(harbour.databases, CELL, actor="test") as (session, _now):
            assert claim_slot(session, new_id()) is not None
            assert discard_stale(harbour.databases, CELL) == 0
