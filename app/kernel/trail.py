"""Reads trail entries: the body of an announced event, and an onboarding's story."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.kernel.errors import Missing
from app.kernel.models import TrailEntry


class TrailEntryMissing(Missing):
    """No such entry in this tenant's trail."""


def get_entry(session: Session, entry_id: UUID) -> TrailEntry:
    """One entry; in the tenant's scope. Raises TrailEntryMissing."""
    entry = session.get(TrailEntry, entry_id)
    if entry is None:
        raise TrailEntryMissing(f"The trail of this workspace has no entry {entry_id}.")
    return entry


def list_of_trace(session: Session, trace_id: str) -> list[TrailEntry]:
    """Every entry of one trace in this tenant, oldest first."""
    query = select(TrailEntry).where(TrailEntry.trace_id == trace_id).order_by(TrailEntry.id)
    return list(session.scalars(query))


def list_of_onboarding(session: Session, onboarding_id: UUID, *, limit: int = 200) -> list[TrailEntry]:
    """An onboarding's entries, newest first."""
    query = select(TrailEntry).where(TrailEntry.onboarding_id == onboarding_id)
    return list(session.scalars(query.order_by(TrailEntry.id.desc()).limit(limit)))
