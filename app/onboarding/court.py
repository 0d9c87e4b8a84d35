"""The court clock: whose move it is, written down whenever it changes hands; business time of each, summed up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from app.flow.definition import Definition
from app.flow.state import State
from app.kernel.work import Work
from app.onboarding.models import CourtInterval, Onboarding

_MOVING = frozenset({"open", "running", "blocked"})


@dataclass(frozen=True, slots=True)
class CourtPart:
    """One holder's part of the elapsed business time."""

    holder: str
    seconds: float
    share: float


def holder_of(definition: Definition, state: State) -> str | None:
    """Whose move it is: the partner's while anything of theirs is open, else the customer's; None when it has ended.

    An action under way is the system's only when nobody else could move.
    """
    if state.status != "running":
        return None
    moving = [item for item in definition.items.values() if item.kind in {"task", "gate"}]
    moving = [item for item in moving if state.items[item.key].state in _MOVING]
    people = [item for item in moving if state.items[item.key].state != "running"]
    if not people:
        return "system" if moving else "partner"
    return "customer" if all(item.side == "customer" for item in people) else "partner"


def pass_the_ball(work: Work, onboarding: Onboarding, definition: Definition, state: State) -> None:
    """Close the running interval and open the next one, if the ball has changed hands."""
    holder = holder_of(definition, state)
    query = select(CourtInterval).where(CourtInterval.onboarding_id == onboarding.id, CourtInterval.ended_at.is_(None))
    running = work.session.scalars(query).one_or_none()
    if running is not None and running.holder == holder:
        return
    if running is not None and running.began_at == work.now:
        work.session.delete(running)  # held for no time at all
        work.session.flush()
    elif running is not None:
        running.ended_at = work.now
    if holder is not None:
        work.session.add(CourtInterval(onboarding_id=onboarding.id, began_at=work.now, holder=holder))


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
