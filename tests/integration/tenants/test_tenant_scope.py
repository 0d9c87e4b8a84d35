"""A tenant's transaction: what it cannot reach, whatever SQL gets into it, and that it leaves nothing behind."""

# ruff: noqa: S608, PT012 - the statements are the attack; a scope needs a body to be broken in
from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tenants.metadata import CellRecord, TenantRecord
from tenants.sessions import ScopeMismatch, tenant_cursor, tenant_session
from tenants.tenant import Tenant
from tests.factories.installation import Installation
from tests.integration.tenants.conftest import DENIED, UNKNOWN_TABLE, refused

MEMBER = (
    "INSERT INTO {0}.member (person_id, email, name, role, locale, state, invited_at)"
    " VALUES (gen_random_uuid(), '{1}@example.com', '{1}', 'owner', 'en', 'active', now())"
)
APPEND_ONLY = sorted(t.name for t in TenantRecord.metadata.sorted_tables if t.info.get("append_only"))


def run_as(house: Installation, tenant: Tenant, *statements: str) -> list[tuple[object, ...]]:
    """Send SQL as it is, as an injected statement would be; the rows of the last one."""
    with tenant_cursor(house.databases, tenant, actor="attack") as (cursor, _entered):
        for statement in statements:
            cursor.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


class TestAForgottenScope:
    def test_fails_before_anything_is_read(self, house: Installation, acme: Tenant):
        engine = house.databases.cells["main"].gateways[acme.gateway]
        with pytest.raises(KeyError, match="scope"), Session(engine) as session:
            session.execute(text("SELECT 1"))

    @pytest.mark.parametrize("table", ["trail", "cell.job"])
    def test_reads_nothing_even_past_the_engine(self, house: Installation, acme: Tenant, table: str):
        pooled = house.databases.cells["main"].gateways[acme.gateway].raw_connection()
        try:
            with refused(DENIED, UNKNOWN_TABLE):
                pooled.cursor().execute(f"SELECT * FROM {table}")
            with refused(DENIED):
                pooled.cursor().execute(f"SELECT * FROM {acme.schema}.trail")
        finally:
            pooled.close()


class TestAnotherTenantsSchema:
    @pytest.mark.parametrize("table", [t.name for t in TenantRecord.metadata.sorted_tables])
    def test_is_not_read_by_name(self, house: Installation, acme: Tenant, umbrella: Tenant, table: str):
        with refused(DENIED):
            run_as(house, acme, f'SELECT * FROM {umbrella.schema}."{table}"')

    def test_is_not_written_by_name(self, house: Installation, acme: Tenant, umbrella: Tenant):
        with refused(DENIED):
            run_as(house, acme, MEMBER.format(umbrella.schema, "mallory"))

    def test_is_not_found_along_a_changed_search_path(self, house: Installation, acme: Tenant, umbrella: Tenant):
        with refused(UNKNOWN_TABLE):
            run_as(house, acme, f"SET search_path = {umbrella.schema}", "SELECT * FROM trail")

    def test_is_not_found_in_a_search_path_that_also_names_it(
        self, house: Installation, acme: Tenant, umbrella: Tenant
    ):
        run_as(house, umbrella, MEMBER.format(umbrella.schema, "rightful"))
        path = f"SET search_path = {umbrella.schema}, {acme.schema}"
        assert run_as(house, acme, path, "SELECT * FROM member") == []

    @pytest.mark.parametrize("spelling", ["SET ROLE {}", "SET LOCAL ROLE {}", "SELECT set_config('role', '{}', true)"])
    def test_is_not_entered_by_its_role(self, house: Installation, acme: Tenant, umbrella: Tenant, spelling: str):
        with refused(DENIED):
            run_as(house, acme, spelling.format(umbrella.role))

    @pytest.mark.parametrize("login", ["door", "dispatcher", "registry", "partner"])
    def test_is_not_entered_by_a_platform_role(self, house: Installation, acme: Tenant, login: str):
        with refused(DENIED):
            run_as(house, acme, f"SET ROLE {getattr(house.key.roles, login)}")

    def test_is_not_entered_by_another_session_user(self, house: Installation, acme: Tenant, umbrella: Tenant):
        gateway = house.key.roles.gateway(umbrella.gateway)
        with refused(DENIED):
            run_as(house, acme, f"SET SESSION AUTHORIZATION {gateway}")

    def test_is_not_reached_through_another_buckets_gateway(self, house: Installation, acme: Tenant, umbrella: Tenant):
        lie = replace(umbrella, gateway=acme.gateway)
        with refused(DENIED), tenant_session(house.databases, lie, actor="attack"):
            raise AssertionError("the scope was entered")


class TestALyingDirectory:
    def test_is_caught_before_anything_is_read(self, house: Installation, acme: Tenant, neighbour: Tenant):
        lie = replace(acme, role=neighbour.role, schema=neighbour.schema)
        with pytest.raises(ScopeMismatch), tenant_session(house.databases, lie, actor="attack"):
            raise AssertionError("the scope was entered")
        with pytest.raises(ScopeMismatch), tenant_cursor(house.databases, lie, actor="attack"):
            raise AssertionError("the scope was entered")

    def test_cannot_pair_a_tenants_role_with_anothers_schema(
        self, house: Installation, acme: Tenant, neighbour: Tenant
    ):
        lie = replace(acme, schema=neighbour.schema)
        with refused(UNKNOWN_TABLE):
            run_as(house, lie, "SELECT * FROM trail")

    def test_is_told_when_the_slot_belongs_to_nobody(self, house: Installation, acme: Tenant):
        role, schema = house.free_slot(acme.gateway)
        lie = replace(acme, role=role, schema=schema)
        with pytest.raises(ScopeMismatch), tenant_session(house.databases, lie, actor="attack"):
            raise AssertionError("the scope was entered")
        with pytest.raises(ScopeMismatch), tenant_cursor(house.databases, lie, actor="attack"):
            raise AssertionError("the scope was entered")


class TestATenantsOwnRole:
    @pytest.mark.parametrize("table", APPEND_ONLY)
    @pytest.mark.parametrize("verb", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {}"])
    def test_never_rewrites_what_was_recorded(self, house: Installation, acme: Tenant, table: str, verb: str):
        column = next(iter(TenantRecord.metadata.tables[table].c)).name
        with refused(DENIED):
            run_as(house, acme, verb.format(table, column, column))

    def test_has_the_recorded_tables_that_the_design_names(self):
        assert {"trail", "journal", "command", "verdict"} <= set(APPEND_ONLY)

    @pytest.mark.parametrize("table", [t.name for t in CellRecord.metadata.sorted_tables])
    @pytest.mark.parametrize("verb", ["SELECT * FROM cell.{}", "DELETE FROM cell.{}", "TRUNCATE cell.{}"])
    def test_never_reads_or_empties_what_crosses_tenants(
        self, house: Installation, acme: Tenant, table: str, verb: str
    ):
        with refused(DENIED):
            run_as(house, acme, verb.format(table))

    @pytest.mark.parametrize(
        "statement",
        [
            "CREATE TABLE loot (i int)",
            "CREATE TEMP TABLE trail (i int)",
            "CREATE TABLE public.loot (i int)",
            "CREATE TABLE cell.loot (i int)",
            "CREATE SCHEMA loot",
            "CREATE FUNCTION loot() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "CREATE EXTENSION pg_stat_statements",
            "ALTER TABLE trail ADD COLUMN loot int",
            "ALTER TABLE member DISABLE TRIGGER ALL",
            "DROP TABLE member",
            "CREATE INDEX loot ON member (name)",
            "CREATE TRIGGER loot BEFORE INSERT ON member EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "CREATE ROLE loot",
            "UPDATE alembic_version SET version_num = 'x'",
            "COPY member TO PROGRAM 'cat'",
            "COPY member TO '/tmp/loot'",
            "SELECT pg_read_file('/etc/passwd')",
            "SELECT lo_import('/etc/passwd')",
            "SET session_replication_role = replica",
        ],
    )
    def test_makes_and_changes_no_structure(self, house: Installation, acme: Tenant, statement: str):
        with refused(DENIED):
            run_as(house, acme, statement)

    def test_gives_nobody_else_its_rights(self, house: Installation, acme: Tenant, umbrella: Tenant):
        run_as(house, acme, f"GRANT SELECT ON member TO {umbrella.role}")  # PostgreSQL only warns: no grant option
        with refused(DENIED):
            run_as(house, umbrella, f"SELECT * FROM {acme.schema}.member")

    def test_is_nothing_after_reset_role(self, house: Installation, acme: Tenant):
        for statement in (f"SELECT * FROM {acme.schema}.trail", "SELECT cell.current_tenant()"):
            with refused(DENIED):
                run_as(house, acme, "RESET ROLE", statement)


class TestAPooledConnection:
    @pytest.mark.parametrize(
        "left_behind",
        [
            "SELECT 1",
            "SELECT 1/0",
            "SET search_path = pg_catalog",
            "SET ROLE NONE",
            "SELECT set_config('app.actor', 'somebody', false)",
            "SET statement_timeout = 0",
            "COMMIT",
            "ROLLBACK",
        ],
    )
    def test_starts_the_next_tenant_clean(self, house: Installation, acme: Tenant, neighbour: Tenant, left_behind: str):
        for _pooled in range(3):  # more often than the pool has connections
            with suppress(psycopg.Error):
                run_as(house, acme, left_behind)
            rows = run_as(
                house,
                neighbour,
                "SELECT current_user, current_schema(), current_setting('app.actor'),"
                " current_setting('statement_timeout'), cell.current_tenant()",
            )
            assert rows == [(neighbour.role, neighbour.schema, "attack", "5s", neighbour.id)]

    def test_keeps_role_and_path_after_a_savepoint_is_rolled_back(self, house: Installation, acme: Tenant):
        with tenant_session(house.databases, acme, actor="attack") as (session, _entered):
            with pytest.raises(ZeroDivisionError), session.begin_nested():
                session.execute(text("SELECT 1"))
                raise ZeroDivisionError
            row = session.execute(text("SELECT current_user, current_schema()")).one()
            assert tuple(row) == (acme.role, acme.schema)

    def test_rolls_back_what_an_exception_leaves(self, house: Installation, acme: Tenant):
        with pytest.raises(ZeroDivisionError), tenant_session(house.databases, acme, actor="x") as (session, _entered):
            session.execute(text(MEMBER.format(acme.schema, "ghost")))
            raise ZeroDivisionError
        with pytest.raises(ZeroDivisionError), tenant_cursor(house.databases, acme, actor="x") as (cursor, _entered):
            cursor.execute(MEMBER.format(acme.schema, "ghost").encode())
            raise ZeroDivisionError
        assert house.rows(acme, "SELECT 1 FROM {}.member WHERE name = 'ghost'") == []

    def test_serves_two_tenants_of_one_gateway_from_many_threads(
        self, house: Installation, acme: Tenant, neighbour: Tenant
    ):
        start = threading.Barrier(4)

        def look(tenant: Tenant) -> set[tuple[object, ...]]:
            start.wait()
            question = "SELECT current_user::text, current_schema()::text, cell.current_tenant()"
            return {tuple(run_as(house, tenant, question)[0]) for _turn in range(25)}

        tenants = [acme, neighbour, acme, neighbour]
        with ThreadPoolExecutor(4) as threads:
            seen = list(threads.map(look, tenants))
        assert seen == [{(t.role, t.schema, t.id)} for t in tenants]

    def test_names_no_tenant_outside_a_transaction(self, house: Installation, acme: Tenant):
        pooled = house.databases.cells["main"].gateways[acme.gateway].raw_connection()
        try:
            row = pooled.cursor().execute("SELECT current_user, current_setting('search_path')").fetchone()
            assert row[0] == house.key.roles.gateway(acme.gateway)
            assert acme.schema not in row[1]
        finally:
            pooled.close()
