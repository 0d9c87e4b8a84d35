"""Three trees, one head each; up from nothing, down to nothing, and never apart from the models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from tenants.metadata import CellRecord, ControlRecord, TenantRecord
from tenants.schema.head import head_sql, tenant_revision
from tenants.schema.migrate import TREES, script_config, upgrade
from tests.migrations.conftest import catalog

METADATA = {"control": ControlRecord.metadata, "cell": CellRecord.metadata, "tenant": TenantRecord.metadata}
SCHEMAS = {"control": "control", "cell": "cell", "tenant": "t_aaaaaaaaaaaaaaaa"}
# DESIGN 4 names every table of a tenant; a new one needs a line there and a reason.
DESIGN_TABLES = (
    "workflow deal definition onboarding item journal date_move comment clock exception packet verdict record"
    " member delegation message file connection secret run delivery trail leaf command"
)
MOST_TABLES, MOST_INDEXES = 24, 40

Begin = Callable[[str], Any]


def up(connection: Connection, tree: str, revision: str = "head") -> None:
    upgrade(connection, tree=tree, schema=SCHEMAS[tree], revision=revision)


def down(connection: Connection, tree: str, revision: str) -> None:
    config = script_config(tree)
    config.attributes |= {"connection": connection, "schema": SCHEMAS[tree]}
    command.downgrade(config, revision)


@pytest.mark.parametrize("tree", TREES)
class TestATree:
    def test_has_one_head_and_one_base(self, tree: str):
        scripts = ScriptDirectory.from_config(script_config(tree))
        assert len(scripts.get_heads()) == 1
        assert len(scripts.get_bases()) == 1

    def test_makes_what_the_models_say(self, in_schema: Begin, tree: str):
        def ours(_object: object, name: str | None, kind: str, *_rest: object) -> bool:
            return not (kind == "table" and name == "alembic_version")

        options: dict[str, Any] = {"compare_type": True, "compare_server_default": True, "include_object": ours}
        if tree != "tenant":
            options |= {
                "include_schemas": True,
                "include_name": lambda name, kind, _parents: kind != "schema" or name == tree,
            }
        with in_schema(SCHEMAS[tree]) as connection:
            up(connection, tree)
            context = MigrationContext.configure(connection, opts=options)
            assert compare_metadata(context, METADATA[tree]) == []

    def test_goes_down_to_nothing_and_up_again(self, in_schema: Begin, tree: str):
        with in_schema(SCHEMAS[tree]) as connection:
            up(connection, tree)
            first = catalog(connection, SCHEMAS[tree])
            down(connection, tree, "base")
            assert {row[0] for row in catalog(connection, SCHEMAS[tree])["columns"]} == {"alembic_version"}
            up(connection, tree)
            assert catalog(connection, SCHEMAS[tree]) == first

    def test_goes_step_by_step_as_well_as_at_once(self, in_schema: Begin, tree: str):
        revisions = [script.revision for script in ScriptDirectory.from_config(script_config(tree)).walk_revisions()]
        with in_schema(SCHEMAS[tree]) as connection:
            for revision in reversed(revisions):
                up(connection, tree, revision)
                down(connection, tree, "-1")
                up(connection, tree, revision)
            stepped = catalog(connection, SCHEMAS[tree])
        with in_schema(SCHEMAS[tree]) as connection:
            up(connection, tree)
            assert catalog(connection, SCHEMAS[tree]) == stepped

    def test_does_nothing_the_second_time(self, in_schema: Begin, tree: str):
        with in_schema(SCHEMAS[tree]) as connection:
            up(connection, tree)
            first = catalog(connection, SCHEMAS[tree])
            up(connection, tree)
            assert catalog(connection, SCHEMAS[tree]) == first

    def test_lets_the_application_make_every_value(self, in_schema: Begin, tree: str):
        with in_schema(SCHEMAS[tree]) as connection:
            up(connection, tree)
            found = catalog(connection, SCHEMAS[tree])
        assert [row for row in found["columns"] if row[4] or row[5] or row[6] != "None"] == []
        assert [row for row in found["others"] if row[1] != "I"] == []  # no sequence, view or partition

    def test_touches_no_other_schema(self, in_schema: Begin, tree: str):
        with in_schema(SCHEMAS[tree]) as connection:
            up(connection, tree)
            query = "SELECT c.oid::regclass::text FROM pg_class c WHERE c.oid >= 16384"
            query += " AND c.relnamespace NOT IN (CAST(:schema AS regnamespace), 'pg_toast'::regnamespace)"
            assert connection.execute(text(query), {"schema": SCHEMAS[tree]}).all() == []


class TestTheHeadOfATenant:
    def test_is_what_the_migrations_make(self, in_schema: Begin):
        """A new tenant never runs the tree (tenants/schema/head.py): both ways must end at the same catalog."""
        with in_schema("t_one") as connection:
            connection.connection.cursor().execute(head_sql())
            rendered = catalog(connection, "t_one")
            assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [
                tenant_revision()
            ]
        with in_schema(SCHEMAS["tenant"]) as connection:
            up(connection, "tenant")
            migrated = catalog(connection, SCHEMAS["tenant"])
        assert rendered == migrated

    def test_names_no_schema(self):
        assert "t_" not in head_sql().split("CREATE TABLE")[0]
        assert {table.schema for table in TenantRecord.metadata.tables.values()} == {None}
        assert "server_default" not in head_sql()
        assert " DEFAULT " not in head_sql()

    def test_refers_to_nothing_outside_itself(self):
        keys = [key.target_fullname for t in TenantRecord.metadata.tables.values() for key in t.foreign_keys]
        assert [name for name in keys if name.count(".") != 1] == []

    def test_has_only_tables_that_the_design_names(self, in_schema: Begin):
        with in_schema("t_one") as connection:
            connection.connection.cursor().execute(head_sql())
            query = "SELECT relname FROM pg_class WHERE relnamespace = 't_one'::regnamespace AND relkind = :kind"
            tables = set(connection.execute(text(query), {"kind": "r"}).scalars()) - {"alembic_version"}
            indexes = connection.execute(text(query), {"kind": "i"}).scalars().all()
        assert tables <= set(DESIGN_TABLES.split())
        assert len(DESIGN_TABLES.split()) <= MOST_TABLES
        assert len(indexes) <= MOST_INDEXES, "28 ms and 0.7 MB a tenant (DESIGN 4): say there why one more"


class TestTheRecords:
    def test_hold_every_module_that_declares_a_table_or_a_function(self):
        """What migrations/records.py does not import is not installed: its tables and lookup functions are missing."""
        from migrations.records import MODULES
        from tests.architecture.source import ROOT

        declaring = {
            ".".join(path.relative_to(ROOT).with_suffix("").parts)
            for top in ("app", "tenants")
            for path in (ROOT / top).rglob("*.py")
            if "\ncontrol_function(" in (source := path.read_text()) or "__tablename__" in source
        }
        known = {module.__name__ for module in MODULES} | {"tenants.schema.policies"}  # install imports its own rules
        assert declaring - known == set()
