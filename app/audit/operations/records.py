"""Writes the typed documents of a tenant, for capabilities that have no table of their own (`record`, DESIGN 4)."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import text

from app.kernel.events import plain
from app.kernel.work import Work

SYSTEM_ONLY = {
    "put_record": "part of an operation that has checked its own permission",
    "remove_record": "part of an operation that has checked its own permission",
    "remove_records": "part of an operation that has checked its own permission",
}


def put_record(work: Work, kind: str, key: str, body: dict[str, Any]) -> None:
    """Store the document anew: one that is there is replaced, with the next version."""
    document = msgspec.json.encode(plain(body)).decode()
    work.session.execute(_PUT, {"kind": kind, "key": key, "body": document, "now": work.now})


def remove_record(work: Work, kind: str, key: str) -> None:
    """Let it go for good."""
    work.session.execute(_REMOVE, {"kind": kind, "key": key})


def remove_records(work: Work, kind: str, *, prefix: str, before: str, limit: int) -> int:
    """Let up to so many documents go whose keys begin so and stand before that one. Returns how many."""
    values = {"kind": kind, "prefix": prefix, "before": before, "limit": limit}
    return work.session.connection().execute(_REMOVE_SOME, values).rowcount


_PUT = text("""
    INSERT INTO record AS r (kind, key, version, body, changed_at)
    VALUES (:kind, :key, 1, CAST(:body AS jsonb), :now)
    ON CONFLICT (kind, key) DO UPDATE
    SET version = r.version + 1, body = excluded.body, changed_at = excluded.changed_at
""")
_REMOVE = text("DELETE FROM record WHERE kind = :kind AND key = :key")
_REMOVE_SOME = text("""
    DELETE FROM record WHERE kind = :kind AND key IN (
        SELECT key FROM record WHERE kind = :kind AND key > :prefix AND key < :before ORDER BY key LIMIT :limit)
""")
