"""SLA timers and their ladders. A moved or cancelled timer is a new version; a stale one does nothing when it fires."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from app.flow.commands import CancelTimer, ContinueTimer, NotifyRole, PauseTimer, StartTimer
from app.flow.definition import Definition, Duration, Side, Timer
from app.flow.events import TimerFired
from app.flow.state import Hold, Pause, State, TimerState
from app.flow.steps.draft import HOUR, Draft
from app.kernel.errors import Conflict


class TimerNotDue(Conflict):
    """A timer fired before its time: the caller's clock and the state disagree."""


def start_timers(draft: Draft, item: str, moment: str) -> None:
    """Arm the first rung of the item's timers that start at this moment (`opened` or `started`)."""
    for timer in draft.definition.timers.values():
        if timer.item == item and timer.starts == moment:
            _arm(draft, timer, rung=0, base=draft.now)


def cancel_timers(draft: Draft, item: str) -> None:
    """Disarm every timer of an item."""
    for timer in draft.definition.timers.values():
        if timer.item == item:
            _disarm(draft, timer)


def cancel_all(draft: Draft) -> None:
    """Disarm everything: the onboarding ended."""
    for timer in draft.definition.timers.values():
        _disarm(draft, timer)


def restart_timers(draft: Draft, item: str, *, settled: bool) -> None:
    """The item begins anew: what starts with its opening waits for that; what had ended with it runs again."""
    for timer in draft.definition.timers.values():
        if timer.item == item and timer.starts == "opened":
            _disarm(draft, timer)
    if settled:
        start_timers(draft, item, "started")


def pause_timers(draft: Draft) -> tuple[str, ...]:
    """Disarm everything for a while. Returns which timers ran."""
    armed = tuple(name for name in draft.definition.timers if name in draft.timers and draft.timers[name].armed)
    for name in armed:
        _disarm(draft, draft.definition.timers[name])
    return armed


def arm_again(draft: Draft, hold: Hold) -> None:
    """Arm what ran before the hold, with the business time that was left then; what was settled meanwhile stays off."""
    for name in hold.timers:
        timer, paused = draft.definition.timers[name], draft.timers[name]
        if not draft.is_settled(timer.item):
            _go_on(draft, timer, paused, since=hold.since)


def pause_timer(draft: Draft, timer: Timer, pause: Pause) -> None:
    """Let an armed clock stand still for a reason."""
    armed = draft.timers[timer.id]
    draft.timers[timer.id] = msgspec.structs.replace(armed, armed=False, paused=pause)
    draft.commands.append(
        PauseTimer(
            timer=timer.id,
            item=timer.item,
            rung=armed.rung,
            version=armed.version,
            exception=pause.exception,
            reason_code=pause.reason_code,
        )
    )


def continue_timer(draft: Draft, timer: Timer, pause: Pause) -> None:
    """Let it go on with the business time that was left when it was paused."""
    paused = draft.timers[timer.id]
    draft.commands.append(
        ContinueTimer(
            timer=timer.id,
            item=timer.item,
            rung=paused.rung,
            paused_since=pause.since,
            reason_code=pause.reason_code,
        )
    )
    _go_on(draft, timer, paused, since=pause.since)


def follow_calendars(draft: Draft) -> None:
    """A party works at other times: each running clock ends when its time is over by them, so putting back is exact."""
    for timer in draft.definition.timers.values():
        known = draft.timers.get(timer.id)
        if known is None or known.since is None or not (known.armed or known.paused):
            continue
        now = _running(draft, timer, known.rung, since=known.since, left=known.left)
        if now.due_at != known.due_at and known.armed:
            _set(draft, timer, now)
        elif now.due_at != known.due_at:
            draft.timers[timer.id] = msgspec.structs.replace(known, due_at=now.due_at)


def take_over(draft: Draft, old: Definition, names: Mapping[str, str]) -> None:
    """Arm what runs once more, in the versions of another definition. `names`: where each old item went.

    A rung of the same length keeps its moment; another length counts from what has been used up of the old one. What
    the new definition does not have ends; what only it has begins now.
    """
    for timer in old.timers.values():
        if not _goes_on(timer, draft.definition.timers.get(timer.id), names):
            _disarm(draft, timer)
    for timer in draft.definition.timers.values():
        before, armed, item = old.timers.get(timer.id), draft.timers.get(timer.id), draft.items.get(timer.item)
        if item is None:
            continue  # of a repeated part that does not happen yet
        waits = item.state == "waiting" and timer.starts == "opened"
        if before is None or armed is None or not _goes_on(before, timer, names):
            if not (waits or draft.is_settled(timer.item)):
                _arm(draft, timer, rung=0, base=draft.now)
        elif armed.armed and (waits or draft.is_settled(timer.item) or armed.rung >= len(timer.ladder)):
            _disarm(draft, timer)
        elif armed.armed:
            _move(draft, old, before, timer)


def is_stale(state: State, event: TimerFired) -> bool:
    """Whether this firing is of a timer that was moved, cancelled or already fired."""
    timer = state.timers.get(event.timer)
    return timer is None or not timer.armed or (timer.version, timer.rung) != (event.version, event.rung)


def climb(draft: Draft, event: TimerFired) -> tuple[Timer, int]:
    """A rung came due: tell its role and arm the next rung. Returns the timer and the rung. Raises TimerNotDue."""
    armed = draft.timers[event.timer]
    if draft.now < armed.due_at:
        raise TimerNotDue(f"Timer “{event.timer}” is due at {armed.due_at.isoformat()}, not yet.")
    timer = draft.definition.timers[event.timer]
    rung = timer.ladder[armed.rung]
    side = draft.definition.roles[rung.role].side
    draft.commands.append(
        NotifyRole(message="sla_breached", role=rung.role, side=side, item=timer.item, text=rung.message)
    )
    if armed.rung + 1 < len(timer.ladder):
        _arm(draft, timer, rung=armed.rung + 1, base=armed.due_at)
    else:
        draft.timers[timer.id] = msgspec.structs.replace(armed, armed=False)
    return timer, armed.rung


def _goes_on(before: Timer, after: Timer | None, names: Mapping[str, str]) -> bool:
    return after is not None and names.get(before.item) == after.item


def _move(draft: Draft, old: Definition, before: Timer, after: Timer) -> None:
    """Arm the rung as it is in the new ladder."""
    armed = draft.timers[before.id]
    side, was = draft.definition.items[after.item].side, old.items[before.item].side
    if (before.ladder[armed.rung].after, was) == (after.ladder[armed.rung].after, side):
        _set(draft, after, armed)
        return
    clock = draft.before.time_for(was)
    left = clock.business_between(draft.now, armed.due_at) if armed.due_at > draft.now else timedelta(0)
    used = max(timedelta(0), _length(draft.before, before.ladder[armed.rung].after, was) - left)
    more = max(timedelta(0), _length(draft.before, after.ladder[armed.rung].after, side) - used)
    _set(draft, after, _running(draft, after, armed.rung, since=draft.now, left=more))


def _go_on(draft: Draft, timer: Timer, paused: TimerState, *, since: datetime) -> None:
    time = draft.before.time_for(draft.definition.items[timer.item].side)
    if not time.business_between(since, draft.now):
        _set(draft, timer, paused)  # nobody would have worked meanwhile: it is due as it was
        return
    left = max(timedelta(0), time.business_between(since, paused.due_at))
    _set(draft, timer, _running(draft, timer, paused.rung, since=draft.now, left=left))


def _arm(draft: Draft, timer: Timer, *, rung: int, base: datetime) -> None:
    _set(draft, timer, _running(draft, timer, rung, since=base, left=None))


def _running(draft: Draft, timer: Timer, rung: int, *, since: datetime, left: timedelta | None) -> TimerState:
    """A rung with so much of its time left since then; None: all of it."""
    state, side = draft.before_or_started(), draft.definition.items[timer.item].side
    length = _length(state, timer.ladder[rung].after, side) if left is None else left
    running = TimerState(rung=rung, due_at=state.time_for(side).add_business(since, length), version=0)
    return msgspec.structs.replace(running, since=since, left=left) if state.clocks_follow else running


def _set(draft: Draft, timer: Timer, running: TimerState) -> None:
    """Arm it, as a new version."""
    before = draft.timers.get(timer.id)
    version = before.version + 1 if before else 1
    draft.timers[timer.id] = msgspec.structs.replace(running, version=version, armed=True, paused=None)
    draft.commands.append(
        StartTimer(timer=timer.id, item=timer.item, rung=running.rung, due_at=running.due_at, version=version)
    )


def _disarm(draft: Draft, timer: Timer) -> None:
    armed = draft.timers.get(timer.id)
    if armed and armed.armed:
        draft.timers[timer.id] = msgspec.structs.replace(armed, armed=False)
        draft.commands.append(CancelTimer(timer=timer.id, item=timer.item, rung=armed.rung, version=armed.version))
    elif armed and armed.paused:
        draft.timers[timer.id] = msgspec.structs.replace(armed, paused=None)


def _length(state: State, after: Duration, side: Side) -> timedelta:
    """An SLA runs in working time: a day is one working day's length, not the end of a day."""
    if after.business_hours is not None:
        return after.business_hours * HOUR
    return (after.business_days or 0) * state.time_for(side).owner.day_length
