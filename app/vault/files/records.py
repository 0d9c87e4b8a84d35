"""The row of a file: a typed document of the workspace. `about` says what those above know of it, name and all.

The key is `<place>/<file>`, so that the files of one place (an onboarding) are found by their beginning.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit.operations.documents import add_document, drop_document
from app.audit.queries.documents import Kept, find_document, list_documents
from app.kernel.work import Work

KIND: Final = "file"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file: which it is, where its sealed bytes lie, how large its content is, and what it is about."""

    id: UUID
    place_id: UUID
    address: str
    size: int
    about: dict[str, Any]
    kept_at: datetime


def add_stored(work: Work, stored: StoredFile) -> None:
    """Write the row; part of an operation that has checked its own permission."""
    body = {"address": stored.address, "size": stored.size, "about": stored.about}
    add_document(work, KIND, _key(stored.place_id, stored.id), body)


def drop_stored(work: Work, stored: StoredFile) -> None:
    """Take the row away; part of an operation that has checked its own permission."""
    drop_document(work, KIND, _key(stored.place_id, stored.id))


def find_stored(session: Session, place_id: UUID, file_id: UUID) -> StoredFile | None:
    """The file of that id in that place, or None; in the tenant's scope."""
    found = find_document(session, KIND, _key(place_id, file_id))
    return _read(found) if found else None


def list_stored(session: Session, place_id: UUID | None = None) -> list[StoredFile]:
    """The files of a place, or all of the workspace, the first first; in the tenant's scope."""
    found = list_documents(session, KIND, prefix=f"{place_id}/" if place_id else "")
    return [_read(each) for each in found]


def _key(place_id: UUID, file_id: UUID) -> str:
    return f"{place_id}/{file_id}"


def _read(kept: Kept) -> StoredFile:
    place, _, file = kept.key.partition("/")
    body = kept.body
    return StoredFile(UUID(file), UUID(place), body["address"], int(body["size"]), dict(body["about"]), kept.changed_at)
