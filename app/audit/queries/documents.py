"""Reads small typed documents of a tenant (the `record` table), for capabilities that have no table there."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit.models import Record


def find_document(session: Session, kind: str, key: str, *, lock: bool = False) -> dict[str, Any] | None:
    """The body of one; None where there is none. With `lock` it is held until the commit. In the tenant's scope."""
    row = session.get(Record, (kind, key), with_for_update=lock or None)
    return dict(row.body) if row else None


def list_documents(session: Session, kind: str, *, limit: int = 1_000) -> list[tuple[str, dict[str, Any]]]:
    """Key and body of those of a kind, the last changed first; in the tenant's scope."""
    newest = select(Record).where(Record.kind == kind).order_by(Record.changed_at.desc(), Record.key)
    return [(row.key, dict(row.body)) for row in session.scalars(newest.limit(limit))]
