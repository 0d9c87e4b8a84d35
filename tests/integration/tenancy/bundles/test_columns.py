"""Rows of every type come back as they were, from tables that the code of bundles has never heard of."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    Time,
    Uuid,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import CreateTable

import migrations.records
from app.tenancy.bundles.errors import BundleBroken
from tenants.metadata import CellRecord, TenantRecord
from tenants.moving.portable import PortableTable, portable_tables, read_rows, write_rows
from tenants.sessions import tenant_cursor
from tenants.tenant import Tenant
from tests.factories.bundles import Site
from tests.factories.installation import Installation

_text = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=6,
)
_bigint = st.integers(-(2**63), 2**63 - 1)
_local = st.datetimes(datetime.fromisoformat("0001-01-02"), datetime.fromisoformat("9999-12-30"))
_moments = _local.map(lambda at: at.replace(tzinfo=UTC))
_spans = st.timedeltas(timedelta(days=-(10**6)), timedelta(days=10**6))
COLUMNS: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    'Wörd "q"': (Text(), _text),
    "number": (BigInteger(), _bigint),
    "small": (Integer(), st.integers(-(2**31), 2**31 - 1)),
    "exact": (
        Numeric(),
        st.decimals(allow_infinity=False, allow_nan=False) | st.sampled_from([Decimal("1.10"), Decimal("NaN")]),
    ),
    "float": (Double(), st.floats()),
    "flag": (Boolean(), st.booleans()),
    "raw": (LargeBinary(), st.binary(max_size=40)),
    "at": (DateTime(timezone=True), _moments),
    "local": (DateTime(), _local),
    "day": (Date(), st.dates(date(1, 1, 2))),
    "hour": (Time(), st.times()),
    "span": (Interval(), _spans),
    "who": (Uuid(), st.uuids()),
    "document": (JSONB(), _json.map(Jsonb)),
    "texts": (ARRAY(Text()), st.lists(st.none() | _text, max_size=4)),
    "numbers": (ARRAY(BigInteger(), dimensions=2), st.just([[1, 2], [3, 4]]) | st.just([])),
    "network": (postgresql.INET(), st.ip_addresses().map(str)),
    "stretch": (postgresql.INT4RANGE(), st.just("[1,10)") | st.just("empty")),
}
_row = st.fixed_dictionaries({name: st.none() | values for name, (_type, values) in COLUMNS.items()})


def later_table(metadata: MetaData) -> Table:
    """A table that somebody adds next year."""
    columns = [Column(name, kind) for name, (kind, _values) in COLUMNS.items()]
    return Table("later", metadata, Column("id", Text(), primary_key=True), *columns)


def with_later() -> tuple[PortableTable, ...]:
    """The tables of the product and the later one."""
    metadata = MetaData()
    for table in TenantRecord.metadata.sorted_tables:
        table.to_metadata(metadata)
    later_table(metadata)
    return portable_tables(tenant=metadata)


TABLES = with_later()
LATER = next(table for table in TABLES if table.name == "later")


def create_later(installation: Installation, tenant: Tenant) -> None:
    """What its migration would do."""
    dialect = postgresql.dialect()
    ddl = str(CreateTable(later_table(MetaData())).compile(dialect=dialect)).replace(
        " later ", f" {tenant.schema}.later "
    )
    installation.cell(ddl)
    installation.cell(f"GRANT SELECT, INSERT ON {tenant.schema}.later TO {tenant.role}")


@pytest.fixture(scope="module")
def pair(shared_installation: Installation) -> tuple[Installation, Tenant, Tenant]:
    """Two tenants that both have the later table."""
    one, two = shared_installation.two_customers()
    for tenant in (one, two):
        create_later(shared_installation, tenant)
    return shared_installation, one, two


def insert(cursor: psycopg.Cursor[Any], row: dict[str, Any]) -> None:
    """As some code of the product would."""
    values = {"id": secrets.token_hex(8), **row}
    names = sql.SQL(", ").join(map(sql.Identifier, values))
    cursor.execute(
        sql.SQL("INSERT INTO later ({}) VALUES ({})").format(
            names, sql.SQL(", ").join([sql.Placeholder()] * len(values))
        ),
        list(values.values()),
    )


class TestEveryType:
    @settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(rows=st.lists(_row, min_size=1, max_size=4))
    def test_comes_back(self, pair: tuple[Installation, Tenant, Tenant], rows: list[dict[str, Any]]):
        installation, one, two = pair
        for tenant in (one, two):
            installation.rows(tenant, "DELETE FROM {}.later")
        with tenant_cursor(installation.databases, one, actor="test") as (cursor, _entered):
            for row in rows:
                insert(cursor, row)
        with tenant_cursor(installation.databases, one, actor="test") as (cursor, _entered):
            lines = list(read_rows(cursor, LATER, one.id, skip=0))
        with tenant_cursor(installation.databases, two, actor="test") as (cursor, _entered):
            assert write_rows(cursor, LATER, [line.encode() for line in lines]) == len(rows)
        with tenant_cursor(installation.databases, two, actor="test") as (cursor, _entered):
            assert list(read_rows(cursor, LATER, two.id, skip=0)) == lines
        both = [
            installation.rows(t, 'SELECT later::text COLLATE "C" AS line FROM {}.later later ORDER BY 1')
            for t in (one, two)
        ]
        assert [row.line for row in both[0]] == [row.line for row in both[1]]

    def test_tells_null_from_json_null(self, pair: tuple[Installation, Tenant, Tenant]):
        installation, one, two = pair
        for tenant in (one, two):
            installation.rows(tenant, "DELETE FROM {}.later")
        installation.rows(one, "INSERT INTO {}.later (id, document) VALUES ('a', 'null'), ('b', NULL)")
        with tenant_cursor(installation.databases, one, actor="test") as (cursor, _entered):
            lines = list(read_rows(cursor, LATER, one.id, skip=0))
        with tenant_cursor(installation.databases, two, actor="test") as (cursor, _entered):
            write_rows(cursor, LATER, [line.encode() for line in lines])
        rows = installation.rows(two, "SELECT document IS NULL AS none FROM {}.later ORDER BY id")
        assert [row.none for row in rows] == [False, True]

    @pytest.mark.parametrize(
        "value",
        ["infinity", "-infinity", "0044-03-15 12:00:00 BC", "2026-03-29 02:30:00.000001+02"],
    )
    def test_keeps_moments_that_python_cannot_say(self, pair: tuple[Installation, Tenant, Tenant], value: str):
        installation, one, two = pair
        for tenant in (one, two):
            installation.rows(tenant, "DELETE FROM {}.later")
        installation.rows(
            one,
            "INSERT INTO {}.later (id, at, span) VALUES ('a', %s::timestamptz, '-1 mon +2 days -00:00:03.5')",
            value,
        )
        with tenant_cursor(installation.databases, one, actor="test") as (cursor, _entered):
            lines = list(read_rows(cursor, LATER, one.id, skip=0))
        with tenant_cursor(installation.databases, two, actor="test") as (cursor, _entered):
            write_rows(cursor, LATER, [line.encode() for line in lines])
        texts = [installation.rows(t, "SELECT at::text AS at, span::text AS span FROM {}.later") for t in (one, two)]
        assert texts[0] == texts[1]


class TestLaterTable:
    def test_travels_without_a_change_of_code(self, here: Site, there: Site, tmp_path: Path):
        tenant = here.customer()
        create_later(here.installation, tenant)
        here.installation.rows(
            tenant, "INSERT INTO {}.later (id, number) SELECT n::text, n FROM generate_series(1, 50) n"
        )
        path = tmp_path / "later.bundle"
        here.export(tenant, path, there, tables=TABLES)
        lines = there.opened(path)["tenant/later"]
        assert sorted(int(json.loads(line)["number"]) for line in lines) == list(range(1, 51))
        # The slot that the import will claim has the table as well, as it would after the fleet's migration.
        slot = there.installation.claim(tenant.id)
        create_later(there.installation, replace(tenant, schema=slot.schema, role=slot.role))
        arrived = there.receive(path, here, tables=TABLES).tenant
        [row] = there.installation.rows(arrived, "SELECT count(*) AS rows, sum(number) AS numbers FROM {}.later")
        assert (row.rows, row.numbers) == (50, 1275)

    def test_of_a_bundle_is_refused_where_it_is_unknown(self, here: Site, there: Site, tmp_path: Path):
        tenant = here.customer()
        create_later(here.installation, tenant)
        here.export(tenant, tmp_path / "x", there, tables=TABLES)
        with pytest.raises(BundleBroken, match="later"):
            there.receive(tmp_path / "x", here)


class TestMetadata:
    def test_has_no_table_that_refers_to_itself(self):
        """Rows are written in the order of their keys: a row must not need a later one of its own table."""
        for table in TenantRecord.metadata.sorted_tables:
            assert all(key.column.table is not table for key in table.foreign_keys), table.name

    def test_says_of_each_table_of_the_cell_whether_it_travels(self):
        assert migrations.records.MODULES
        owned = {table.name for table in CellRecord.metadata.sorted_tables if "tenant_id" in table.columns}
        travelling = {table.name for table in portable_tables() if table.group == "cell"}
        # The place itself; what it has had of the workers here; a copy of a listener that travels.
        assert owned - {"slot", "share", "partner_listener"} == travelling
