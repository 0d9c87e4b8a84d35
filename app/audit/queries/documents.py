"""Reads the small typed documents that capabilities above keep in a workspace's `record`; in the tenant's scope."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit.models import Record


@dataclass(frozen=True, slots=True)
class Kept:
    """One document; `version` grows with each change of it, 0 for one that is only reserved."""

    key: str
    version: int
    body: dict[str, Any]
    changed_at: datetime


def find_document(session: Session, kind: str, key: str, *, lock: bool = False) -> Kept | None:
    """The document of that kind and key, or None; with `lock` nobody else changes it before the commit."""
    row = session.get(Record, (kind, key), with_for_update=lock or None, populate_existing=lock)
    return _kept(row) if row else None


def list_documents(session: Session, kind: str, *, prefix: str = "", without: str = "") -> list[Kept]:
    """All documents of a kind whose key begins so, by key; `without` a large part that nobody reads in a list."""
    body = Record.body.op("-")(without) if without else Record.body
    columns = (Record.key, Record.version, body.label("body"), Record.changed_at)
    query = select(*columns).where(Record.kind == kind, Record.key.startswith(prefix, autoescape=True))
    return [Kept(*row) for row in session.execute(query.order_by(Record.key))]


def newest_documents(
    session: Session, kind: str, *, after: str, before: str, limit: int, without: str = ""
) -> list[Kept]:
    """The documents whose keys stand between the two, the greatest first; `without` a large part nobody reads there.

    For keys of lower-case ids: their order is the same whatever order a database has its letters in.
    """
    body = Record.body.op("-")(without) if without else Record.body
    columns = (Record.key, Record.version, body.label("body"), Record.changed_at)
    query = select(*columns).where(Record.kind == kind, Record.key > after, Record.key < before)
    return [Kept(*row) for row in session.execute(query.order_by(Record.key.desc()).limit(limit))]


def _kept(row: Record) -> Kept:
    return Kept(row.key, row.version, dict(row.body), row.changed_at)
