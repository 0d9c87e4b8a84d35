"""Reads of exceptions and packets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_

from app.intake.models import ExceptionRecord, PacketField
from app.kernel.errors import Missing
from app.kernel.work import Work


@dataclass(frozen=True, slots=True)
class PacketRow:
    """One fact as it stands."""

    field: str
    source: str
    corrected_by: UUID | None
    changed_at: datetime


Raised = ExceptionRecord  # the row, for who shows exceptions; changing one is an operation's


class ExceptionMissing(Missing):
    """There is no such exception here."""


def get_exception_key(work: Work, subject_id: UUID, exception_id: UUID) -> str:
    """The engine's name of an onboarding's exception. Raises ExceptionMissing."""
    return get_exception(work, subject_id, exception_id).key


def get_exception(work: Work, subject_id: UUID, exception_id: UUID) -> Raised:
    """One exception about a subject. Raises ExceptionMissing."""
    record = work.session.get(ExceptionRecord, exception_id)
    if record is None or record.subject_id != subject_id:
        raise ExceptionMissing("This exception is not here. It may belong to another onboarding.")
    return record


def list_exceptions_before(
    work: Work, subject_id: UUID, before: tuple[datetime, UUID] | None, *, state: str = "", limit: int
) -> list[Raised]:
    """A part of the exceptions about a subject, the newest first, behind the one of this moment and id."""
    query = select(ExceptionRecord).where(ExceptionRecord.subject_id == subject_id).limit(limit)
    if state:
        query = query.where(ExceptionRecord.state == state)
    if before is not None:
        query = query.where(tuple_(ExceptionRecord.opened_at, ExceptionRecord.id) < tuple_(*before))
    return list(work.session.scalars(query.order_by(ExceptionRecord.opened_at.desc(), ExceptionRecord.id.desc())))


def list_exceptions(work: Work, subject_id: UUID) -> list[ExceptionRecord]:
    """Every exception about a subject: open ones first, then the newest."""
    query = select(ExceptionRecord).where(ExceptionRecord.subject_id == subject_id)
    return list(work.session.scalars(query.order_by(ExceptionRecord.state, ExceptionRecord.opened_at.desc())))


def find_exception(work: Work, subject_id: UUID, key: str) -> ExceptionRecord | None:
    """The exception of that key about this subject, open or not."""
    query = select(ExceptionRecord).where(ExceptionRecord.subject_id == subject_id, ExceptionRecord.key == key)
    return work.session.scalars(query).one_or_none()


def list_packet(work: Work, onboarding_id: UUID) -> list[PacketRow]:
    """Where every fact of an onboarding's packet came from."""
    rows = work.session.scalars(select(PacketField).where(PacketField.onboarding_id == onboarding_id))
    return [PacketRow(row.field, row.source, row.corrected_by, row.changed_at) for row in rows]


@dataclass(frozen=True, slots=True)
class ExceptionLine:
    """An open exception, as a list needs it; `role` is the first of its route."""

    key: str
    type: str
    reason_code: str
    role: str
    opened_at: datetime
    respond_by: datetime | None
    owner_id: UUID | None = None


def list_open_exceptions(work: Work, subject_id: UUID) -> list[ExceptionLine]:
    """What is open about a subject, the oldest first."""
    query = select(ExceptionRecord).where(ExceptionRecord.subject_id == subject_id, ExceptionRecord.state == "open")
    return [
        ExceptionLine(
            row.key, row.type, row.reason_code, _first(row.route), row.opened_at, row.respond_by, row.owner_id
        )
        for row in work.session.scalars(query.order_by(ExceptionRecord.opened_at))
    ]


def _first(route: list[Any]) -> str:
    return str(route[0]) if route else ""  # an exception that leads to no role is for whoever leads the onboarding
