"""Reads the typed documents of a tenant, for capabilities that have no table of their own (`record`, DESIGN 4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.audit.models import Record
from app.kernel.work import Work


@dataclass(frozen=True, slots=True)
class Stored:
    """One document; `version` grows with each change."""

    key: str
    version: int
    body: dict[str, Any]
    changed_at: datetime


def get_record(work: Work, kind: str, key: str, *, locked: bool = False) -> Stored | None:
    """One document of that kind; `locked` holds it until the commit."""
    query = select(Record).where(Record.kind == kind, Record.key == key).execution_options(populate_existing=True)
    row = work.session.scalars(query.with_for_update() if locked else query).one_or_none()
    return _stored(row) if row else None


def list_records(work: Work, kind: str, *, prefix: str = "", before: str = "", limit: int) -> list[Stored]:
    """Documents of that kind, the greatest key first; `prefix` of their keys, `before` a key that was seen.

    Keys are lower-case ids, so the order of the database's language is that of their letters.
    """
    query = select(Record).where(Record.kind == kind).execution_options(populate_existing=True)
    if prefix:
        query = query.where(Record.key > prefix, Record.key < f"{prefix}z")
    if before:
        query = query.where(Record.key < before)
    return [_stored(row) for row in work.session.scalars(query.order_by(Record.key.desc()).limit(limit))]


def _stored(row: Record) -> Stored:
    return Stored(row.key, row.version, row.body, row.changed_at)
