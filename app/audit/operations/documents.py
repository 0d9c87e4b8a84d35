"""Keeps small typed documents of a tenant (the `record` table), for capabilities that have no table there."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects.postgresql import insert

from app.audit.models import Record
from app.kernel.work import Work

SYSTEM_ONLY = {
    "add_document": "part of an operation that has checked its own permission",
    "put_document": "part of an operation that has checked its own permission",
}


def add_document(work: Work, kind: str, key: str, body: dict[str, Any]) -> bool:
    """Keep it unless there is one of this key, also one that somebody is adding at this moment; whether it is new."""
    row = {"kind": kind, "key": key, "version": 1, "body": body, "changed_at": work.now}
    wanted = insert(Record).values(**row).on_conflict_do_nothing().returning(Record.key)
    return work.session.execute(wanted).first() is not None


def put_document(work: Work, kind: str, key: str, body: dict[str, Any]) -> None:
    """Keep it in place of the one before."""
    row = work.session.get(Record, (kind, key), with_for_update=True)
    if row is None:
        work.session.add(Record(kind=kind, key=key, version=1, body=body, changed_at=work.now))
    else:
        row.body, row.version, row.changed_at = body, row.version + 1, work.now
    work.session.flush()
