"""Reads the small typed documents that capabilities above keep in a workspace's `record`; in the tenant's scope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit.models import Record


@dataclass(frozen=True, slots=True)
class Kept:
    """One document; `version` grows with each change of it."""

    key: str
    version: int
    body: dict[str, Any]


def find_document(session: Session, kind: str, key: str, *, lock: bool = False) -> Kept | None:
    """The document of that kind and key; with `lock` nobody else changes it before the commit."""
    row = session.get(Record, (kind, key), with_for_update=lock, populate_existing=lock)
    return Kept(row.key, row.version, row.body) if row else None


def list_documents(session: Session, kind: str, *, prefix: str = "") -> list[Kept]:
    """All documents of a kind whose key begins so, by key."""
    query = select(Record).where(Record.kind == kind, Record.key.startswith(prefix, autoescape=True))
    return [Kept(row.key, row.version, row.body) for row in session.scalars(query.order_by(Record.key))]
