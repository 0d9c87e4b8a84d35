"""Exceptions as rows with an owner: opening and closing them. What follows from one is decided elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.intake.events import ExceptionOpened, ExceptionResolved
from app.intake.models import ExceptionRecord
from app.kernel.ids import new_id
from app.kernel.work import Work

SYSTEM_ONLY = {
    "open_exception": "part of an operation that has checked its own permission",
    "change_exception": "part of an operation that has checked its own permission",
    "move_exceptions": "part of an operation that has checked its own permission",
    "close_exception": "part of an operation that has checked its own permission",
    "resolve_open_exceptions": "part of an operation that has checked its own permission",
}


@dataclass(frozen=True, slots=True)
class ExceptionOpening:
    """A typed problem. `key` makes it one row per subject: the same problem found again changes that row."""

    subject_kind: str
    subject_id: UUID
    key: str
    type: str
    reason_code: str
    route: tuple[str, ...]
    summary: str
    item_key: str | None = None
    respond_by: datetime | None = None


def open_exception(work: Work, opening: ExceptionOpening) -> UUID:
    """Open the exception, or bring the open one of the same key up to date. Returns its id."""
    record = _find(work.session, opening.subject_id, opening.key)
    if record is None:
        record = ExceptionRecord(id=new_id(), subject_kind=opening.subject_kind, subject_id=opening.subject_id)
        record.key, record.opened_at = opening.key, work.now
        work.session.add(record)
    elif record.state == "open" and record.summary == opening.summary:
        return record.id
    record.type, record.reason_code, record.route = opening.type, opening.reason_code, list(opening.route)
    record.item_key, record.respond_by, record.summary = opening.item_key, opening.respond_by, opening.summary
    record.state, record.resolved_at, record.resolved_by, record.resolution = "open", None, None, None
    work.announce(
        ExceptionOpened(
            subject_id=record.id,
            onboarding_id=opening.subject_id if opening.subject_kind == "onboarding" else None,
            exception=opening.type,
            reason_code=opening.reason_code,
            owner_role=opening.route[0],
            summary=opening.summary,
            item=opening.item_key,
        )
    )
    return record.id


def _find(session: Session, subject_id: UUID, key: str) -> ExceptionRecord | None:
    """The row of the same problem, locked. What this transaction opens goes to the server together, at its end."""
    opened = (each for each in session.new if isinstance(each, ExceptionRecord))
    if here := next((each for each in opened if (each.subject_id, each.key) == (subject_id, key)), None):
        return here
    query = select(ExceptionRecord).where(ExceptionRecord.subject_id == subject_id, ExceptionRecord.key == key)
    with session.no_autoflush:
        return session.scalars(query.with_for_update()).one_or_none()


def change_exception(
    record: ExceptionRecord, *, route: tuple[str, ...], owner: str | None, respond_by: datetime | None
) -> None:
    """Whose an open exception is, and by when it is to be answered. Why is told by who changed it."""
    record.route, record.respond_by = list(route), respond_by
    record.owner_id = UUID(owner) if owner else None


def move_exceptions(work: Work, *, subject_id: UUID, items: Mapping[str, str]) -> None:
    """The items that a subject's exceptions are about have other keys now, old to new; open or not."""
    moving = ExceptionRecord.item_key.in_(items)
    for record in work.session.scalars(select(ExceptionRecord).where(ExceptionRecord.subject_id == subject_id, moving)):
        record.item_key = items[str(record.item_key)]


def close_exception(work: Work, record: ExceptionRecord, *, resolution: str, reason: str) -> None:
    """Mark it as resolved by whoever acts now."""
    record.state, record.resolution, record.reason = "resolved", resolution, reason
    record.resolved_at, record.resolved_by = work.now, work.actor.id
    work.announce(ExceptionResolved(subject_id=record.id, resolution=resolution, reason=reason))


def resolve_open_exceptions(work: Work, *, subject_id: UUID, reason: str, but: str = "") -> None:
    """Close what was open about this subject, `but` the one of this key: the facts have moved on."""
    query = select(ExceptionRecord).where(ExceptionRecord.subject_id == subject_id, ExceptionRecord.state == "open")
    for record in work.session.scalars(query.where(ExceptionRecord.key != but)):
        close_exception(work, record, resolution="done", reason=reason)
