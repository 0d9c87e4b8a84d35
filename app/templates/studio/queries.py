"""Reads the drafts of a partner's home, and what walking them found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit.models import Record
from app.kernel.errors import Missing
from app.web.translations import mark

DRAFT, SIMULATION = "template.draft", "template.simulation"
MOST_DRAFTS = 100
_NO_SUCH = mark("There is no such draft. It may have been discarded.")


class DraftMissing(Missing):
    """The home has no such draft."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft in short. `published`: the version that it was published as last, "" for none."""

    id: UUID
    version: int
    title: str
    template: str
    number: str
    kind: str
    problems: int
    by: str
    changed_at: datetime
    published: str


@dataclass(frozen=True, slots=True)
class Simulation:
    """What was asked for, and what was found so far."""

    number: int
    body: Mapping[str, Any]
    changed_at: datetime


def list_drafts(session: Session) -> list[Draft]:
    """Every draft, the last changed first; in the home's scope. Their texts are not read."""
    said = [Record.body[name].astext.label(name) for name in ("title", "template", "number", "kind", "by", "published")]
    problems = Record.body["problems"].as_integer().label("problems")
    query = select(Record.key, Record.version, Record.changed_at, problems, *said).where(Record.kind == DRAFT)
    rows = session.execute(query.order_by(Record.changed_at.desc(), Record.key).limit(MOST_DRAFTS))
    return [Draft(id=UUID(row.key), **{name: getattr(row, name) for name in _SHORT}) for row in rows]


_SHORT = ("version", "title", "template", "number", "kind", "problems", "by", "changed_at", "published")


def get_draft(session: Session, draft_id: UUID) -> tuple[Draft, str]:
    """A draft and its text; in the home's scope. Raises DraftMissing."""
    row = draft_row(session, draft_id)
    short = {name: row.body[name] for name in _SHORT if name not in {"version", "changed_at"}}
    return Draft(draft_id, version=row.version, changed_at=row.changed_at, **short), str(row.body["source"])


def draft_row(session: Session, draft_id: UUID, *, lock: bool = False) -> Record:
    """The row itself, held until the commit where it is about to change. Raises DraftMissing."""
    row = session.get(Record, (DRAFT, str(draft_id)), with_for_update=lock or None)
    if row is None:
        raise DraftMissing(_NO_SUCH)
    return row


def find_source(session: Session, digest: str) -> str:
    """The text of the draft that a version was published from, with its comments; "" where it is not kept."""
    source = Record.body["source"].astext
    query = select(source).where(Record.kind == DRAFT, Record.body["digest"].astext == digest)
    return session.scalars(query.order_by(Record.changed_at.desc()).limit(1)).one_or_none() or ""


def find_simulation(session: Session, draft_id: UUID) -> Simulation | None:
    """What walking a draft found; None where nobody has asked."""
    row = session.get(Record, (SIMULATION, str(draft_id)))
    return Simulation(row.version, row.body, row.changed_at) if row else None
