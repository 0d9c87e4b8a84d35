"""What needs somebody in a partner's running onboardings: counted by the database over all of them, none cut off.

Every function reads the cards of the session's organisation (row-level security) and no tenant.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, and_, case, cast, column, func, or_, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from app.onboarding.models import OnboardingCard

STATES = ("on_track", "behind", "stuck")
_RUNNING = OnboardingCard.state == "running"
_NEED = func.jsonb_array_elements(OnboardingCard.needs).table_valued(column("value", JSONB)).alias("need")
_KIND, _STATE = _NEED.c.value["kind"].astext, _NEED.c.value["state"].astext
_DUE = cast(_NEED.c.value["due_at"].astext, DateTime(timezone=True))
_SINCE = func.coalesce(cast(_NEED.c.value["since"].astext, DateTime(timezone=True)), OnboardingCard.changed_at)
_PRESSING = ("gate", "exception")


@dataclass(frozen=True, slots=True)
class Pressing:
    """One thing that needs somebody: what the card says of it, and whether its date has passed."""

    card: OnboardingCard
    need: dict[str, Any]
    late: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """How many wait in a queue, since when the oldest of them does, and whether a date of one has passed."""

    key: str
    count: int
    oldest: datetime
    late: bool


def health_at(now: datetime) -> ColumnElement[str]:
    """One word for how an onboarding goes: its own state, or of a running one `stuck`, `behind` or `on_track`."""
    return case(
        (~_RUNNING, OnboardingCard.state),
        (OnboardingCard.needs.contains([{"state": "blocked"}]), "stuck"),
        (OnboardingCard.due_at < now, "behind"),
        else_="on_track",
    )


def count_states(session: Session, now: datetime) -> dict[str, int]:
    """How many running onboardings are on track, behind and stuck."""
    health = health_at(now)
    counted = session.execute(select(health, func.count()).where(_RUNNING).group_by(health)).all()
    return dict.fromkeys(STATES, 0) | {row[0]: row[1] for row in counted}


def list_pressing(
    session: Session, now: datetime, *, reader: UUID | None = None, most: int
) -> tuple[list[Pressing], int]:
    """What presses most, and how much presses in all: blocked items and exceptions first, then by date.

    With a `reader`, only what this person is named for.
    """
    late = func.coalesce(now > _DUE, False)
    stuck = or_(_STATE == "blocked", _KIND == "exception")
    query = (
        select(OnboardingCard, _NEED.c.value, late, func.count().over())
        .join(_NEED, onclause=or_(_KIND.in_(_PRESSING), _STATE == "blocked", late))
        .where(_RUNNING)
        .order_by(stuck.desc(), _DUE.asc().nulls_last(), OnboardingCard.onboarding_id, _NEED.c.value["key"].astext)
    )
    if reader is not None:
        query = query.where(_NEED.c.value["people"].contains([str(reader)]))
    rows = session.execute(query.limit(most)).all()
    return [Pressing(card, need, late) for card, need, late, _all in rows], rows[0][3] if rows else 0


def list_queues(session: Session, now: datetime) -> list[Queue]:
    """Gates, exceptions and own tasks, and the onboardings whose ball the customer holds."""
    key = case((_KIND.in_(_PRESSING), _KIND), else_="partner")
    late = func.coalesce(func.bool_or(now > _DUE), False)
    own = select(key, func.count(), func.min(_SINCE), late).select_from(OnboardingCard).join(_NEED, onclause=_RUNNING)
    passed = func.coalesce(func.bool_or(OnboardingCard.due_at < now), False)
    theirs = select(func.count(), func.min(OnboardingCard.changed_at), passed).where(
        and_(_RUNNING, OnboardingCard.holder == "customer")
    )
    queues = [Queue(*row) for row in session.execute(own.group_by(key))]
    count, oldest, overdue = session.execute(theirs).one()
    return [*queues, Queue("customer", count, oldest, overdue)] if count else queues


def count_reasons(session: Session) -> list[tuple[str, int]]:
    """Open exceptions by reason code, the most frequent first (REQUIREMENTS 1.6)."""
    reason, count = _NEED.c.value["reason"].astext, func.count()
    query = select(reason, count).select_from(OnboardingCard).join(_NEED, onclause=_KIND == "exception")
    rows = session.execute(query.where(_RUNNING).group_by(reason).order_by(count.desc(), reason))
    return [(code or "", number) for code, number in rows]
