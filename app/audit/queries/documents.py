"""Reads the small typed documents that capabilities above keep in a workspace's `record`; in the tenant's scope."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit.models import Record

MOST = 1_000  # of a kind that are listed


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


def list_documents(session: Session, kind: str, *, prefix: str = "", limit: int = MOST) -> list[Kept]:
    """Those of a kind whose key begins so, the last changed first."""
    found = select(Record).where(Record.kind == kind, Record.key.startswith(prefix, autoescape=True))
    return [_kept(row) for row in session.scalars(found.order_by(Record.changed_at.desc(), Record.key).limit(limit))]


def _kept(row: Record) -> Kept:
    return Kept(row.key, row.version, dict(row.body), row.changed_at)
