"""`control`: an organisation sees itself and what is below it; a lookup calls functions and sees no table."""

# ruff: noqa: S608 - the statements are the attack
from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from app.kernel.ids import new_id
from tenants.metadata import ControlRecord, control_functions
from tenants.schema.policies import control_visibility
from tenants.sessions import lookup_session, partner_session
from tests import cluster
from tests.factories.installation import Installation
from tests.integration.tenants.conftest import DENIED, refused

TABLES = {t.name: t for t in ControlRecord.metadata.sorted_tables}
BY_ORGANISATION = sorted(n for n, t in TABLES.items() if "organisation_id" in t.c and "scope" not in t.info)
FUNCTIONS_ONLY = sorted(n for n, t in TABLES.items() if control_visibility(t) is None)
# Rules of their own, each with a test of its own below.
SPECIAL = {"organisation", "org_edge", "person", "cell", "plan"}
_VALUES: dict[type, Any] = {int: 1, str: "x", bool: False, datetime: datetime(2026, 1, 1, tzinfo=UTC)}


class Tree(NamedTuple):
    """Organisations as seen from `mine`."""

    above: UUID
    mine: UUID
    below: UUID
    foreign: UUID


@pytest.fixture(scope="module")
def tree(house: Installation) -> Tree:
    mine = house.partner("Northwind").id
    return Tree(house.platform, mine, house.partner("Reseller", parent=mine).id, house.partner("Contoso").id)


@pytest.fixture(scope="module")
def superuser(house: Installation) -> Iterator[psycopg.Connection[Any]]:
    """Writes rows without what they refer to: foreign keys are not what is tested here."""
    admin = cluster.cluster().servers.admin_url
    name = cluster.name_of(house.urls.control_url)
    with psycopg.connect(admin.replace("/postgres?", f"/{name}?"), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


def row_of(table: Table, **given: Any) -> dict[str, Any]:
    """Any row that the columns' types allow."""
    row = {}
    for column in table.c:
        kind = column.type.python_type
        made: Any = "{}" if isinstance(column.type, JSONB) else _VALUES.get(kind)
        if kind is UUID:
            made = new_id()
        elif isinstance(column.type, Text):
            made = secrets.token_hex(6)
        elif kind is bytes:
            made = secrets.token_hex(16).encode()
        row[column.name] = made
    return row | given


def insert(table: Table, row: dict[str, Any]) -> sql.Composed:
    return sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING").format(
        sql.Identifier("control", table.name),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(map(sql.Literal, row.values())),
    )


def seen_by(house: Installation, organisation_id: UUID, statement: str) -> list[tuple[Any, ...]]:
    with partner_session(house.databases, organisation_id, actor="test") as (session, _now):
        return [tuple(row) for row in session.execute(text(statement))]


def run_as(house: Installation, organisation_id: UUID, statement: str) -> None:
    with partner_session(house.databases, organisation_id, actor="test") as (session, _now):
        session.connection().exec_driver_sql(statement)


class TestEveryControlTable:
    def test_has_a_rule_or_is_for_functions_only(self):
        assert set(BY_ORGANISATION) | set(FUNCTIONS_ONLY) | SPECIAL == set(TABLES)

    def test_that_is_for_functions_only_says_so(self):
        assert [n for n in FUNCTIONS_ONLY if TABLES[n].info.get("scope") != "functions"] == []

    @pytest.mark.parametrize("name", TABLES)
    def test_is_under_row_level_security_with_a_policy_for_the_partner_or_none(self, house: Installation, name: str):
        query = "SELECT relrowsecurity FROM pg_class WHERE oid = %s::regclass"
        assert house.control(query, f"control.{name}")[0].relrowsecurity
        query = "SELECT roles::text[] AS roles FROM pg_policies WHERE schemaname = 'control' AND tablename = %s"
        policies = [row.roles for row in house.control(query, name)]
        assert policies == ([] if name in FUNCTIONS_ONLY else [[house.key.roles.partner]])

    @pytest.mark.parametrize("name", TABLES)
    def test_is_closed_to_everybody_but_the_partner(self, house: Installation, name: str):
        query = (
            "SELECT DISTINCT a.grantee::regrole::text AS name FROM pg_class c, aclexplode(c.relacl) a"
            " WHERE c.oid = %s::regclass AND a.grantee <> c.relowner"
        )
        granted = {row.name for row in house.control(query, f"control.{name}")}
        assert granted == (set() if name in FUNCTIONS_ONLY else {house.key.roles.partner})


class TestAnOrganisationsScope:
    @pytest.mark.parametrize("name", BY_ORGANISATION)
    def test_sees_its_rows_and_those_below_only(
        self, house: Installation, tree: Tree, superuser: psycopg.Connection[Any], name: str
    ):
        for organisation_id in tree:
            superuser.execute(insert(TABLES[name], row_of(TABLES[name], organisation_id=organisation_id)))
        statement = f"SELECT DISTINCT organisation_id FROM {name}"
        assert {row[0] for row in seen_by(house, tree.mine, statement)} == {tree.mine, tree.below}
        assert {row[0] for row in seen_by(house, tree.below, statement)} == {tree.below}
        assert set(tree) <= {row[0] for row in seen_by(house, tree.above, statement)}
        assert seen_by(house, new_id(), statement) == []

    @pytest.mark.parametrize("name", BY_ORGANISATION)
    @pytest.mark.parametrize("whose", ["above", "foreign"])
    def test_writes_no_row_for_others(self, house: Installation, tree: Tree, name: str, whose: str):
        row = row_of(TABLES[name], organisation_id=getattr(tree, whose))
        with refused(DENIED), partner_session(house.databases, tree.mine, actor="test") as (session, _now):
            session.connection().exec_driver_sql(insert(TABLES[name], row).as_string())

    @pytest.mark.parametrize("name", BY_ORGANISATION)
    def test_gives_no_row_away(self, house: Installation, tree: Tree, superuser: psycopg.Connection[Any], name: str):
        superuser.execute(insert(TABLES[name], row_of(TABLES[name], organisation_id=tree.mine)))
        with refused(DENIED):
            run_as(house, tree.mine, f"UPDATE {name} SET organisation_id = '{tree.foreign}'")

    def test_sees_its_branch_of_the_tree_only(self, house: Installation, tree: Tree):
        assert {row[0] for row in seen_by(house, tree.mine, "SELECT id FROM organisation")} == {tree.mine, tree.below}
        edges = set(seen_by(house, tree.mine, "SELECT ancestor_id, descendant_id FROM org_edge"))
        assert edges == {(tree.mine, tree.mine), (tree.mine, tree.below), (tree.below, tree.below)}

    def test_never_grafts_another_branch_onto_its_own(self, house: Installation, tree: Tree):
        with refused(DENIED):
            run_as(house, tree.mine, f"INSERT INTO org_edge VALUES ('{tree.mine}', '{tree.foreign}', 1)")
        with refused(DENIED):
            run_as(house, tree.mine, f"UPDATE org_edge SET descendant_id = '{tree.foreign}' WHERE depth = 1")
        assert seen_by(house, tree.mine, f"SELECT 1 FROM organisation WHERE id = '{tree.foreign}'") == []

    def test_sees_people_of_its_organisations_and_tenants_only(self, house: Installation, tree: Tree):
        people = {name: new_id() for name in ("staff", "customer", "foreign", "boss", "nobody")}
        for name, one in people.items():
            house.control(
                "INSERT INTO control.person (id, email, name, locale, made_at) VALUES (%s, %s, %s, 'en', now())",
                *(one, f"{name}-{one}@example.com", name),
            )
        for name, organisation in (("staff", tree.below), ("foreign", tree.foreign), ("boss", tree.above)):
            house.control(
                "INSERT INTO control.assignment (id, person_id, organisation_id, role, made_at)"
                " VALUES (%s, %s, %s, 'csm', now())",
                *(new_id(), people[name], organisation),
            )
        tenant = house.tenant(tree.mine, "Acme", kind="customer")
        house.control(
            "INSERT INTO control.membership (person_id, tenant_id, organisation_id, made_at)"
            " VALUES (%s, %s, %s, now())",
            *(people["customer"], tenant.id, tree.mine),
        )
        assert {row[0] for row in seen_by(house, tree.mine, "SELECT name FROM person")} == {"staff", "customer"}

    @pytest.mark.parametrize("verb", ["INSERT INTO cell VALUES ('x', 1, 'open', now())", "DELETE FROM person"])
    def test_only_reads_what_it_does_not_own(self, house: Installation, tree: Tree, verb: str):
        with refused(DENIED):
            run_as(house, tree.mine, verb)

    @pytest.mark.parametrize("name", FUNCTIONS_ONLY)
    def test_never_touches_what_is_for_functions(self, house: Installation, tree: Tree, name: str):
        with refused(DENIED):
            run_as(house, tree.mine, f"SELECT * FROM {name}")

    def test_leaves_nothing_for_the_next(self, house: Installation, tree: Tree):
        seen_by(house, tree.mine, "SELECT 1")
        with lookup_session(house.databases) as (session, _now):
            row = session.execute(text("SELECT current_user, current_setting('app.organisation', true)")).one()
        assert tuple(row) in {(house.key.roles.door, ""), (house.key.roles.door, None)}

    def test_calls_no_lookup(self, house: Installation, tree: Tree):
        own = {name for name, function in control_functions.items() if function.partner}
        # Each looks at the scope it is called in; those of directories are attacked in identity/scim/test_scope.py,
        # those of the marketplace in marketplace/test_offering.py.
        assert own == {
            "may_see_listing",
            "search_listings",
            "read_listing",
            "list_installed",
            "listing_package",
            "listing_words",
            "listing_holders",
            "listing_checks",
            "list_held",
            "list_ends",
            "count_installs",
            "organisations_below",
            "exceeded_quota",
            "end_person_sessions",
            "end_sso_sessions",
            "take_person",
        }
        for name in sorted(set(control_functions) - own):
            arguments = control_functions[name].arguments
            nulls = ", ".join(f"NULL::{a.split()[1]}" for a in arguments.split(",")) if arguments else ""
            with refused(DENIED):
                run_as(house, tree.mine, f"SELECT control.{name}({nulls})")


class TestALookup:
    @pytest.mark.parametrize("name", TABLES)
    @pytest.mark.parametrize("verb", ["SELECT * FROM {}", "DELETE FROM {}"])
    def test_sees_and_touches_no_table(self, house: Installation, name: str, verb: str):
        with refused(DENIED), lookup_session(house.databases) as (session, _now):
            session.connection().exec_driver_sql(verb.format(f"control.{name}"))

    def test_makes_nothing(self, house: Installation):
        for statement in ("CREATE TABLE control.x (i int)", "CREATE TEMP TABLE x (i int)", "CREATE SCHEMA x"):
            with refused(DENIED), lookup_session(house.databases) as (session, _now):
                session.connection().exec_driver_sql(statement)

    def test_may_call_every_declared_function(self, house: Installation):
        query = "SELECT has_function_privilege(%s, p.oid, 'EXECUTE') AS may, proname FROM pg_proc p"
        query += " WHERE pronamespace = 'control'::regnamespace"
        found = {row.proname: row.may for row in house.control(query, house.key.roles.door)}
        assert found == dict.fromkeys(control_functions, True)

    def test_functions_run_with_a_search_path_of_their_own(self, house: Installation):
        query = "SELECT proname FROM pg_proc WHERE pronamespace = 'control'::regnamespace AND prosecdef"
        query += " AND NOT ('search_path=control, pg_temp' = ANY (proconfig))"
        assert house.control(query) == []
