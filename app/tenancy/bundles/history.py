"""The exports of a tenant as its trail tells them: which one is under way, and what the tenant comes back to."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.tenancy.events import ExportBegan, ExportEnded

_LAST = text("SELECT action, subject_id, body FROM trail WHERE action IN (:began, :ended) ORDER BY id DESC LIMIT 1")


@dataclass(frozen=True, slots=True)
class LastExport:
    """The newest word on exports in a tenant's trail. `open` while its bundle is not finished."""

    bundle: UUID
    open: bool
    was: str
    stays: bool


def last_export(session: Session) -> LastExport | None:
    """The newest export; in the tenant's scope."""
    row = session.execute(_LAST, {"began": ExportBegan.type, "ended": ExportEnded.type}).one_or_none()
    if row is None:
        return None
    return LastExport(row.subject_id, row.action == ExportBegan.type, row.body["was"], row.body["stays"])
