"""Hostile SQL inside a tenant's transaction that reaches for another tenant: by name, by path, by role, by function."""

# ruff: noqa: S608 - the statements are the attack
from __future__ import annotations

from contextlib import suppress

import psycopg
import pytest

from tenants.metadata import TenantRecord
from tenants.tenant import Tenant
from tests.factories.peer_house import PeerHouse
from tests.integration.tenants.attacks.conftest import canary, send
from tests.integration.tenants.conftest import DENIED, UNKNOWN_TABLE, refused

TABLES = [t.name for t in TenantRecord.metadata.sorted_tables]
UNKNOWN_FUNCTION = "42883"


@pytest.fixture(params=["umbrella", "neighbour"])
def victim(request: pytest.FixtureRequest) -> Tenant:
    """A tenant behind another gateway, and one behind the same."""
    found: Tenant = request.getfixturevalue(request.param)
    return found


class TestAnotherTenantsSchema:
    @pytest.mark.parametrize(
        "statement",
        [
            "SELECT * FROM {0}.member",
            "SELECT count(*) FROM {0}.member",
            "SELECT * FROM member, {0}.member AS other",
            "UPDATE {0}.member SET name = 'mallory'",
            "DELETE FROM {0}.member",
            "INSERT INTO {0}.member SELECT * FROM member",
            "INSERT INTO member SELECT * FROM {0}.member",
            "MERGE INTO {0}.member m USING member s ON m.email = s.email WHEN MATCHED THEN DELETE",
            "LOCK TABLE {0}.member IN ACCESS SHARE MODE",
            "COPY {0}.member TO STDOUT",
            "EXPLAIN ANALYZE SELECT * FROM {0}.member",
            "SELECT * FROM {0}.member WHERE ctid = '(0,1)'",
            "SELECT '{0}.member'::regclass::text, nextval('{0}.member')",
            "SELECT pg_relation_size('{0}.member'), lo_get(0), (SELECT 1 FROM {0}.member)",
            "ANALYZE {0}.member, nonsense",
            "DO $$ BEGIN PERFORM * FROM {0}.member; END $$",
            "SELECT query_to_xml('SELECT * FROM {0}.member', true, false, '')",
            "SELECT ts_stat('SELECT to_tsvector(name) FROM {0}.member')",
            "SELECT * FROM member WHERE 1 = (SELECT 1 FROM {0}.member)",
            "WITH taken AS (DELETE FROM {0}.member RETURNING *) SELECT * FROM taken",
            "PREPARE theft AS SELECT * FROM {0}.member",
            "DECLARE theft CURSOR WITH HOLD FOR SELECT * FROM {0}.member",
        ],
    )
    def test_is_neither_read_nor_written(self, house: PeerHouse, acme: Tenant, victim: Tenant, statement: str):
        with refused(DENIED, UNKNOWN_TABLE):
            send(house, acme, statement.format(victim.schema))
        assert [row.name for row in house.rows(victim, "SELECT name FROM {}.member")] == [canary(victim)]

    @pytest.mark.parametrize("table", TABLES)
    def test_is_closed_table_by_table(self, house: PeerHouse, acme: Tenant, victim: Tenant, table: str):
        with refused(DENIED):
            send(house, acme, f'SELECT * FROM {victim.schema}."{table}"')

    def test_hides_what_its_planner_knows(self, house: PeerHouse, acme: Tenant, victim: Tenant):
        house.cell(f"ANALYZE {victim.schema}.member")
        seen = send(house, acme, f"SELECT * FROM pg_stats WHERE schemaname = '{victim.schema}'")
        assert seen == []


class TestASearchPath:
    @pytest.mark.parametrize(
        "path", ["{1}", "{1}, {0}", '"$user", {1}', "pg_temp, {1}", "pg_catalog, {1}", "cell, {1}", "public, {1}"]
    )
    @pytest.mark.parametrize("how", ["SET search_path = {}", "SET LOCAL search_path = {}", "set_config"])
    def test_leads_to_nobody_else(self, house: PeerHouse, acme: Tenant, victim: Tenant, path: str, how: str):
        named = path.format(acme.schema, victim.schema)
        change = f"SELECT set_config('search_path', '{named}', false)" if how == "set_config" else how.format(named)
        seen = None
        with suppress(psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege):
            seen = send(house, acme, change, "SELECT name FROM member")
        assert seen in (None, [(canary(acme),)])

    @pytest.mark.parametrize(
        "shadow",
        [
            "CREATE TEMP TABLE member (name text)",
            "CREATE TABLE pg_temp.member (name text)",
            "CREATE TEMP VIEW member AS SELECT 1",
            "CREATE FUNCTION pg_temp.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz'",
            "CREATE FUNCTION {0}.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz'",
            "CREATE FUNCTION {0}.current_setting(text) RETURNS text LANGUAGE sql AS 'SELECT ''x'''",
            "CREATE FUNCTION cell.enter() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "CREATE OPERATOR {0}.= (FUNCTION = texteq, LEFTARG = text, RIGHTARG = text)",
            "CREATE TYPE {0}.text AS (a int)",
            "CREATE DOMAIN {0}.uuid AS text",
            "CREATE CAST (uuid AS int) WITH INOUT",
            "CREATE VIEW {0}.member2 AS SELECT 1",
            "CREATE RULE steal AS ON INSERT TO member DO ALSO NOTHING",
            "CREATE POLICY open ON member USING (true)",
            "CREATE AGGREGATE {0}.sum (int) (SFUNC = int4pl, STYPE = int)",
        ],
    )
    def test_is_shadowed_by_nothing_of_the_tenants_own(self, house: PeerHouse, acme: Tenant, shadow: str):
        with refused(DENIED, "42501", "42809"):
            send(house, acme, shadow.format(acme.schema))

    def test_of_our_own_functions_is_their_own(self, house: PeerHouse):
        query = (
            "SELECT proname FROM pg_proc WHERE pronamespace = 'cell'::regnamespace AND prosecdef"
            " AND NOT ('search_path=cell, pg_temp' = ANY (proconfig))"
        )
        assert house.cell(query) == []


class TestAnotherRole:
    @pytest.mark.parametrize("how", ["SET ROLE {}", "SET LOCAL ROLE {}", "SELECT set_config('role', '{}', true)"])
    @pytest.mark.parametrize("who", ["umbrella", "door", "dispatcher", "registry", "partner", "owner", "superuser"])
    def test_is_not_taken(self, house: PeerHouse, acme: Tenant, umbrella: Tenant, who: str, how: str):
        known = {"umbrella": umbrella.role, "owner": "slipway", "superuser": "slipway_superuser"}
        role = known[who] if who in known else getattr(house.key.roles, who)
        with refused(DENIED):
            send(house, acme, how.format(role))
        with refused(DENIED):
            send(house, acme, "RESET ROLE", how.format(role))

    @pytest.mark.parametrize("who", ["umbrella", "dispatcher", "registry", "slipway", "slipway_superuser"])
    def test_is_not_taken_by_another_session_user(self, house: PeerHouse, acme: Tenant, umbrella: Tenant, who: str):
        known = {"umbrella": house.key.roles.gateway(umbrella.gateway)}
        role = known.get(who) or getattr(house.key.roles, who, who)
        with refused(DENIED):
            send(house, acme, f"SET SESSION AUTHORIZATION {role}")

    @pytest.mark.parametrize(
        "statement",
        [
            "SELECT * FROM {0}.member",
            "SELECT * FROM {1}.member",
            "SELECT * FROM cell.enter()",
            "SELECT cell.current_tenant()",
            "TABLE cell.slot",
        ],
    )
    @pytest.mark.parametrize("way", ["RESET ROLE", "SET ROLE NONE", "SET SESSION AUTHORIZATION DEFAULT"])
    def test_is_nobody_after_a_reset(self, house: PeerHouse, acme: Tenant, neighbour: Tenant, way: str, statement: str):
        with refused(DENIED):
            send(house, acme, way, statement.format(acme.schema, neighbour.schema))

    def test_is_back_after_a_savepoint(self, house: PeerHouse, acme: Tenant):
        steps = ["SAVEPOINT s", "RESET ROLE", "SET LOCAL search_path = pg_catalog", "ROLLBACK TO s"]
        rows = send(house, acme, *steps, "SELECT current_user::text, current_schema()::text, name FROM member")
        assert rows == [(acme.role, acme.schema, canary(acme))]


class TestWhatIsNotWalled:
    """docs/tenancy.md says so: these tests keep that page honest, and fail when a wall is put there."""

    def test_is_a_neighbour_of_the_same_gateway_whose_role_arbitrary_sql_takes(
        self, house: PeerHouse, acme: Tenant, neighbour: Tenant
    ):
        rows = send(house, acme, f"SET LOCAL ROLE {neighbour.role}", f"SELECT name FROM {neighbour.schema}.member")
        assert rows == [(canary(neighbour),)]

    def test_is_the_founder_who_tells_a_known_tenants_place_but_opens_no_table(
        self, house: PeerHouse, acme: Tenant, umbrella: Tenant
    ):
        become = f"SET LOCAL ROLE {house.key.roles.founder}"
        place = f"SELECT schema_name FROM cell.claim('{umbrella.id}', 'customer', 1, '{{}}', 'x', NULL)"
        assert send(house, acme, become, place) == [(umbrella.schema,)]
        for closed in (f"SELECT * FROM {umbrella.schema}.member", "TABLE cell.tenant", "TABLE cell.slot"):
            with refused(DENIED):
                send(house, acme, become, closed)

    def test_are_the_opaque_names_of_schemas_tables_and_roles(self, house: PeerHouse, acme: Tenant, umbrella: Tenant):
        assert send(house, acme, f"SELECT 1 FROM pg_namespace WHERE nspname = '{umbrella.schema}'") == [(1,)]
        assert send(house, acme, f"SELECT 1 FROM pg_roles WHERE rolname = '{umbrella.role}'") == [(1,)]
        named = f"SELECT count(*) FROM pg_class WHERE relnamespace = '{umbrella.schema}'::regnamespace"
        assert int(str(send(house, acme, named)[0][0])) > len(TABLES)

    def test_are_rough_sizes_of_other_tenants_tables(self, house: PeerHouse, acme: Tenant, umbrella: Tenant):
        named = f"SELECT pg_relation_size(oid) FROM pg_class WHERE relnamespace = '{umbrella.schema}'::regnamespace"
        assert len(send(house, acme, named)) > len(TABLES)

    def test_is_no_readable_text_of_another_gateways_statements(self, house: PeerHouse, acme: Tenant, umbrella: Tenant):
        send(house, umbrella, "SELECT 'secret of umbrella'")
        for start in ("SELECT 1", "RESET ROLE"):
            seen = send(house, acme, start, "SELECT query FROM pg_stat_activity WHERE query LIKE '%secret of%'")
            assert [row for row in seen if "pg_stat_activity" not in str(row[0])] == []
