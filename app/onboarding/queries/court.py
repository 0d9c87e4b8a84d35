"""The court clock: how much business time each holder of the ball has had, from the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.flow.clocks.court import add_up
from app.flow.state import State
from app.kernel.work import Work
from app.onboarding.models import CourtInterval
from app.onboarding.queries.picture import Picture


@dataclass(frozen=True, slots=True)
class CourtPart:
    """One holder's part of the elapsed business time, and its seconds by reason code."""

    holder: str
    seconds: float
    share: float
    reasons: tuple[tuple[str, float], ...]


def court_parts(work: Work, onboarding_id: UUID, state: State) -> list[CourtPart]:
    """Business time by holder so far, largest first; the shares add up to one.

    Measured in the partner's hours on days on which both parties work, by the calendars of today.
    """
    query = select(CourtInterval).where(CourtInterval.onboarding_id == onboarding_id).order_by(CourtInterval.began_at)
    parts = add_up(work.session.scalars(query), state.time_for("partner"), work.now)
    total = sum((part.spent for part in parts), timedelta())
    if not total:
        return []
    return [
        CourtPart(
            part.holder,
            part.spent.total_seconds(),
            part.spent / total,
            tuple((code, spent.total_seconds()) for code, spent in part.reasons),
        )
        for part in parts
    ]


def ball_of(work: Work, picture: Picture) -> dict[str, Any] | None:
    """Who has to act now, since when and for what reason code; None once it has ended."""
    held = CourtInterval.onboarding_id == picture.onboarding.id, CourtInterval.ended_at.is_(None)
    interval = work.session.scalars(select(CourtInterval).where(*held)).one_or_none()
    if interval is None:
        return None
    return {"holder": interval.holder, "since": interval.began_at, "reason_code": interval.reason_code}
