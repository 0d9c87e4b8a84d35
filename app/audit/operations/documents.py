"""Keeps the small typed documents of capabilities above in a workspace's `record`, each with a version."""

from __future__ import annotations

from typing import Any

from app.audit.models import Record
from app.kernel.work import Work

SYSTEM_ONLY = {"keep_document": "part of an operation that has checked its own permission"}


def keep_document(work: Work, kind: str, key: str, body: dict[str, Any]) -> int:
    """Write a document, new or in place of the one there is. Returns its version."""
    row = work.session.get(Record, (kind, key))
    if row is None:
        row = Record(kind=kind, key=key, version=0, body={}, changed_at=work.now)
        work.session.add(row)
    row.version, row.body, row.changed_at = row.version + 1, body, work.now
    work.session.flush()
    return row.version
