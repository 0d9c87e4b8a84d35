"""Empty databases and schemas to migrate, and what a catalog says about a schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, text

import migrations.records
from tenants.engines import driver_url
from tests import cluster

assert migrations.records.MODULES
Catalog = dict[str, list[tuple[Any, ...]]]

_CATALOG = {
    "columns": """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
               a.attgenerated, pg_get_expr(d.adbin, d.adrelid), a.attcollation
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relkind = 'r' AND a.attnum > 0
        AND NOT a.attisdropped""",
    "indexes": """
        SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = :schema""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated
        FROM pg_constraint WHERE connamespace = CAST(:schema AS regnamespace)""",
    "others": """
        SELECT c.relname, c.relkind, c.relpersistence FROM pg_class c
        WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relkind NOT IN ('r', 'i')""",
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The owner's address of a database with nothing in it."""
    made = cluster.create_databases()
    yield made.cell_url
    cluster.drop_databases(made)


@pytest.fixture
def in_schema(url: str) -> Iterator[Callable[[str], Any]]:
    """A transaction in a new schema that is rolled back at the end."""
    engine = create_engine(driver_url(url))

    @contextmanager
    def begin(schema: str) -> Iterator[Connection]:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
            connection.execute(text(f"SET LOCAL search_path = {schema}"))
            yield connection
            connection.rollback()

    yield begin
    engine.dispose()


def catalog(connection: Connection, schema: str) -> Catalog:
    """Everything that makes up a schema, without its name: columns, indexes, constraints and whatever else is there."""
    return {
        kind: sorted(
            tuple(str(value).replace(f"{schema}.", "") for value in row)
            for row in connection.execute(text(query), {"schema": schema})
        )
        for kind, query in _CATALOG.items()
    }
