"""What one transaction leaves in a pooled connection, on purpose or by an error, never reaches the next tenant."""

# ruff: noqa: S608, PT012 - the statements are the attack; a scope needs a body to be broken in
from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from tenants import engines
from tenants.sessions import (
    DatabaseAway,
    dispatcher_session,
    lookup_session,
    partner_session,
    tenant_cursor,
    tenant_session,
)
from tenants.tenant import Tenant
from tests.factories.installation import CELL
from tests.factories.peer_house import PeerHouse
from tests.integration.tenants.attacks.conftest import canary, check_unharmed, send
from tests.integration.tenants.conftest import DENIED, refused

CHANGES = [
    "SET search_path = pg_catalog",
    "SET statement_timeout = 0",
    "SET statement_timeout = '1h'",
    "SET lock_timeout = 0",
    "SET idle_in_transaction_session_timeout = '1h'",
    "SET app.actor = 'somebody'",
    "SET app.organisation = '00000000-0000-0000-0000-000000000001'",
    "SET default_transaction_read_only = on",
    "SET default_transaction_isolation = 'serializable'",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "SET row_security = off",
    "SET TimeZone = 'Pacific/Kiritimati'",
    "SET standard_conforming_strings = off",
    "SET IntervalStyle = 'iso_8601'",
    "SET DateStyle = 'SQL, DMY'",
    "SET bytea_output = 'escape'",
    "SET enable_seqscan = off",
    "SET work_mem = '64kB'",
    "SET plan_cache_mode = force_custom_plan",
]


OURS = {"search_path", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"}
OURS |= {"plan_cache_mode"}


class TestASettingThatWasNotLocal:
    @pytest.mark.parametrize("change", CHANGES)
    @pytest.mark.parametrize("end", ["kept", "COMMIT"])
    def test_ends_where_the_next_transaction_begins(
        self, house: PeerHouse, acme: Tenant, neighbour: Tenant, change: str, end: str
    ):
        for _connection in range(3):
            with tenant_cursor(house.databases, acme, actor="attack") as (cursor, _entered):
                cursor.execute(change)
                if end == "COMMIT":
                    cursor.execute(end)
            check_unharmed(house, neighbour)
            changed = send(
                house, neighbour, "SELECT name FROM pg_settings WHERE source = 'session' AND setting <> reset_val"
            )
            assert {row[0] for row in changed} == OURS

    @pytest.mark.parametrize("role", ["{0}", "NONE"])
    def test_of_the_role_is_replaced(self, house: PeerHouse, acme: Tenant, neighbour: Tenant, role: str):
        for _connection in range(3):
            send(house, acme, f"SET SESSION ROLE {role.format(acme.role)}")
            check_unharmed(house, neighbour)

    def test_in_control_widens_no_lookup_and_no_other_scope(self, house: PeerHouse):
        organisation, other = house.partner("Setter").id, house.partner("Other").id
        for _connection in range(5):
            with partner_session(house.databases, organisation, actor="attack") as (session, _now):
                session.execute(text(f"SET SESSION ROLE {house.key.roles.partner}"))
                session.execute(text(f"SET app.organisation = '{house.platform}'"))
            with lookup_session(house.databases) as (session, _now):
                row = session.execute(text("SELECT current_user, current_setting('app.organisation', true)")).one()
                assert tuple(row) in {(house.key.roles.door, ""), (house.key.roles.door, None)}
            with partner_session(house.databases, other, actor="next") as (session, _now):
                assert session.execute(text("SELECT array_agg(id) FROM organisation")).scalar_one() == [other]

    def test_in_the_dispatcher_is_gone_in_its_next_transaction(self, house: PeerHouse):
        for change in CHANGES:
            with dispatcher_session(house.databases, CELL, actor="attack") as (session, _now):
                session.execute(text(change))
            with dispatcher_session(house.databases, CELL, actor="next") as (session, _now):
                session.execute(text("DELETE FROM timer WHERE state = 'never'"))
                asked = "SELECT current_schema(), current_setting('statement_timeout'), current_setting('row_security')"
                assert tuple(session.execute(text(asked)).one()) == ("cell", "5s", "on")


class TestAThingThatOutlivesItsTransaction:
    def test_held_cursors_are_closed(self, house: PeerHouse, acme: Tenant, neighbour: Tenant):
        for _connection in range(3):
            send(house, acme, "DECLARE loot CURSOR WITH HOLD FOR SELECT name FROM member")
            with refused("34000"):
                send(house, neighbour, "FETCH ALL FROM loot")

    def test_a_prepared_statement_runs_with_the_rights_of_whoever_runs_it(
        self, house: PeerHouse, acme: Tenant, neighbour: Tenant
    ):
        """It may still be there: PostgreSQL plans it anew for another role and path, and checks its rights again."""
        for number in range(3):
            send(house, acme, f"PREPARE named_{number} AS SELECT * FROM {acme.schema}.member")
            send(house, acme, f"PREPARE unnamed_{number} AS SELECT name FROM member")
            with suppress(psycopg.errors.InvalidSqlStatementName), refused(DENIED, "26000"):
                send(house, neighbour, f"EXECUTE named_{number}")
            with suppress(psycopg.errors.InvalidSqlStatementName):
                assert send(house, neighbour, f"EXECUTE unnamed_{number}") == [(canary(neighbour),)]
        send(house, acme, "DEALLOCATE ALL")
        send(house, neighbour, "DEALLOCATE ALL")

    def test_we_prepare_nothing_ourselves(self, house: PeerHouse, acme: Tenant):
        query = "SELECT 1 FROM member WHERE name = %s"
        for _time in range(8):
            with tenant_cursor(house.databases, acme, actor="test") as (cursor, _entered):
                cursor.execute(query, ["x"])
                assert cursor.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)

    def test_a_session_lock_stops_no_work_but_for_the_lock_timeout(
        self, house: PeerHouse, acme: Tenant, umbrella: Tenant
    ):
        """Not walled, only bounded: advisory locks need no right (docs/tenancy.md)."""
        send(house, acme, "SELECT pg_advisory_lock(815)")
        check_unharmed(house, umbrella)
        with pytest.raises(DatabaseAway, match="Somebody else"):
            send(house, umbrella, "SET LOCAL lock_timeout = '20ms'", "SELECT pg_advisory_xact_lock(815)")
        for _connection in range(3):
            send(house, acme, "SELECT pg_advisory_unlock_all()")

    def test_a_notification_reaches_nobody(self, house: PeerHouse, acme: Tenant, umbrella: Tenant):
        """Anybody may send one on any channel; no connection of ours listens, and a LISTEN hears only names."""
        send(house, acme, "NOTIFY anything, 'x'")
        for _connection in range(2):
            assert send(house, umbrella, "SELECT pg_listening_channels()") == []


class TestAnError:
    @pytest.mark.parametrize(
        "broken", ["SELECT 1/0", "SELECT nonsense", "SELECT 1; SELECT 1/0", "ROLLBACK; SELECT 1/0", "SAVEPOINT a"]
    )
    def test_in_the_middle_leaves_nothing(self, house: PeerHouse, acme: Tenant, neighbour: Tenant, broken: str):
        for _connection in range(3):
            with suppress(psycopg.Error):
                send(house, acme, "UPDATE member SET name = 'mallory'", broken, "SELECT 1/0")
            check_unharmed(house, neighbour)
        assert [row.name for row in house.rows(acme, "SELECT name FROM {}.member")] == [canary(acme)]

    def test_that_is_swallowed_does_not_let_the_rest_through(self, house: PeerHouse, acme: Tenant):
        with pytest.raises((DBAPIError, psycopg.Error)), tenant_session(house.databases, acme, actor="x") as (one, _):
            one.execute(text("UPDATE member SET name = 'mallory'"))
            with suppress(DBAPIError):
                one.execute(text("SELECT 1/0"))
            one.execute(text("UPDATE member SET name = 'mallory'"))
        assert [row.name for row in house.rows(acme, "SELECT name FROM {}.member")] == [canary(acme)]

    def test_of_the_statement_timeout_leaves_the_connection_usable(
        self, house: PeerHouse, acme: Tenant, neighbour: Tenant
    ):
        for _connection in range(3):
            with pytest.raises(DatabaseAway):
                send(house, acme, "SET LOCAL statement_timeout = '5ms'", "SELECT pg_sleep(5)")
            check_unharmed(house, neighbour)

    def test_of_a_terminated_server_process_is_not_the_next_ones(
        self, house: PeerHouse, acme: Tenant, neighbour: Tenant
    ):
        with psycopg.connect(house.admin_url, autocommit=True) as admin:
            for _connection in range(3):
                with pytest.raises(DatabaseAway), tenant_cursor(house.databases, acme, actor="x") as (cursor, _entered):
                    row = cursor.execute("SELECT pg_backend_pid()").fetchone()
                    admin.execute("SELECT pg_terminate_backend(%s, 5000)", row)
                    cursor.execute("SELECT 1")
                check_unharmed(house, neighbour)

    def test_in_a_savepoint_keeps_role_and_path(self, house: PeerHouse, acme: Tenant):
        with tenant_session(house.databases, acme, actor="test") as (session, _entered):
            with suppress(DBAPIError), session.begin_nested():
                session.execute(text("SELECT 1/0"))
            row = session.execute(text("SELECT current_user, current_schema(), name FROM member")).one()
        assert tuple(row) == (acme.role, acme.schema, canary(acme))


class TestAConnectionThatMetManyTenants:
    @pytest.fixture
    def few(self, monkeypatch: pytest.MonkeyPatch) -> int:
        monkeypatch.setattr(engines, "SCHEMAS_A_CONNECTION", 2)
        return 2

    @pytest.mark.parametrize("way", ["session", "cursor"])
    def test_is_closed_and_replaced(self, house: PeerHouse, acme: Tenant, neighbour: Tenant, few: int, way: str):
        made = count_connections(house, acme)
        for turn in range(6):
            visit(house, (acme, neighbour)[turn % 2], way)
        assert len(made) == 6 // few

    def test_stays_where_it_meets_one_tenant_again_and_again(self, house: PeerHouse, acme: Tenant, few: int):
        made = count_connections(house, acme)
        for _turn in range(6):
            visit(house, acme, "cursor")
            visit(house, acme, "session")
        assert len(made) == 1

    def test_frees_its_server_process(self, house: PeerHouse, acme: Tenant, neighbour: Tenant, few: int):
        if house.pooled_elsewhere:
            pytest.skip("a bouncer's server processes end by its own server_lifetime (docs/configuration.md)")
        house.databases.cells[CELL].gateways[acme.gateway].dispose()
        seen = [
            send(house, tenant, "SELECT pg_backend_pid()")[0][0]
            for tenant in (acme, acme, neighbour, acme, neighbour, acme)
        ]
        assert len(set(seen)) == 3
        assert seen[0] == seen[1] == seen[2]
        assert seen[3] == seen[4]


def visit(house: PeerHouse, tenant: Tenant, way: str) -> None:
    """One plain transaction."""
    if way == "session":
        with tenant_session(house.databases, tenant, actor="test") as (session, _entered):
            assert session.execute(text("SELECT name FROM member")).scalars().all() == [canary(tenant)]
    else:
        assert send(house, tenant, "SELECT name FROM member") == [(canary(tenant),)]


def count_connections(house: PeerHouse, tenant: Tenant) -> list[object]:
    """The tenant's gateway without any connection; each new one is noted from now on."""
    engine = house.databases.cells[CELL].gateways[tenant.gateway]
    engine.dispose()
    made: list[object] = []
    event.listen(engine, "connect", lambda *_args: made.append(1))
    return made


class TestALie:
    def test_about_the_role_leaves_the_connection_clean(
        self, house: PeerHouse, acme: Tenant, umbrella: Tenant, neighbour: Tenant
    ):
        lie = replace(umbrella, gateway=acme.gateway)
        for _connection in range(3):
            with refused(DENIED):
                send(house, lie, "SELECT 1")
            check_unharmed(house, neighbour)
