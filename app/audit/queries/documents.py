"""Reads the small typed documents that capabilities above keep in a workspace's `record`; in the tenant's scope."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.audit.models import Record


@dataclass(frozen=True, slots=True)
class Kept:
    """One document; `version` grows with each change of it, 0 for one that is only reserved."""

    key: str
    version: int
    body: dict[str, Any]
    changed_at: datetime


def find_document(session: Session, kind: str, key: str) -> Kept | None:
    """The document of that kind and key, or None."""
    row = session.get(Record, (kind, key))
    return _kept(row) if row else None


def _kept(row: Record) -> Kept:
    return Kept(row.key, row.version, dict(row.body), row.changed_at)
