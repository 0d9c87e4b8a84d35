"""What the database is made of: the tables of a tenant, their number, and one head in each tree of revisions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Integer, MetaData, PrimaryKeyConstraint, Table, UniqueConstraint

from tests.architecture.source import ROOT, none

TREES = ("control", "cell", "tenant")
TABLES = {
    *("workflow", "deal", "definition", "onboarding", "item", "journal", "date_move", "clock"),
    *("comment", "exception"),
    *("packet", "verdict", "record", "member", "delegation", "message", "file"),
    *("connection", "secret", "run", "delivery", "trail", "leaf", "command"),
}
TABLE_WALL = 24
INDEX_WALL = 40


def heads(folder: Path) -> list[str]:
    """The revisions that nothing follows."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", str(folder))
    return ScriptDirectory.from_config(config).get_heads()


def telling_keys(table: Table) -> Iterator[str]:
    """Unique keys of a table that all tenants of a cell share, where they do not start with the tenant."""
    keys = [c for c in table.constraints if isinstance(c, UniqueConstraint | PrimaryKeyConstraint)]
    for key in [*keys, *(index for index in table.indexes if index.unique)]:
        first = next(iter(key.columns)).name
        if first != "tenant_id":
            yield f"{table.name}: a unique key starts with {first}"


@pytest.fixture(scope="module")
def tenant_tables():
    from migrations.records import MODULES
    from tenants.metadata import TenantRecord

    assert MODULES
    return TenantRecord.metadata.tables


class TestHeads:
    """Two heads in one tree is two engineers who each think theirs is the schema."""

    @pytest.mark.parametrize("tree", TREES)
    def test_are_one_in_each_tree(self, tree):
        found = heads(ROOT / f"migrations/{tree}/versions")
        assert len(found) == 1, f"{tree}: {found}"

    def test_that_are_two_are_noticed(self, tmp_path):
        for name in ("a", "b"):
            text = f'"""{name}"""\nrevision = "{name}"\ndown_revision = None\ndef upgrade(): ...\n'
            (tmp_path / f"{name}.py").write_text(text)
        assert sorted(heads(tmp_path)) == ["a", "b"]


class TestRevisions:
    """A revision is found by its date, not by a random hash; one that cannot be sorted cannot be reviewed in order."""

    @pytest.mark.parametrize("tree", TREES)
    def test_are_named_by_date_and_effect(self, tree):
        names = [
            path.name for path in (ROOT / f"migrations/{tree}/versions").glob("*.py") if path.name != "__init__.py"
        ]
        pattern = re.compile(r"\d{4}_\d{2}_\d{2}_\d{4}_[a-z0-9_]+\.py")
        none(
            f"{tree}/{name}: name it 2026_09_01_1030_add_partner_plan.py"
            for name in names
            if not pattern.fullmatch(name)
        )


class TestTenantTables:
    """10,000 tenants pay for each table and index 10,000 times: 28 ms and 0.7 MB a tenant were measured, linear."""

    def test_are_those_the_design_names(self, tenant_tables):
        none(
            f"{name}: a new table needs a line and a reason in the design"
            for name in sorted(set(tenant_tables) - TABLES)
        )

    def test_stay_within_their_number(self, tenant_tables):
        assert len(tenant_tables) <= TABLE_WALL

    def test_carry_few_indexes(self, tenant_tables):
        indexes = sum(1 + len(table.indexes) for table in tenant_tables.values())
        uniques = sum(type(c).__name__ == "UniqueConstraint" for t in tenant_tables.values() for c in t.constraints)
        assert indexes + uniques <= INDEX_WALL

    def test_refer_to_nothing_outside_the_tenant(self, tenant_tables):
        keys = [key for table in tenant_tables.values() for key in table.foreign_keys]
        none(f"{key.parent}: refers to {key.target_fullname}" for key in keys if key.target_fullname.count(".") != 1)


class TestCellTables:
    """Unique keys that did not start with the tenant would tell one tenant about another's rows by their conflicts."""

    def test_start_every_unique_key_with_the_tenant(self):
        from migrations.records import MODULES
        from tenants.metadata import CellRecord

        assert MODULES
        owned = [t for t in CellRecord.metadata.tables.values() if "tenant_id" in t.columns and t.name != "slot"]
        none(offence for table in owned for offence in telling_keys(table))

    def test_that_do_not_are_noticed(self):
        columns = (Column("id", Integer, primary_key=True), Column("tenant_id", Integer), Column("key", Integer))
        told = list(telling_keys(Table("x", MetaData(), *columns, UniqueConstraint("tenant_id", "key"))))
        assert told == ["x: a unique key starts with id"]
