"""What people do to dates, each as one event for the engine; tried first, it shows what would move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from app.access.permissions import Permission
from app.access.require import require
from app.flow import events as flow
from app.flow.calendar import read_calendar
from app.flow.commands import Decision
from app.flow.decide import decide
from app.flow.definition import Side
from app.kernel.errors import Conflict
from app.kernel.work import Work
from app.onboarding.models import Onboarding
from app.onboarding.operations.advance import advance, lock_onboarding
from app.onboarding.people import acting
from app.onboarding.queries.stored import find_onboarding, plan_of, state_of

SYSTEM_ONLY = {"read_working_time": "reads what `change_dates` and `try_dates` take"}
TRIED = "What would move?"  # the reason of an event that is only tried


class PlanStale(Conflict):
    """The onboarding has changed since it was read: look at it again, then decide."""

    status = 412


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDate:
    """The day of an item; None gives it back to the plan."""

    item: str
    day: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GoLive:
    """The day by which the customer is to be live; None: no day is wanted any more."""

    day: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingTime:
    """When a party works, as `read_calendar` takes it."""

    side: Side
    calendar: Mapping[str, Any]


def read_working_time(side: Side, said: Mapping[str, Any]) -> WorkingTime:
    """What was said about a party's working time, as a wish; what is None was not said."""
    calendar: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
    if "weekdays" in calendar:
        calendar["weekdays"] = sorted({int(day) for day in str(calendar["weekdays"]).split(",")})
    if "holidays" in calendar:
        calendar["holidays"] = str(calendar["holidays"]).split(",")
    return WorkingTime(side=side, calendar=calendar)


Wish = DueDate | GoLive | WorkingTime


def change_dates(
    work: Work, *, onboarding_id: UUID, wish: Wish, reason: str, seen: frozenset[str] = frozenset({"*"})
) -> Decision:
    """Do what was wished. `seen`: the versions (ETags of `seq`) that it was wished from.

    Raises NotPermitted, OnboardingMissing, PlanStale, and what the engine refuses.
    """
    require(work, Permission.ONBOARDING_WRITE)
    onboarding = lock_onboarding(work, onboarding_id)
    if not seen & {"*", f'"{onboarding.seq}"'}:
        raise PlanStale("This onboarding has changed since you read it; look at it again, then decide.")
    return advance(work, onboarding, _event(work, onboarding, wish, reason))


def try_dates(work: Work, *, onboarding_id: UUID, wish: Wish) -> Decision:
    """What would move if it were done now, for whoever may read it. Nothing is written. Raises as `change_dates`."""
    require(work, Permission.ONBOARDING_READ)
    onboarding = find_onboarding(work.session, onboarding_id)
    definition = plan_of(work, onboarding)
    return decide(definition, state_of(onboarding), _event(work, onboarding, wish, TRIED), work.now)


def _event(work: Work, onboarding: Onboarding, wish: Wish, reason: str) -> flow.Event:
    by = acting(work, onboarding)
    match wish:
        case DueDate(item=item, day=day):
            return flow.DueDateSet(by=by, item=item, day=day, reason=reason)
        case GoLive(day=day):
            return flow.GoLiveSet(by=by, day=day, reason=reason)
        case WorkingTime(side=side, calendar=calendar):
            known = read_calendar(calendar, first_year=work.now.year)
            return flow.CalendarChanged(by=by, side=side, calendar=known, reason=reason)
