"""Compares what every workspace's schema is with what this build would make today: drift, named line by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from psycopg import sql

from tenants.fleet.catalog import facts, fingerprints
from tenants.fleet.owner import Connection, Fleet, asking
from tenants.fleet.replay import grants
from tenants.naming import new_schema_name
from tenants.schema.head import grants_sql, head_sql, tenant_revision

_AT_ONCE = 250  # schemas in one query: some 100,000 facts
_SHOWN = 5  # differences of one schema


class _Slot(NamedTuple):
    schema_name: str
    role_name: str
    revision: str


@dataclass(frozen=True, slots=True)
class Drift:
    """One workspace that is not what it should be."""

    cell: str
    schema: str
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many workspaces were looked at, how many of them are at the head and compared, and what was wrong."""

    looked_at: int
    compared: int
    drifts: tuple[Drift, ...]


def verify(fleet: Fleet) -> Verdict:
    """Look at every claimed schema: its own version beside the cell's copy, its catalog beside a schema made now.

    The tables must have been declared (migrations.records). Changes nothing. Raises DatabaseAway.
    """
    looked_at, compared, drifts = 0, 0, list[Drift]()
    for cell, url in fleet.cell_urls.items():
        with asking(url) as connection:
            rows = [_Slot(*row) for row in connection.execute(_SLOTS)]
            looked_at += len(rows)
            wanted, lines = _fresh(connection, fleet)
            for part in _parts(rows):
                compared += sum(row.revision == fleet.tree.head for row in part)
                drifts += [Drift(cell, *found) for found in _drifted(connection, fleet, part, wanted, lines)]
    return Verdict(looked_at, compared, tuple(drifts))


_SLOTS = "SELECT schema_name, role_name, revision FROM cell.slot WHERE state = 'claimed' ORDER BY schema_name"


def _drifted(
    connection: Connection, fleet: Fleet, rows: Sequence[_Slot], wanted: str, lines: Sequence[str]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    places = {schema: role for schema, role, _ in rows}
    found = fingerprints(connection, places)
    versions = _versions(connection, list(places))
    for schema, role, revision in rows:
        if versions.get(schema) != revision:
            yield schema, (f"the schema is at revision {versions.get(schema)}, the cell says {revision}",)
        elif revision == fleet.tree.head and found.get(schema) != wanted:
            yield schema, tuple(_differences(lines, facts(connection, schema, role)))


def _differences(wanted: Sequence[str], there: Sequence[str]) -> list[str]:
    missing = [f"missing: {each}" for each in wanted if each not in set(there)]
    beyond = [f"not ours: {each}" for each in there if each not in set(wanted)]
    all_of_them = [*missing, *beyond]
    left = len(all_of_them) - _SHOWN
    return all_of_them[:_SHOWN] + ([f"and {left} more"] if left > 0 else [])


def _versions(connection: Connection, schemas: Sequence[str]) -> Mapping[str, str]:
    """What each schema says of itself; a schema that says nothing is left out. Two queries, however many schemas."""
    there = connection.execute(
        "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relname = 'alembic_version' AND c.relkind = 'r' AND n.nspname = ANY(%s)",
        [list(schemas)],
    ).fetchall()
    one = "SELECT {name} AS schema, min(version_num) AS version FROM {schema}.alembic_version"
    asked = [sql.SQL(one).format(name=sql.Literal(row.nspname), schema=sql.Identifier(row.nspname)) for row in there]
    if not asked:
        return {}
    return {row.schema: row.version for row in connection.execute(sql.SQL(" UNION ALL ").join(asked))}


def _fresh(connection: Connection, fleet: Fleet) -> tuple[str, Sequence[str]]:
    """The fingerprint and the facts of a workspace made now. It is never committed: nothing stays of it."""
    schema = new_schema_name()
    role = f"fresh_{schema}"
    begin = sql.SQL("BEGIN; CREATE ROLE {role} NOLOGIN; CREATE SCHEMA {schema}; SET LOCAL search_path = {schema};")
    begun = begin.format(role=sql.Identifier(role), schema=sql.Identifier(schema)).as_string(None)
    parts = [begun, head_sql(), grants_sql(role, schema)]
    for revision in fleet.tree.between(tenant_revision(), fleet.tree.head):
        parts += [revision.script.replace("CONCURRENTLY ", ""), *grants(revision, role)]
    try:
        connection.execute("\n".join(parts).encode())
        return fingerprints(connection, {schema: role})[schema], facts(connection, schema, role)
    finally:
        connection.execute("ROLLBACK")


def _parts(rows: Sequence[_Slot]) -> Iterator[list[_Slot]]:
    left = iter(rows)
    while part := list(islice(left, _AT_ONCE)):
        yield part
