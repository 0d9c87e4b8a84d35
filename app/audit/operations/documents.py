"""Keeps the small typed documents of capabilities above in a workspace's `record`, each with a version."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from app.audit.models import Record
from app.audit.queries.documents import Kept
from app.kernel.work import Work

SYSTEM_ONLY = {
    "add_document": "part of an operation that has checked its own permission",
    "lock_document": "part of an operation that has checked its own permission",
    "keep_document": "part of an operation that has checked its own permission",
    "write_document": "part of an operation that has checked its own permission",
    "drop_documents": "part of an operation that has checked its own permission",
    "drop_document": "part of an operation that has checked its own permission",
}


def add_document(work: Work, kind: str, key: str, body: dict[str, Any]) -> bool:
    """Keep it unless there is one of this key, also one that somebody is adding at this moment; whether it is new."""
    return _insert(work, kind, key, 1, body)


def lock_document(work: Work, kind: str, key: str) -> Kept:
    """The document as it is, which nobody else changes before the commit; a new one is reserved, empty, version 0."""
    _insert(work, kind, key, 0, {})
    found = work.session.get_one(Record, (kind, key), with_for_update=True, populate_existing=True)
    return Kept(found.key, found.version, dict(found.body), found.changed_at)


def keep_document(work: Work, kind: str, key: str, body: dict[str, Any]) -> int:
    """Write it in place of the one there is, or anew. Returns its version."""
    version = lock_document(work, kind, key).version + 1
    row = work.session.get_one(Record, (kind, key))
    row.version, row.body, row.changed_at = version, body, work.now
    work.session.flush()
    return version


def write_document(work: Work, kind: str, key: str, body: dict[str, Any]) -> None:
    """Write it, whatever there was, in one statement: for what nobody reads again before the commit."""
    made = insert(Record).values(kind=kind, key=key, version=1, body=body, changed_at=work.now)
    new = {"version": Record.version + 1, "body": made.excluded.body, "changed_at": made.excluded.changed_at}
    work.session.execute(made.on_conflict_do_update(index_elements=[Record.kind, Record.key], set_=new))


def drop_document(work: Work, kind: str, key: str) -> None:
    """Keep it no longer, if it was."""
    work.session.execute(delete(Record).where(Record.kind == kind, Record.key == key))


def drop_documents(work: Work, kind: str, *, after: str, before: str, limit: int | None = None) -> None:
    """Keep those no longer whose keys stand between the two, up to so many, the least first."""
    between = (Record.kind == kind, Record.key > after, Record.key < before)
    some = select(Record.key).where(*between).order_by(Record.key).limit(limit)
    work.session.execute(delete(Record).where(Record.kind == kind, Record.key.in_(some)))


def _insert(work: Work, kind: str, key: str, version: int, body: dict[str, Any]) -> bool:
    row = {"kind": kind, "key": key, "version": version, "body": body, "changed_at": work.now}
    wanted = insert(Record).values(**row).on_conflict_do_nothing().returning(Record.key)
    return work.session.execute(wanted).first() is not None
