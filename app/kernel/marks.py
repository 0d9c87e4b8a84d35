"""The marks of a change (trail, outbox, jobs, timers, command key), written with one statement right before COMMIT.

Measured, the ORM here costs three quarters of the throughput (DESIGN 3); and one statement is one round trip.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from sqlalchemy.orm import Session

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TrailFacts:
    """One trail entry before its leaf is made. `personal` names the body fields that hold personal values."""

    id: UUID
    tenant_id: UUID
    at: datetime
    actor_kind: str
    actor_id: UUID
    actor_name: str
    on_behalf_of: UUID | None
    action: str
    subject_kind: str
    subject_id: UUID
    onboarding_id: UUID | None
    reason: str | None
    trace_id: str
    body: dict[str, object]
    personal: frozenset[str]


@dataclass(frozen=True, slots=True)
class MadeLeaf:
    """What a trail entry gets beside its facts: salt and leaf hash in hex, and the commitments of what is personal."""

    salt: str
    leaf_hash: str
    personal: dict[str, Any]


def _insert(table: str, columns: str, *, once: bool = False) -> str:
    tail = " ON CONFLICT DO NOTHING" if once else ""
    source = f"jsonb_populate_recordset(NULL::{table}, %({table.removeprefix('cell.')})s::jsonb)"
    return f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {source}{tail}"  # noqa: S608 - constants below


_STATEMENTS = {
    "trail": _insert(
        "trail",
        "id, at, actor_kind, actor_id, actor_name, on_behalf_of, action, subject_kind, subject_id, onboarding_id,"
        " reason, trace_id, body, salt, leaf_hash, personal",
    ),
    "trail_mark": _insert("cell.trail_mark", "tenant_id, id, entries, made_at"),
    "outbox": _insert("cell.outbox", "tenant_id, id, type, lane, lane_seq, state, trace_id, created_at"),
    "job": _insert(
        "cell.job",
        "tenant_id, id, kind, queue, args, lane, lane_seq, dedupe_key, run_at, state, attempts, epoch, worker,"
        " lease_until, last_error, trace_id, created_at, finished_at",
        once=True,
    ),
    "timer": _insert(
        "cell.timer",
        "tenant_id, id, kind, subject_id, version, args, due_at, state, trace_id, created_at, fired_at",
    ),
    "command": _insert("command", "key, fingerprint, result, at"),
    "journal": _insert("journal", "onboarding_id, seq, at, actor_kind, actor_id, event, commands"),
    "date_move": _insert("date_move", "onboarding_id, seq, item_key, was, becomes, cause, cause_item"),
}


@dataclass(slots=True)
class Marks:
    """Rows gathered during a unit of work, by table; columns as in the statements above."""

    rows: dict[str, list[Row]] = field(default_factory=dict)

    def add(self, table: str, row: Row) -> None:
        """Remember one row for the end of the transaction."""
        self.rows.setdefault(table, []).append(row)

    def copy(self) -> Marks:
        """The rows gathered so far, to go back to."""
        return Marks({table: list(rows) for table, rows in self.rows.items()})

    def write(self, session: Session) -> None:
        """Write all rows with one statement: each table's insert is a part of one WITH."""
        tables = [name for name in _STATEMENTS if self.rows.get(name)]
        if not tables:
            return
        parts = ", ".join(f"_{name} AS ({_STATEMENTS[name]})" for name in tables)
        values = {name: as_json(self.rows[name]) for name in tables}
        driver_of(session).execute(f"WITH {parts} SELECT 1".encode(), values)


def as_json(value: object) -> str:
    """JSON for a `jsonb` parameter; ids and moments as text."""
    return msgspec.json.encode(value).decode()


def driver_of(session: Session) -> psycopg.Connection[Any]:
    """The driver's connection inside this session's transaction: for the statements that every change sends."""
    return session.connection().connection.driver_connection  # type: ignore[return-value]  # psycopg's own
