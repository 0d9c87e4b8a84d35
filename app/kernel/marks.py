"""The marks of a change (trail, outbox, jobs, timers, letters, command key): one statement, sent with the COMMIT.

Measured, the ORM here costs three quarters of the throughput (DESIGN 3); and one statement is one round trip.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from tenants.line import Line
from tenants.schema.marks import MARKS, mark_name

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


_KNOWN = frozenset(mark_name(table) for table in MARKS)
_WRITE = b"SELECT cell.write_marks($1::jsonb, NULL::trail)"


@dataclass(slots=True)
class Marks:
    """Rows gathered during a unit of work, by table; columns as `tenants.schema.marks` names them."""

    rows: dict[str, list[Row]] = field(default_factory=dict)

    def add(self, table: str, row: Row) -> None:
        """Remember one row for the end of the transaction. Raises LookupError for a table that has no marks."""
        if table not in _KNOWN:
            raise LookupError(table)
        self.rows.setdefault(table, []).append(row)

    def copy(self) -> Marks:
        """The rows gathered so far, to go back to."""
        return Marks({table: list(rows) for table, rows in self.rows.items()})

    def write(self, line: Line) -> None:
        """Write all rows with one statement, sent with the COMMIT: by a function, whose plans the server keeps."""
        if self.rows:
            line.send_last(_WRITE, msgspec.json.encode(self.rows))


def as_json(value: object) -> str:
    """JSON for a `jsonb` parameter; ids and moments as text."""
    return msgspec.json.encode(value).decode()
