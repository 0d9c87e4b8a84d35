"""Several cells: adding one, whom it takes, whose it is, and that one that is away stops none of the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pytest

from app.access.roles import Role
from app.bootstrap.seeding import seeder
from app.kernel.ids import new_id
from app.kernel.queue.dispatcher import Dispatched
from app.kernel.queue.loop import Dispatcher
from app.kernel.runtime import Runtime
from app.kernel.work import open_work
from app.tenancy.operations import creation, erasure, lifecycle, telling
from app.tenancy.operations.creation import NoRoom, QuotaReached, Seeder, TenantRequest, create_tenant
from app.tenancy.operations.lifecycle import suspend_tenant
from app.vault.keyring import Keyring, create_keyring, open_keyring
from app.vault.rules import Program
from tenants.cells import CLOSED
from tenants.engines import Databases
from tenants.schema.install import NewCell, WrongDatabase, add_cell, install, set_cell_state
from tenants.sessions import DatabaseAway, lookup_session
from tenants.tenant import Tenant
from tests import cluster
from tests.factories.installation import CELL, GATEWAYS, Installation, Partner, make_runtime, person
from tests.factories.vault.files import files_in


@dataclass
class Pair:
    """An installation with two cells, and a process that knows both."""

    installation: Installation
    eu: cluster.Databases
    runtime: Runtime

    def create(self, partner: Partner, **more: Any) -> Tenant:
        request = TenantRequest(partner.id, **({"kind": "customer", "name": "Acme", "key": new_id().hex} | more))
        return create_tenant(self.runtime, person(), request, trace_id="made")

    def add(self, **more: Any) -> None:
        url = self.installation.urls.control_url
        add_cell(control_url=url, url=self.eu.cell_url, cell=NewCell("eu", **more), gateways=GATEWAYS)


@pytest.fixture
def pair(installation: Installation, tmp_path: Any) -> Iterator[Pair]:
    eu = cluster.create_databases()
    create_keyring(tmp_path / "keys", tmp_path / "worker")
    keyring = open_keyring(Program.WORKER, tmp_path / "keys", tmp_path / "worker")
    databases = Databases(
        control_url=installation.urls.control_url,
        cell_urls={CELL: installation.urls.cell_url, "eu": eu.cell_url},
        key=installation.key,
        gateways=GATEWAYS,
    )
    runtime = make_runtime(databases, services={Keyring: keyring, Seeder: seeder(keyring), **files_in(tmp_path)})
    installation.own_slots()
    made = Pair(installation, eu, runtime)
    made.add(region="eu")
    yield made
    databases.close()
    cluster.drop_databases(eu)


class TestAddingACell:
    def test_again_changes_whom_it_takes_and_nothing_else(self, pair: Pair):
        pair.add(region="us", plans=["scale"], capacity=7)
        [row] = pair.installation.control("SELECT * FROM control.cell WHERE name = 'eu'")
        assert (row.region, row.plans, row.capacity, row.state, row.gateways) == ("us", ["scale"], 7, "open", GATEWAYS)

    def test_of_another_installation_is_refused(self, pair: Pair):
        other = cluster.create_databases()
        try:
            install(control_url=other.control_url, cell_urls={CELL: other.cell_url}, gateways=1)
            with pytest.raises(WrongDatabase, match="another installation"):
                add_cell(
                    control_url=pair.installation.urls.control_url,
                    url=other.cell_url,
                    cell=NewCell("us"),
                    gateways=GATEWAYS,
                )
        finally:
            cluster.drop_databases(other)
        assert pair.installation.control("SELECT 1 FROM control.cell WHERE name = 'us'") == []

    def test_under_a_second_name_is_refused(self, pair: Pair):
        url = pair.installation.urls.control_url
        with pytest.raises(WrongDatabase, match="two names of one cell"):
            add_cell(control_url=url, url=pair.eu.cell_url, cell=NewCell("us"), gateways=GATEWAYS)

    def test_in_the_control_database_is_refused(self, pair: Pair):
        url = pair.installation.urls.control_url
        with pytest.raises(WrongDatabase, match="control database"):
            add_cell(control_url=url, url=url, cell=NewCell("us"), gateways=GATEWAYS)

    def test_needs_an_installation(self, pair: Pair):
        empty = cluster.create_databases()
        try:
            with pytest.raises(LookupError, match="slipway install"):
                add_cell(control_url=empty.control_url, url=pair.eu.cell_url, cell=NewCell("us"), gateways=1)
        finally:
            cluster.drop_databases(empty)


class TestPlacing:
    def test_puts_a_tenant_into_the_region_it_asks_for(self, pair: Pair):
        tenant = pair.create(pair.installation.partner(), region="eu")
        assert tenant.cell == "eu"
        with open_work(pair.runtime, tenant, person(), trace_id="t") as work:
            assert work.tenant.cell == "eu"
        with psycopg.connect(pair.eu.cell_url) as connection:
            assert connection.execute("SELECT id, state FROM cell.tenant").fetchall() == [(tenant.id, "active")]

    def test_fills_the_emptier_one_though_many_come_at_once(self, pair: Pair):
        partner = pair.installation.partner()  # its home is in the first cell
        assert [pair.create(partner).cell for _each in range(5)] == ["eu", "eu", "main", "eu", "main"]

    def test_refuses_where_no_cell_takes_it(self, pair: Pair):
        with pytest.raises(NoRoom, match="eu is in eu; main is in no region"):
            pair.create(pair.installation.partner(), region="mars")

    def test_leaves_a_closed_cell_alone_and_its_tenants_working(self, pair: Pair):
        partner = pair.installation.partner()
        tenant = pair.create(partner, cell="eu")
        set_cell_state(pair.installation.urls.control_url, "eu", CLOSED)
        with pytest.raises(NoRoom, match="eu is closed"):
            replace_placement(pair).create(partner, cell="eu")
        with open_work(pair.runtime, tenant, person(), trace_id="t"):
            pass

    def test_keeps_the_cell_of_a_request_that_was_made_before(self, pair: Pair):
        partner = pair.installation.partner()
        tenant = pair.create(partner, key="once", region="eu")
        pair.add(region="us")
        fresh = replace_placement(pair)
        with pytest.raises(NoRoom):
            fresh.create(partner, key="twice", region="eu")
        assert fresh.create(partner, key="once", region="eu").id == tenant.id


def replace_placement(pair: Pair) -> Pair:
    """The same in a process that has just started: it knows what the cells take now."""
    return replace(pair, runtime=replace(pair.runtime))


class TestAProcessWithoutTheCell:
    def test_says_that_it_cannot_serve_the_tenant(self, pair: Pair):
        tenant = pair.create(pair.installation.partner(), cell="eu")
        with (
            pytest.raises(DatabaseAway, match="SLIPWAY_CELL_EU_URL"),
            open_work(pair.installation.runtime, tenant, person(), trace_id="t"),
        ):
            pass

    def test_places_nothing_there(self, pair: Pair):
        partner = pair.installation.partner()
        services = pair.runtime.services
        lone = make_runtime(pair.installation.databases, services=services)
        for _each in range(3):
            assert replace(pair, runtime=lone).create(partner).cell == CELL


def _die(*_args: object, **_named: object) -> None:
    raise RuntimeError


def _shut(pair: Pair) -> None:
    """Nobody gets into the second cell any more."""
    with psycopg.connect(cluster.cluster().servers.admin_url, autocommit=True) as admin:
        name = cluster.name_of(pair.eu.cell_url)
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])


class TestACellThatIsAway:
    def test_keeps_nothing_waiting_that_others_have_to_do(self, pair: Pair, monkeypatch: pytest.MonkeyPatch):
        """Half made, suspended and agreed to be erased: what is in the other cell is done, what is here comes later."""
        partner = pair.installation.partner()
        staff = [person(name, organisation_id=partner.id, roles=frozenset({Role.PARTNER_ADMIN})) for name in "AB"]
        kept = {cell: [pair.create(partner, cell=cell) for _each in range(2)] for cell in ("eu", CELL)}
        with monkeypatch.context() as patched:
            patched.setattr(creation, "_found", _die)
            for cell in kept:
                with pytest.raises(RuntimeError):
                    pair.create(partner, cell=cell)
            patched.setattr(lifecycle, "tell_cell", lambda *_args: None)
            patched.setattr(erasure, "carry_out", lambda *_args: None)
            for tenants in kept.values():
                suspend_tenant(pair.runtime, staff[0], tenants[0].id, reason="x", trace_id="t")
                erasure.request_erasure(pair.runtime, staff[0], tenants[1].id, reason="x", trace_id="t")
                pair.installation.control("UPDATE control.tenant SET behind = false WHERE id = %s", tenants[1].id)
                erasure.approve_erasure(pair.runtime, staff[1], tenants[1].id, reason="x", trace_id="t")
        _shut(pair)
        assert creation.resume_requests(pair.runtime, person(), trace_id="t", seconds=0) == 1
        assert telling.tell_all(pair.runtime, seconds=0) >= 1
        assert erasure.carry_out_all(pair.runtime, seconds=0) == 1
        told = "SELECT state FROM control.tenant WHERE id = %s"
        assert pair.installation.control(told, kept[CELL][1].id)[0].state == "dropped"
        assert (
            pair.installation.cell("SELECT state FROM cell.tenant WHERE id = %s", kept[CELL][0].id)[0].state
            == "suspended"
        )

    def test_stops_no_other(self, pair: Pair, monkeypatch: pytest.MonkeyPatch):
        partner = pair.installation.partner()
        tenant = pair.create(partner, cell=CELL)
        with open_work(pair.runtime, tenant, person(), trace_id="t") as work:
            work.enqueue("test.job")
        _shut(pair)
        sent: list[Dispatched] = []
        monkeypatch.setattr("app.kernel.queue.loop.send", lambda _broker, _cell, jobs: sent.extend(jobs))
        dispatcher = Dispatcher(pair.runtime.databases, None, {}, None, window=4)  # type: ignore[arg-type]  # not reached
        moved = [dispatcher._turn_or_wait(cell) for cell in ("eu", "main")]
        assert moved[0] == 0
        assert moved[1] >= len(sent) > 0
        assert {item.tenant_id for item in sent} == {tenant.id}

    def test_leaves_the_directory_and_the_other_tenants_working(self, pair: Pair):
        with lookup_session(pair.runtime.databases) as (session, _now):
            assert session is not None
        assert pair.create(pair.installation.partner(), cell=CELL).state == "active"


class TestTheWindow:
    def test_is_shared_by_the_cells_and_none_is_starved(self, pair: Pair, monkeypatch: pytest.MonkeyPatch):
        partner = pair.installation.partner()
        for cell, jobs in ((CELL, 20), ("eu", 5)):
            with open_work(pair.runtime, pair.create(partner, cell=cell), person(), trace_id="t") as work:
                for _each in range(jobs):
                    work.enqueue("test.job")
        sent: dict[str, int] = {CELL: 0, "eu": 0}

        def send(_broker: object, cell: str, jobs: list[Dispatched]) -> None:
            sent[cell] += len(jobs)

        monkeypatch.setattr("app.kernel.queue.loop.send", send)
        dispatcher = Dispatcher(pair.runtime.databases, None, {}, None, window=8)  # type: ignore[arg-type]  # not reached
        for _round in range(3):
            for cell in (CELL, "eu"):
                dispatcher.turn(cell)
        assert sent == {CELL: 8, "eu": 4}


class TestQuotas:
    def test_bound_an_organisation_with_all_below_it(self, pair: Pair):
        distributor = pair.installation.partner("Distributor")
        reseller = pair.installation.partner("Reseller", parent=distributor.id)
        pair.installation.control(
            "UPDATE control.organisation SET limits = '{\"tenants\": 2}' WHERE id = %s", distributor.id
        )
        first = pair.create(reseller)
        pair.create(distributor)
        with pytest.raises(QuotaReached, match="The agreement you work under allows 2"):
            pair.create(reseller)
        with pytest.raises(QuotaReached, match="Your organisation allows 2"):
            pair.create(distributor)
        pair.installation.set_state(first, "dropped")
        assert pair.create(reseller).state == "active"

    def test_leave_others_alone_and_count_no_home_and_no_sandbox(self, pair: Pair):
        partner = pair.installation.partner("Small")
        pair.installation.control(
            "UPDATE control.organisation SET limits = '{\"tenants\": 1}' WHERE id = %s", partner.id
        )
        pair.create(partner, kind="sandbox")
        pair.create(partner)
        pair.create(pair.installation.partner("Other"))
