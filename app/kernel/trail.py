"""Reads trail entries: the body of an announced event, and an onboarding's story. `app.audit` keeps the trail."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.kernel.errors import Missing
from app.kernel.models import TrailEntry

Entry = TrailEntry  # the row, for the capability that keeps the trail; everybody else asks the functions below


class TrailEntryMissing(Missing):
    """No such entry in this tenant's trail."""


@dataclass(frozen=True, slots=True)
class TrailLine:
    """An entry as doors get it."""

    id: UUID
    at: datetime
    actor_kind: str
    actor_id: UUID
    actor_name: str
    action: str
    reason: str | None
    body: dict[str, Any]
    leaf_hash: str


def _line(entry: TrailEntry) -> TrailLine:
    return TrailLine(
        id=entry.id,
        at=entry.at,
        actor_kind=entry.actor_kind,
        actor_id=entry.actor_id,
        actor_name=entry.actor_name,
        action=entry.action,
        reason=entry.reason,
        body=entry.body,
        leaf_hash=entry.leaf_hash,
    )


def get_entry(session: Session, entry_id: UUID) -> TrailEntry:
    """One entry; in the tenant's scope. Raises TrailEntryMissing."""
    entry = session.get(TrailEntry, entry_id)
    if entry is None:
        raise TrailEntryMissing(f"The trail of this workspace has no entry {entry_id}.")
    return entry


def list_entries(session: Session, ids: Collection[UUID]) -> list[TrailLine]:
    """Those entries, oldest first; in the tenant's scope."""
    return [
        _line(row) for row in session.scalars(select(TrailEntry).where(TrailEntry.id.in_(ids)).order_by(TrailEntry.id))
    ]


def list_of_trace(session: Session, trace_id: str) -> list[TrailLine]:
    """Every entry of one trace in this tenant, oldest first."""
    query = select(TrailEntry).where(TrailEntry.trace_id == trace_id).order_by(TrailEntry.id)
    return [_line(entry) for entry in session.scalars(query)]


def list_of_onboarding(session: Session, onboarding_id: UUID, *, limit: int = 200) -> list[TrailLine]:
    """An onboarding's entries, newest first."""
    query = select(TrailEntry).where(TrailEntry.onboarding_id == onboarding_id)
    return [_line(entry) for entry in session.scalars(query.order_by(TrailEntry.id.desc()).limit(limit))]


def find_actor(session: Session, action: str, onboarding_id: UUID) -> str:
    """Who did this in the onboarding when it was last done; "" where it never was."""
    query = select(TrailEntry.actor_name).where(TrailEntry.onboarding_id == onboarding_id, TrailEntry.action == action)
    return session.scalars(query.order_by(TrailEntry.id.desc()).limit(1)).first() or ""


def find_name(session: Session, onboarding_id: UUID, person: UUID) -> str:
    """The name under which somebody last acted in the onboarding; "" where they never did."""
    query = select(TrailEntry.actor_name).where(
        TrailEntry.onboarding_id == onboarding_id, TrailEntry.actor_kind == "person", TrailEntry.actor_id == person
    )
    return session.scalars(query.order_by(TrailEntry.id.desc()).limit(1)).first() or ""


def find_last(session: Session, action: str, onboarding_id: UUID, *, item: str) -> datetime | None:
    """When this was last done about an item of the onboarding; None where it never was."""
    query = select(TrailEntry.at).where(TrailEntry.onboarding_id == onboarding_id, TrailEntry.action == action)
    about = TrailEntry.body["item"].astext == item
    return session.scalars(query.where(about).order_by(TrailEntry.id.desc()).limit(1)).first()


def find_reason(session: Session, action: str) -> str:
    """Why this happened in the tenant when it last did; "" where it never has."""
    query = select(TrailEntry.reason).where(TrailEntry.action == action).order_by(TrailEntry.id.desc()).limit(1)
    return session.scalars(query).first() or ""
