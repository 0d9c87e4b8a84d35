"""PostgreSQL ends connections: one by one, or all of them by a restart. No next transaction may notice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from tenants import sessions
from tenants.engines import Databases
from tenants.schema.install import install
from tenants.sessions import DatabaseAway, lookup_session, tenant_cursor, tenant_session
from tenants.slots import make_slots
from tenants.tenant import Tenant
from tests import cluster
from tests.factories.installation import CELL, GATEWAYS, Installation


def fill_pool(house: Installation, tenant: Tenant, connections: int = 2) -> list[int]:
    """Open all connections that the tenant's gateway may have at once; their server processes."""
    backends = []
    with ExitStack() as open_at_once:
        for _ in range(connections):
            session, _entered = open_at_once.enter_context(tenant_session(house.databases, tenant, actor="test"))
            backends.append(session.execute(text("SELECT pg_backend_pid()")).scalar_one())
    return backends


def works(house: Installation, tenant: Tenant) -> bool:
    with tenant_session(house.databases, tenant, actor="test") as (session, entered):
        return session.execute(text("SELECT current_user")).scalar_one() == tenant.role and entered.state == "active"


class TestATerminatedBackend:
    def terminate(self, backends: list[int]) -> None:
        with psycopg.connect(cluster.cluster().servers.admin_url, autocommit=True) as admin:
            for backend in backends:
                admin.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])

    def test_is_not_noticed_by_the_next_session(self, house: Installation, acme: Tenant):
        self.terminate(fill_pool(house, acme))
        assert works(house, acme)
        assert works(house, acme)

    def test_is_not_noticed_by_the_next_cursor(self, house: Installation, acme: Tenant):
        self.terminate(fill_pool(house, acme))
        for _ in range(3):
            with tenant_cursor(house.databases, acme, actor="test") as (cursor, _entered):
                assert cursor.execute("SELECT current_user::text").fetchone() == (acme.role,)

    def test_in_the_middle_is_told_and_the_next_works(self, house: Installation, acme: Tenant):
        def cut_off() -> None:
            with tenant_session(house.databases, acme, actor="test") as (session, _entered):
                self.terminate([session.execute(text("SELECT pg_backend_pid()")).scalar_one()])
                session.execute(text("SELECT 1"))

        with pytest.raises(DatabaseAway, match="Nothing was changed"):
            cut_off()
        assert works(house, acme)

    def test_in_the_middle_of_a_cursor_is_told_and_the_next_works(self, house: Installation, acme: Tenant):
        def cut_off() -> None:
            with tenant_cursor(house.databases, acme, actor="test") as (cursor, _entered):
                row = cursor.execute("SELECT pg_backend_pid()").fetchone()
                self.terminate([row[0]] if row else [])
                cursor.execute("SELECT 1")

        with pytest.raises(DatabaseAway, match="Nothing was changed"):
            cut_off()
        assert works(house, acme)


class TestARestartedServer:
    @pytest.fixture
    def own(self, tmp_path: Path) -> Iterator[tuple[cluster.Cluster, Installation]]:
        """A server of its own, since restarting the shared one would end everybody's connections."""
        servers = cluster.Cluster(tmp_path)
        servers.servers.start()
        try:
            urls = servers.create_databases()
            cells = {CELL: urls.cell_url}
            key = install(control_url=urls.control_url, cell_urls=cells, gateways=GATEWAYS)
            pools = Databases(control_url=urls.control_url, cell_urls=cells, key=key, gateways=GATEWAYS)
            make_slots(pools, CELL, 2)
            pools.close()
            house = Installation(urls, key)
            yield servers, house
            house.close()
        finally:
            servers.servers.stop()

    def test_is_waited_for_and_then_not_noticed(self, own: tuple[cluster.Cluster, Installation]):
        servers, house = own
        acme = house.customer(house.partner("Northwind"), "Acme")
        fill_pool(house, acme)
        postgres = servers.servers._running_postgres()
        postgres.stop()
        with pytest.raises(DatabaseAway, match="Nothing was changed"):
            works(house, acme)
        with (
            pytest.raises(DatabaseAway, match="Nothing was changed"),
            tenant_cursor(house.databases, acme, actor="test"),
        ):
            raise AssertionError("there is no server to enter")
        with pytest.raises(DatabaseAway), lookup_session(house.databases):
            raise AssertionError("there is no server to enter")
        postgres.start()
        assert works(house, acme)
        with tenant_cursor(house.databases, acme, actor="test") as (cursor, _entered):
            assert cursor.execute("SELECT 1").fetchone() == (1,)


class TestAnExhaustedPool:
    def test_is_told_as_a_database_that_is_away(self, house: Installation, acme: Tenant, monkeypatch):
        engine = house.databases.cells[CELL].gateways[acme.gateway]
        monkeypatch.setattr(engine.pool, "_timeout", 0.05)
        with ExitStack() as held:
            for _ in range(2):
                held.enter_context(tenant_session(house.databases, acme, actor="test"))
            with pytest.raises(DatabaseAway), tenant_session(house.databases, acme, actor="test"):
                raise AssertionError("a third connection was made")
            with pytest.raises(DatabaseAway), tenant_cursor(house.databases, acme, actor="test"):
                raise AssertionError("a third connection was made")
        assert works(house, acme)


class TestALockThatDoesNotCome:
    @pytest.mark.parametrize("waiting", ["lock_timeout", "statement_timeout"])
    def test_is_told_as_somebody_elses_change_and_not_as_an_outage(
        self, house: Installation, acme: Tenant, waiting: str
    ):
        key, patience = "SELECT pg_advisory_xact_lock(7)", f"SET LOCAL {waiting} = '50ms'"
        with tenant_session(house.databases, acme, actor="test") as (first, _entered):
            first.execute(text(key))
            busy = pytest.raises(DatabaseAway, match=r"else is changing the same thing.*Nothing was changed")
            with busy, tenant_session(house.databases, acme, actor="test") as (second, _entered):
                second.execute(text(patience))
                second.execute(text(key))
            with busy, tenant_cursor(house.databases, acme, actor="test") as (cursor, _entered):
                cursor.execute(patience)
                cursor.execute(key)
        assert works(house, acme)


class TestSomebodyWhoFellSilent:
    """A process that was stopped, or whose machine is gone, in the middle of a transaction: it holds rows of others."""

    @pytest.fixture
    def soon(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("_TENANT", "_PLAIN", "_PARTNER"):
            begun = getattr(sessions, name)
            assert "idle_in_transaction_session_timeout = '15s'" in begun
            monkeypatch.setattr(sessions, name, begun.replace("'15s'", "'200ms'"))

    @pytest.mark.usefixtures("soon")
    def test_keeps_nobody_from_a_row_for_long(self, house: Installation, acme: Tenant):
        held = text("SELECT pg_advisory_xact_lock(4711)")
        told = pytest.raises(DatabaseAway, match="Nothing was changed")
        with told, tenant_session(house.databases, acme, actor="silent") as (session, _entered):
            session.execute(held)
            with tenant_session(house.databases, acme, actor="other") as (other, _entered):
                other.execute(held)  # waits for the silent one's end
            session.execute(text("SELECT 1"))
        assert works(house, acme)

    @pytest.mark.usefixtures("soon")
    def test_is_told_so_by_a_cursor_too(self, house: Installation, acme: Tenant):
        told = pytest.raises(DatabaseAway, match="Nothing was changed")
        with told, tenant_cursor(house.databases, acme, actor="silent") as (cursor, _entered):
            with tenant_session(house.databases, acme, actor="other") as (other, _entered):
                other.execute(text("SELECT pg_sleep(0.5)"))
            cursor.execute("SELECT 1")
        assert works(house, acme)
