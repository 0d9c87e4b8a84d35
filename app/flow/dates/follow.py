"""Dates follow what happens: planned at the start, computed anew after every event, pinned by people with a reason."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from app.flow.commands import Move
from app.flow.dates.causes import Causes
from app.flow.events import CalendarChanged, DueDateSet, Event, GoLiveSet, Started
from app.flow.parts.unfolding import unfold
from app.flow.schedule import Forecast, plan_due_dates
from app.flow.state import Plan, State
from app.flow.steps import ageing, timers
from app.flow.steps.draft import LONGEST_STATEMENT, Draft, NotOpen
from app.kernel.errors import Invalid

# What the plan is made from, beside the items.
_DATED = frozenset({"plan", "parts", "partner", "customer", "started_at", "status"})


class DayRefused(Invalid):
    """A day that cannot be kept: it is over, or one of the two parties does not work then."""


class DateReasonNeeded(Invalid):
    """A date was changed without a reason, or with one that is too long."""


def plan(draft: Draft, event: Started) -> dict[str, datetime]:
    """The plan at the start. Where dates follow, it is kept as the baseline."""
    definition = draft.definition
    if not event.follows:
        return plan_due_dates(definition, draft.state, draft.now)
    forecast = Forecast(definition, draft.state, draft.now)
    baseline = {key: forecast.due(key) for key in definition.items}
    draft.whole["plan"] = Plan(baseline=baseline, go_live=event.go_live)
    return baseline


def follow(draft: Draft, event: Event) -> tuple[Move, ...]:
    """Compute anew the dates of all that has not ended; each that moved has one cause."""
    after, before = draft.state, draft.before
    if after.plan is None or after.status != "running" or _leaves_dates(draft):
        return ()
    if before.started_at is None:
        for key, due in after.plan.baseline.items():
            draft.set(key, due_at=due)  # what opened with the start is due as planned
        return ()
    old = Forecast(unfold(draft.definition, before.parts), before, before.started_at)
    new = Forecast(draft.definition, after, before.started_at)
    causes, moves = Causes(old, new, event), list[Move]()
    for key in after.items:
        if after.is_settled(key):
            continue
        was = before.items.get(key)
        if was is None:
            draft.set(key, due_at=new.due(key), due_cause="repeated")
            continue
        due, cause = new.due(key), was.due_cause
        if due != was.due_at:
            moves.append(causes.of(key, was))
            cause = moves[-1].cause
        now = draft.items[key]
        if (due, cause) != (now.due_at, now.due_cause):
            draft.set(key, due_at=due, due_cause=cause)
    return tuple(moves)


def _leaves_dates(draft: Draft) -> bool:
    """Whether nothing changed that a date hangs on: true of most timers, and half of what they would cost."""
    items = draft.before.items
    same = draft.items.keys() == items.keys() and all(draft.items[key] is item for key, item in items.items())
    return same and not _DATED & draft.whole.keys()


def set_due_date(draft: Draft, event: DueDateSet) -> None:
    """A person chooses the day of an item. Raises NotOpen, DayRefused, DateReasonNeeded."""
    _check_reason(event.reason)
    item = draft.definition.items[event.item]
    if draft.is_settled(item.key):
        raise NotOpen("This item is finished; its date cannot be moved any more.")
    known = _plan_of(draft)
    pins = {key: day for key, day in known.pins.items() if key != item.key}
    if event.day is not None:
        time = draft.before.time_for(item.side)
        if event.day < time.owner.day_at(draft.now):
            raise DayRefused("This day is over; choose one that is still to come.")
        if not time.works_on(event.day):
            raise DayRefused("One of the two parties does not work on that day; choose a working day of both.")
        pins[item.key] = event.day
    elif item.key not in known.pins:
        raise NotOpen("Nobody has chosen a date for this item; it follows the plan already.")
    draft.whole["plan"] = msgspec.structs.replace(known, pins=pins)


def set_go_live(draft: Draft, event: GoLiveSet) -> None:
    """A person says by which day the customer is to be live. Raises DayRefused, DateReasonNeeded."""
    _check_reason(event.reason)
    if event.day is not None:
        _check_not_over(draft.before, event.day, draft.now)
    draft.whole["plan"] = msgspec.structs.replace(_plan_of(draft), go_live=event.day)


def change_calendar(draft: Draft, event: CalendarChanged) -> None:
    """A party works at other times from now on, and all that runs follows. Raises DateReasonNeeded."""
    _check_reason(event.reason)
    draft.whole.update({"plan": _plan_of(draft), event.side: event.calendar})
    timers.follow_calendars(draft)
    ageing.follow_calendars(draft)


def _plan_of(draft: Draft) -> Plan:
    """The plan so far. One that was begun before dates followed is measured against what it says now."""
    if draft.before.plan is not None:
        return draft.before.plan
    return Plan(baseline={key: item.due_at for key, item in draft.before.items.items() if item.due_at})


def _check_not_over(state: State, day: date, now: datetime) -> None:
    if day < state.partner.day_at(now):
        raise DayRefused("This day is over; choose one that is still to come.")


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise DateReasonNeeded("Write down why: a date is kept with its reason.")
    if len(reason) > LONGEST_STATEMENT:
        raise DateReasonNeeded(f"A reason may have {LONGEST_STATEMENT} characters.")
