"""Every table of `control` and `cell`, made from the metadata: what an organisation or a tenant may do, and no more."""

# ruff: noqa: S608 - the statements are the attack
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import Table, text

from app.kernel.ids import new_id
from tenants.metadata import CellRecord, ControlRecord
from tenants.schema.policies import control_visibility
from tenants.sessions import partner_session
from tenants.tenant import Tenant
from tests.factories.installation import CELL_TABLES, Partner
from tests.factories.peer_house import PeerHouse
from tests.integration.tenants.attacks.conftest import send
from tests.integration.tenants.attacks.rows import insert, row_of, where
from tests.integration.tenants.conftest import DENIED, refused

CONTROL = ControlRecord.metadata.sorted_tables
CELL = CellRecord.metadata.sorted_tables
EVERYBODYS = [t for t in CONTROL if t.info.get("scope") == "true"]
FUNCTIONS = [t for t in CONTROL if control_visibility(t) is None]
OWNED = [t for t in CONTROL if t not in EVERYBODYS and t not in FUNCTIONS]
FRESH = {"new", "ready", "waiting"}


def by_name(tables: list[Table]) -> pytest.MarkDecorator:
    """One test for each table."""
    return pytest.mark.parametrize("table", tables, ids=lambda table: table.name)


@pytest.fixture(scope="session")
def partners(house: PeerHouse) -> tuple[Partner, Partner]:
    """Two partners side by side."""
    return house.partner("Alpha"), house.partner("Beta")


@pytest.fixture(scope="session")
def writer(house: PeerHouse) -> Iterator[psycopg.Connection[Any]]:
    """Writes rows of `control` that refer to nothing: foreign keys are not what is attacked here."""
    name = house.urls.control_url.split("/")[-1].split("?")[0]
    with psycopg.connect(house.admin_url.replace("/postgres?", f"/{name}?"), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


def ask(house: PeerHouse, organisation: Partner, statement: str) -> Any:
    """Rows, or the number of rows that were changed, in the organisation's scope."""
    with partner_session(house.databases, organisation.id, actor="attack") as (session, _now):
        result = session.connection().exec_driver_sql(statement.replace("%", "%%"))
        return [tuple(row) for row in result] if result.returns_rows else result.rowcount


def theirs(table: Table, writer: psycopg.Connection[Any], other: Partner) -> dict[str, Any]:
    """A row of the other organisation in this table, as its rule understands that."""
    made = row_of(table, organisation_id=other.id, ancestor_id=other.id, descendant_id=other.id)
    if table.name == "organisation":
        made["id"] = other.id
    elif table.name == "org_edge":
        return made  # every organisation has this one
    else:
        writer.execute(insert(table, made) + " ON CONFLICT DO NOTHING")
    if "organisation_id" not in table.c and table.name not in {"organisation", "org_edge"}:
        _tie(table, writer, made, other)
    return made


def _tie(table: Table, writer: psycopg.Connection[Any], row: dict[str, Any], other: Partner) -> None:
    """What belongs to an organisation through others: each table that refers to it gets a row of that organisation."""
    key = next(iter(table.primary_key))
    for referring in CONTROL:
        for column in referring.c:
            if "organisation_id" in referring.c and any(k.column is key for k in column.foreign_keys):
                writer.execute(
                    insert(referring, row_of(referring, organisation_id=other.id) | {column.name: row[key.name]})
                )


class TestATableOfControl:
    def test_is_one_of_three_kinds(self):
        assert {t.name for t in EVERYBODYS + FUNCTIONS + OWNED} == {t.name for t in CONTROL}
        assert all("organisation_id" not in table.c for table in EVERYBODYS)

    @by_name(OWNED)
    def test_shows_and_yields_nothing_of_another_organisation(
        self, house: PeerHouse, partners: tuple[Partner, Partner], writer: psycopg.Connection[Any], table: Table
    ):
        mine, other = partners
        row = theirs(table, writer, other)
        its = where(table, row)
        assert len(ask(house, other, f"SELECT 1 FROM {table.name} WHERE {its}")) == 1
        assert ask(house, mine, f"SELECT 1 FROM {table.name} WHERE {its}") == []
        assert (
            ask(house, mine, f"SELECT 1 FROM {table.name} WHERE ctid IN (SELECT ctid FROM {table.name} WHERE {its})")
            == []
        )
        column = next(iter(table.primary_key)).name
        rights = table.info.get("rights", "SELECT, INSERT, UPDATE")
        verbs = {"UPDATE": f"UPDATE {table.name} SET {column} = {column}", "DELETE": f"DELETE FROM {table.name}"}
        for right, verb in verbs.items():
            if right in rights:
                assert ask(house, mine, f"{verb} WHERE {its}") == 0
            else:
                with refused(DENIED):
                    ask(house, mine, f"{verb} WHERE {its}")
        with refused(DENIED):
            ask(house, mine, f"TRUNCATE {table.name}")
        with refused(DENIED):
            ask(house, mine, insert(table, row_of(table, organisation_id=other.id, ancestor_id=other.id)))
        assert len(ask(house, other, f"SELECT 1 FROM {table.name} WHERE {its}")) == 1

    @by_name(OWNED)
    def test_tells_nothing_by_a_count_or_by_statistics(
        self, house: PeerHouse, partners: tuple[Partner, Partner], writer: psycopg.Connection[Any], table: Table
    ):
        mine, other = partners
        theirs(table, writer, other)
        below = {str(mine.id)}
        if "organisation_id" in table.c:
            seen = ask(house, mine, f"SELECT DISTINCT organisation_id::text FROM {table.name}")
            assert {row[0] for row in seen} <= below
        writer.execute(f"ANALYZE control.{table.name}")
        assert ask(house, mine, f"SELECT 1 FROM pg_stats WHERE tablename = '{table.name}'") == []

    @by_name(EVERYBODYS)
    @pytest.mark.parametrize("verb", ["DELETE FROM {0}", "UPDATE {0} SET {1} = {1}", "TRUNCATE {0}", "insert"])
    def test_for_everybody_is_only_read(
        self, house: PeerHouse, partners: tuple[Partner, Partner], table: Table, verb: str
    ):
        statement = (
            insert(table, row_of(table)) if verb == "insert" else verb.format(table.name, next(iter(table.c)).name)
        )
        with refused(DENIED):
            ask(house, partners[0], statement)

    @by_name(FUNCTIONS)
    @pytest.mark.parametrize("verb", ["SELECT 1 FROM {0}", "UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "insert"])
    def test_for_functions_is_not_touched(
        self, house: PeerHouse, partners: tuple[Partner, Partner], table: Table, verb: str
    ):
        statement = (
            insert(table, row_of(table)) if verb == "insert" else verb.format(table.name, next(iter(table.c)).name)
        )
        with refused(DENIED):
            ask(house, partners[0], statement)


class TestATableOfTheCell:
    def fresh(self, table: Table, tenant_id: object) -> dict[str, Any]:
        """A row as the app makes it: what may be empty is, counters are 0, the state is one that nothing has moved."""
        row = row_of(table, tenant_id=tenant_id)
        for column in table.c:
            if column.nullable:
                row[column.name] = None
            elif column.name in {"attempts", "epoch"}:
                row[column.name] = 0
        return row

    def inserts(self, house: PeerHouse, tenant: Tenant, table: Table, row: dict[str, Any]) -> bool:
        """Whether the tenant's role may add this row in any of the states a fresh row can have."""
        states = FRESH if "state" in table.c else {""}
        for state in sorted(states):
            try:
                send(house, tenant, insert(table, row | ({"state": state} if state else {})))
            except psycopg.errors.InsufficientPrivilege:
                continue
            return True
        return False

    @by_name(CELL)
    def test_takes_fresh_rows_of_the_tenant_itself_or_nothing(
        self, house: PeerHouse, acme: Tenant, umbrella: Tenant, neighbour: Tenant, table: Table
    ):
        for forged in (umbrella.id, neighbour.id, house.platform):
            assert not self.inserts(house, acme, table, self.fresh(table, forged))
        open_to_tenants = house.cell("SELECT has_table_privilege(%s, %s, 'INSERT') AS may", acme.role, table.fullname)[
            0
        ].may
        assert self.inserts(house, acme, table, self.fresh(table, acme.id)) == open_to_tenants
        assert open_to_tenants == (table.name in CELL_TABLES)
        if open_to_tenants:
            house.cell(f"DELETE FROM {table.fullname} WHERE tenant_id = %s", acme.id)

    @by_name(CELL)
    @pytest.mark.parametrize(
        "verb",
        [
            "SELECT 1 FROM {0}",
            "SELECT count(*) FROM {0}",
            "UPDATE {0} SET {1} = {1}",
            "DELETE FROM {0}",
            "TRUNCATE {0}",
            "COPY {0} TO STDOUT",
            "LOCK TABLE {0} IN ACCESS EXCLUSIVE MODE",
            "SELECT * FROM {0} FOR UPDATE",
            "CREATE TRIGGER t BEFORE INSERT ON {0} EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        ],
    )
    def test_is_neither_read_nor_changed(self, house: PeerHouse, acme: Tenant, table: Table, verb: str):
        for start in ("SELECT 1", "RESET ROLE"):
            with refused(DENIED):
                send(house, acme, start, verb.format(table.fullname, next(iter(table.c)).name))

    @by_name(CELL)
    def test_is_under_row_level_security(self, house: PeerHouse, table: Table):
        query = "SELECT relrowsecurity FROM pg_class WHERE oid = %s::regclass"
        assert house.cell(query, table.fullname)[0].relrowsecurity


class TestAPartnersScope:
    @pytest.mark.parametrize(
        "statement",
        [
            "INSERT INTO org_edge VALUES ('{mine}', '{other}', 1)",
            "UPDATE org_edge SET descendant_id = '{other}'",
            "UPDATE org_edge SET ancestor_id = '{mine}' WHERE descendant_id = '{other}'",
            "DELETE FROM org_edge",
            "UPDATE organisation SET id = '{other}' WHERE id = '{mine}'",
            "INSERT INTO organisation SELECT * FROM organisation",
            "CREATE TEMP TABLE org_edge (a int)",
            "CREATE FUNCTION control.organisations_below() RETURNS SETOF uuid LANGUAGE sql AS 'SELECT NULL::uuid'",
            "CREATE VIEW control.loot AS SELECT 1",
            "ALTER TABLE organisation DISABLE ROW LEVEL SECURITY",
            "CREATE POLICY open ON organisation USING (true)",
            "SET LOCAL ROLE slipway",
        ],
    )
    def test_is_not_widened_through_the_tree_or_by_objects(
        self, house: PeerHouse, partners: tuple[Partner, Partner], statement: str
    ):
        mine, other = partners
        with refused(DENIED):
            ask(house, mine, statement.format(mine=mine.id, other=other.id))
        assert ask(house, mine, f"SELECT 1 FROM organisation WHERE id = '{other.id}'") == []

    def test_is_refused_where_row_security_is_switched_off(self, house: PeerHouse, partners: tuple[Partner, Partner]):
        with refused(DENIED), partner_session(house.databases, partners[0].id, actor="attack") as (session, _now):
            session.execute(text("SET LOCAL row_security = off"))
            session.execute(text("SELECT * FROM organisation"))

    def test_sees_nothing_once_its_organisation_is_unset(self, house: PeerHouse, partners: tuple[Partner, Partner]):
        with partner_session(house.databases, partners[0].id, actor="attack") as (session, _now):
            session.execute(text("RESET app.organisation"))
            assert session.execute(text("SELECT count(*) FROM organisation")).scalar_one() == 0

    @pytest.mark.parametrize("login", ["dispatcher", "registry", "slipway", "slipway_superuser"])
    def test_takes_no_other_role(self, house: PeerHouse, partners: tuple[Partner, Partner], login: str):
        with refused(DENIED):
            ask(house, partners[0], f"SET ROLE {getattr(house.key.roles, login, login)}")

    def test_is_no_wall_against_arbitrary_sql(self, house: PeerHouse, partners: tuple[Partner, Partner]):
        """docs/tenancy.md says so: whoever can send any SQL in an organisation's scope can name another one."""
        mine, other = partners
        with partner_session(house.databases, mine.id, actor="attack") as (session, _now):
            session.execute(text(f"SELECT set_config('app.organisation', '{other.id}', true)"))
            assert session.execute(text("SELECT array_agg(id) FROM organisation")).scalar_one() == [other.id]

    def test_has_the_doors_login_under_it_which_may_sign_people_in(
        self, house: PeerHouse, partners: tuple[Partner, Partner]
    ):
        """The other half of that line of docs/tenancy.md: lookups are the doors', and a statement can become them."""
        call = "SELECT control.create_link('\\x00'::bytea, '{0}', '{0}', '/', interval '1 hour')".format(new_id())
        with refused(DENIED):
            ask(house, partners[0], call)
        with partner_session(house.databases, partners[0].id, actor="attack") as (session, _now):
            session.execute(text("RESET ROLE"))
            session.connection().exec_driver_sql(call)
