"""What a state waits for by itself: every moment that is set, with the event that it makes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from app.flow import events
from app.flow.events import Event
from app.flow.state import State
from app.flow.steps.exceptions import alert_due, alert_version

Waiting = tuple[
    datetime, str, Event
]  # when, what it is (of two at one moment the first in the alphabet), what it makes


def waiting(state: State) -> Iterator[Waiting]:
    """Every clock that runs; none while the onboarding is held or over."""
    if state.phase != "running":
        return
    for name, timer in state.timers.items():
        if timer.armed:
            fires = events.TimerFired(timer=name, rung=timer.rung, version=timer.version)
            yield timer.due_at, f"timer {name}", fires
    for item, reminder in state.reminders.items():
        if reminder.armed:
            yield reminder.due_at, f"reminder {item}", events.ReminderDue(item=item, version=reminder.version)
    for exception in state.exceptions.values():
        if (due := alert_due(exception)) is not None:
            aged = events.ExceptionAged(exception=exception.id, version=alert_version(due))
            yield due, f"response {exception.id}", aged
        if exception.is_open and exception.retry_at is not None:
            again = events.RetryDue(exception=exception.id, version=exception.retry_version)
            yield exception.retry_at, f"retry {exception.id}", again


def next_due(state: State) -> Waiting | None:
    """What comes first."""
    return min(waiting(state), key=lambda each: each[:2], default=None)
