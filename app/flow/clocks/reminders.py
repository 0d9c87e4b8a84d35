"""Reminders before and after a step's date: each once, only while somebody can act, and each time at most one armed.

A moved date moves those that are still to come. What has passed before it could be armed is left out.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Final

from msgspec import structs

from app.flow.calendar import MOMENT, BusinessTime
from app.flow.clocks.pauses import waits_for_others
from app.flow.commands import CancelReminder, NotifyRole, StartReminder
from app.flow.definition import Duration, Item, Reminder
from app.flow.events import ReminderDue
from app.flow.state import ReminderState, State
from app.flow.steps.draft import HOUR, Draft
from app.flow.steps.timers import TimerNotDue

Turn = tuple[int, int]  # which of the step's reminders, and the how-manieth time

BY_DEFAULT: Final = (
    Reminder(before=Duration(business_days=1)),
    Reminder(after=Duration(business_days=1), every=Duration(business_days=2), at_most=3),
)


def reminders_of(item: Item) -> tuple[Reminder, ...]:
    """What a template says, else one a working day before the date, and three after it; none for what nobody does."""
    if item.kind not in {"task", "gate"} or item.action is not None:
        return ()
    if item.remind is not None:
        return item.remind
    return BY_DEFAULT if item.due is not None else ()


def is_stale_reminder(state: State, event: ReminderDue) -> bool:
    """Whether this one was moved or taken back, or was given before."""
    known = state.reminders.get(event.item)
    return known is None or not known.armed or known.version != event.version


def give(draft: Draft, event: ReminderDue) -> None:
    """Its moment came: tell whoever's step it is. Raises TimerNotDue."""
    known, item = draft.before.reminders[event.item], draft.definition.items[event.item]
    if draft.now < known.due_at:
        raise TimerNotDue(f"The reminder of “{item.key}” is due at {known.due_at.isoformat()}, not yet.")
    given = structs.replace(
        known, armed=False, given=(*known.given, known.turn), sent=known.sent + 1, last_at=draft.now
    )
    draft.whole["reminders"] = draft.before.reminders | {item.key: given}
    draft.commands.append(NotifyRole(message="reminder", role=draft.before.acts(item), side=item.side, item=item.key))


def keep_reminders(draft: Draft) -> None:
    """Arm the next reminder of each step that waits for somebody; take back what nobody needs any more."""
    after = draft.state
    if not after.reminds:
        return
    known = {key: told for key, told in after.reminders.items() if key in draft.definition.items}  # a part may be gone
    for key, item in draft.definition.items.items():
        before = known.get(key)
        wanted = _next(draft, item, after, before)
        if wanted is not None:
            known[key] = _arm(draft, key, before, wanted)
        elif before is not None and before.armed:
            known[key] = structs.replace(before, armed=False)
            draft.commands.append(CancelReminder(item=key, version=before.version))
    if known != after.reminders:
        draft.whole["reminders"] = known


def _arm(draft: Draft, key: str, before: ReminderState | None, wanted: tuple[Turn, datetime]) -> ReminderState:
    turn, due_at = wanted
    opened_at = draft.items[key].opened_at
    if before and before.armed and (before.turn, before.due_at, before.opened_at) == (turn, due_at, opened_at):
        return before
    given = before.given if before and before.opened_at == opened_at else ()
    version = before.version + 1 if before else 1
    draft.commands.append(StartReminder(item=key, due_at=due_at, version=version))
    told = (before.sent, before.last_at) if before else (0, None)
    return ReminderState(
        turn=turn,
        due_at=due_at,
        version=version,
        opened_at=opened_at,
        given=given,
        sent=told[0],
        last_at=told[1],
    )


def _next(draft: Draft, item: Item, after: State, before: ReminderState | None) -> tuple[Turn, datetime] | None:
    """The earliest that is still to come, or that is due and has not been told yet."""
    state, rules = after.items[item.key], reminders_of(item)
    if not rules or after.phase != "running" or state.state != "open" or state.due_at is None:
        return None
    if waits_for_others(draft, item.key, item.side):
        return None
    same = before is not None and before.opened_at == state.opened_at
    given = before.given if before and same else ()
    due = {(before.turn, before.due_at)} if before and same and before.armed else set()
    for turn, moment in moments(after.time_for(item.side), state.due_at, rules):
        if turn not in given and (moment > draft.now or (turn, moment) in due):
            return turn, moment
    return None


@lru_cache(maxsize=4096)
def moments(time: BusinessTime, due: datetime, rules: tuple[Reminder, ...]) -> tuple[tuple[Turn, datetime], ...]:
    """All reminders of a date, the earliest first.

    Whole days count from the date's own day and come when that working day begins; hours are working time.
    """
    found: list[tuple[Turn, datetime]] = []
    for number, rule in enumerate(rules):
        if rule.before is not None:
            found.append(((number, 0), _before(time, due, rule.before)))
        if rule.after is not None:
            moment = _after(time, due, time.owner.day_at(due - MOMENT), rule.after)
            for turn in range(rule.at_most):
                if turn:
                    moment = _after(time, moment, time.owner.day_at(moment), rule.every or rule.after)
                found.append(((number, turn), moment))
    return tuple(sorted(found, key=lambda each: (each[1], each[0])))


def _before(time: BusinessTime, due: datetime, length: Duration) -> datetime:
    if length.business_hours is not None:
        return time.latest_for(due, length.business_hours * HOUR)
    return time.opening(time.owner.day_at(due - MOMENT), -(length.business_days or 0))


def _after(time: BusinessTime, moment: datetime, day: date, length: Duration) -> datetime:
    if length.business_hours is not None:
        return time.add_business(moment, length.business_hours * HOUR)
    return time.opening(day, length.business_days or 0)
