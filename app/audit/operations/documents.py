"""Keeps the small typed documents of capabilities above in a workspace's `record`, each with a version."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects.postgresql import insert

from app.audit.models import Record
from app.audit.queries.documents import Kept
from app.kernel.work import Work

SYSTEM_ONLY = {
    "lock_document": "part of an operation that has checked its own permission",
    "put_document": "part of an operation that has checked its own permission",
}


def lock_document(work: Work, kind: str, key: str) -> Kept:
    """The document as it is, which nobody else changes before the commit; a new one is reserved, empty, version 0."""
    row = {"kind": kind, "key": key, "version": 0, "body": {}, "changed_at": work.now}
    work.session.connection().execute(insert(Record).values(**row).on_conflict_do_nothing())
    found = work.session.get_one(Record, (kind, key), with_for_update=True, populate_existing=True)
    return Kept(found.key, found.version, dict(found.body), found.changed_at)


def put_document(work: Work, kind: str, key: str, body: dict[str, Any]) -> int:
    """Write it in place of the one there is, or anew. Returns its version."""
    version = lock_document(work, kind, key).version + 1
    row = work.session.get_one(Record, (kind, key))
    row.version, row.body, row.changed_at = version, body, work.now
    work.session.flush()
    return version
