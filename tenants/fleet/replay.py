"""One schema, one revision after the other: script, version in the schema, copy in the cell, in one transaction each.

Killed anywhere, nothing or all of a revision is there; what cannot be in a transaction can be done again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from threading import Event
from typing import Any

import psycopg
from psycopg import sql

from tenants.fleet.owner import Connection
from tenants.fleet.tree import Backfill, Revision, Tree
from tenants.metadata import TenantRecord

# A commit does not wait for the disk here: `make_durable` waits once for all of them. What a crash of the server takes
# back it takes back whole, with its record, so that the ring comes to it again.
_KEY = "hashtextextended('slipway fleet ' || {name}, 0)"
_LIMITS = (
    "SET {local} search_path = {schema}; SET {local} lock_timeout = {patience};"
    " SET {local} statement_timeout = {longest};"
)
# The lock is a statement of its own: what is read after it is read as it is then, not as it was when we began to ask.
_ENTER = (
    f"BEGIN; SET LOCAL synchronous_commit = off; {_LIMITS} SELECT pg_try_advisory_xact_lock({_KEY}) AS held;"
    " SELECT (SELECT version_num FROM alembic_version) AS version, s.revision, s.role_name, f.backfilled"
    " FROM cell.slot s LEFT JOIN cell.fleet_step f USING (schema_name)"
    " WHERE s.schema_name = {name} AND s.state = 'claimed'"
)
_RECORD = (
    "UPDATE alembic_version SET version_num = {to};"
    " UPDATE cell.slot SET revision = {to} WHERE schema_name = {name};"
    " UPDATE cell.fleet_step SET state = {state}, backfilled = NULL, error = NULL, changed_at = now()"
    " WHERE schema_name = {name}; COMMIT"
)
_BATCH = (
    "WITH batch AS (SELECT {key} FROM {table} WHERE {after} ORDER BY {key} LIMIT {size}),"
    " changed AS (UPDATE {table} t SET {change} FROM batch WHERE t.{key} = batch.{key} AND ({pending}) RETURNING 1)"
    " SELECT (SELECT {key}::text FROM batch ORDER BY {key} DESC LIMIT 1) AS last, (SELECT count(*) FROM changed) AS n"
)
_DONE = "UPDATE cell.fleet_step SET state = 'done', error = NULL, changed_at = now() WHERE schema_name = "
_PASSES = 3  # over a table into which somebody still writes what the backfill has to change
BATCH = 500  # rows that one transaction of a backfill looks at
# A lock on a table keeps its users waiting behind us, so we wait briefly; the build of an index lets them pass.
PATIENCE, _PATIENCE_INDEX = "2s", "30s"
_LONGEST, _LONGEST_INDEX = "60s", "1h"


class SchemaBusy(Exception):
    """Somebody else works on this schema, or holds a lock on it: later."""


class SchemaUnfit(Exception):
    """The schema is not what its records say: a person has to look at it."""


@dataclass(frozen=True, slots=True)
class Place:
    """What the database said about a schema when it was entered."""

    version: str
    role: str
    backfilled: str | None


@dataclass(frozen=True, slots=True)
class Replay:
    """The way to a target, to be replayed over one schema after the other."""

    tree: Tree
    target: str
    stop: Event

    def advance(self, connection: Connection, schema: str) -> bool:
        """Bring the schema to the target; False when told to stop on the way.

        Raises SchemaBusy, SchemaUnfit and whatever the database says of a script; nothing half done stays.
        """
        while not self.stop.is_set():
            with _left_clean(connection):
                place = _enter(connection, schema)
                if place is None or not (left := self._left(place)):
                    _send(connection, _DONE + _literal(schema) + "; COMMIT")
                    return True
                if _one_step(connection, schema, place, left[0], last=len(left) == 1):
                    return True
        return False

    def _left(self, place: Place) -> tuple[Revision, ...]:
        """The revisions this schema still lacks."""
        if self.tree.position(place.version) is None:
            raise SchemaUnfit(f"it is at revision {place.version}, which this build does not know")
        return self.tree.between(place.version, self.target)


def make_durable(connection: Connection, schema: str) -> None:
    """All that was committed before, in any schema of the server, outlives a crash when this returns."""
    connection.execute("UPDATE cell.fleet_step SET plan_id = plan_id WHERE schema_name = %s", [schema])


def _one_step(connection: Connection, schema: str, place: Place, revision: Revision, *, last: bool) -> bool:
    """One revision, or one batch of one. True when the schema is at the target."""
    if revision.concurrent:
        connection.execute("ROLLBACK")
        _build(connection, schema, place, revision, last=last)
        return last
    if revision.backfill:
        return _fill(connection, schema, place, revision, last=last) and last
    record = _record(schema, revision.revision, last=last)
    _send(connection, "\n".join([revision.script, *grants(revision, place.role), record]))
    return last


def grants(revision: Revision, role: str) -> list[str]:
    """What the tenant's role may do with tables that a revision makes; append-only ones can be added to and read."""
    known = TenantRecord.metadata.tables
    lines = []
    for table in revision.tables:
        append_only = table in known and known[table].info.get("append_only")
        rights = "SELECT, INSERT" if append_only else "SELECT, INSERT, UPDATE, DELETE"
        lines.append(
            sql.SQL("GRANT {rights} ON {table} TO {role};")
            .format(rights=sql.SQL(rights), table=sql.Identifier(table), role=sql.Identifier(role))
            .as_string(None)
        )
    return lines


@contextmanager
def _left_clean(connection: Connection) -> Iterator[None]:
    """Whatever goes wrong inside, no transaction stays open behind it."""
    try:
        yield
    except BaseException:  # whatever it was, also an interrupt: it goes on up, after the rollback
        if not connection.closed:
            connection.execute("ROLLBACK")
        raise


def _enter(connection: Connection, schema: str) -> Place | None:
    """Begin, take the schema's lock, read where it is. None where it is no workspace any more."""
    cursor = _send(connection, _text(_ENTER, schema, local="LOCAL", patience=PATIENCE, longest=_LONGEST))
    rows = []
    while True:
        rows += [cursor.fetchone()] if cursor.description else []
        if not cursor.nextset():
            break
    held, place = rows
    if held is None or not held.held:
        raise SchemaBusy("another process is at work on it")
    if place is None:
        return None
    if place.version is None or place.version != place.revision:
        raise SchemaUnfit(f"its schema is at revision {place.version}, the cell says {place.revision}")
    return Place(place.version, place.role_name, place.backfilled)


def _fill(connection: Connection, schema: str, place: Place, revision: Revision, *, last: bool) -> bool:
    """One batch, its place noted in the same transaction. True when the table is through and the version moved on."""
    work = revision.backfill
    if work is None:
        raise SchemaUnfit(f"revision {revision.revision} is no backfill")
    number, after = _resumed(place.backfilled, revision)
    row = connection.execute(_batch(work, after).encode()).fetchone()
    if row is not None and row.last is not None:
        _send(connection, _progress(schema, revision, number, row.last))
        return False
    if connection.execute(f"SELECT 1 FROM {work.table} t WHERE {work.pending} LIMIT 1".encode()).fetchone():
        if number >= _PASSES:
            raise SchemaUnfit(f"rows of {work.table} that revision {revision.revision} has to change keep appearing")
        _send(connection, _progress(schema, revision, number + 1, None))
        return False
    _send(connection, _record(schema, revision.revision, last=last))
    return True


def _resumed(noted: str | None, revision: Revision) -> tuple[int, str | None]:
    """Which pass over the table this is, and after which key it goes on."""
    if not noted or not noted.startswith(f"{revision.revision} "):
        return 1, None
    _revision, number, *key = noted.split(" ", 2)
    return int(number), key[0] if key else None


def _progress(schema: str, revision: Revision, number: int, key: str | None) -> str:
    noted = " ".join([revision.revision, str(number), *([key] if key is not None else [])])
    text = "UPDATE cell.fleet_step SET backfilled = {noted}, changed_at = now() WHERE schema_name = {name}; COMMIT"
    return sql.SQL(text).format(noted=sql.Literal(noted), name=sql.Literal(schema)).as_string(None)


def _batch(work: Backfill, after: str | None) -> str:
    key = sql.Identifier(work.key)
    beyond = sql.SQL("true") if after is None else sql.SQL("{} > {}").format(key, sql.Literal(after))
    parts = {"change": work.change, "pending": work.pending}
    return (
        sql.SQL(_BATCH)
        .format(
            key=key,
            table=sql.Identifier(work.table),
            after=beyond,
            size=sql.Literal(BATCH),
            **{name: sql.SQL(text) for name, text in parts.items()},
        )
        .as_string(None)
    )


def _build(connection: Connection, schema: str, place: Place, revision: Revision, *, last: bool) -> None:
    """Indexes beside running work: outside a transaction, each looked at first, since a killed build leaves a ruin."""
    lock = sql.SQL(_KEY).format(name=sql.Literal(schema))
    taken = connection.execute(sql.SQL("SELECT pg_try_advisory_lock({}) AS held").format(lock)).fetchone()
    if taken is None or not taken.held:
        raise SchemaBusy("another process is at work on it")
    try:
        _send(connection, _text(_LIMITS, schema, local="SESSION", patience=_PATIENCE_INDEX, longest=_LONGEST_INDEX))
        for statement in revision.statements:
            index = revision.index_of(statement)
            if index is None or not _is_built(connection, index):
                _send(connection, statement)
        again = _enter(connection, schema)
        if again is None or again.version != place.version:
            raise SchemaBusy("another process has just moved it on")
        _send(connection, _record(schema, revision.revision, last=last))
    finally:
        if not connection.closed:
            if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                connection.execute("ROLLBACK")
            connection.execute("RESET search_path; RESET lock_timeout; RESET statement_timeout")
            connection.execute(sql.SQL("SELECT pg_advisory_unlock({})").format(lock))


def _is_built(connection: Connection, index: str) -> bool:
    """Whether a sound index of that name is there; a ruin is taken away first."""
    row = connection.execute(
        "SELECT i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " WHERE c.relname = %s AND c.relnamespace = current_schema()::regnamespace",
        [index],
    ).fetchone()
    if row is not None and not row.indisvalid:
        connection.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier(index)))
    return row is not None and bool(row.indisvalid)


def _record(schema: str, revision: str, *, last: bool) -> str:
    return _RECORD.format(to=_literal(revision), name=_literal(schema), state=_literal("done" if last else "waiting"))


def _text(statement: str, schema: str, *, local: str, patience: str, longest: str) -> str:
    return statement.format(
        schema=sql.Identifier(schema).as_string(None),
        name=_literal(schema),
        local=local,
        patience=_literal(patience),
        longest=_literal(longest),
    )


@lru_cache(maxsize=64)  # the same few words for thousands of schemas
def _literal(value: str) -> str:
    return sql.Literal(value).as_string(None)


def _send(connection: Connection, statements: str) -> psycopg.Cursor[Any]:
    """Several statements as one message of the simple protocol."""
    return connection.execute(statements.encode())
