"""The court clock: how much business time each holder of the ball has had, from the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.flow.state import State
from app.kernel.work import Work
from app.onboarding.models import CourtInterval
from app.onboarding.queries.picture import Picture


@dataclass(frozen=True, slots=True)
class CourtPart:
    """One holder's part of the elapsed business time."""

    holder: str
    seconds: float
    share: float


def court_parts(work: Work, onboarding_id: UUID, state: State) -> list[CourtPart]:
    """Business time by holder so far, largest first; the shares add up to one."""
    query = select(CourtInterval).where(CourtInterval.onboarding_id == onboarding_id)
    return add_up(list(work.session.scalars(query)), state, work.now)


def add_up(intervals: Sequence[CourtInterval], state: State, now: datetime) -> list[CourtPart]:
    """Sum the intervals in the partner's business time."""
    clock = state.time_for("partner")
    sums: dict[str, timedelta] = {}
    for interval in intervals:
        elapsed = clock.business_between(interval.began_at, interval.ended_at or now)
        sums[interval.holder] = sums.get(interval.holder, timedelta()) + elapsed
    total = sum(sums.values(), timedelta())
    if not total:
        return []
    ordered = sorted(sums.items(), key=lambda part: part[1], reverse=True)
    return [CourtPart(holder, spent.total_seconds(), spent / total) for holder, spent in ordered]


def ball_of(work: Work, picture: Picture) -> dict[str, Any] | None:
    """Who has to act now and since when; None once it has ended."""
    held = CourtInterval.onboarding_id == picture.onboarding.id, CourtInterval.ended_at.is_(None)
    interval = work.session.scalars(select(CourtInterval).where(*held)).one_or_none()
    return {"holder": interval.holder, "since": interval.began_at} if interval else None
