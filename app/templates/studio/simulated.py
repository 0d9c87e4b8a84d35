"""What many histories of a draft found, as a page tells it: dead ends, what is never done, the longest, how long."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from app.flow.definition import Definition
from app.flow.events import Event
from app.flow.simulate import DeadEnd, IsOver, TimeOver, Walked, sum_up, walk
from app.flow.simulation.edges import ANY, edges_of
from app.web.translations import mark

_MOST_DEAD: Final = 3  # dead ends whose history is told
_MOST_STEPS: Final = 60  # the last ones of a history
_BUCKETS: Final = 8
_SELDOM: Final = 5
_NAMES = ("task", "milestone", "gate", "item", "timer")
WORDS: Final[dict[str, str]] = {
    "Started": mark("The onboarding starts"),
    "TaskCompleted": mark("Task completed"),
    "TaskReopened": mark("Task opened again"),
    "MilestoneProven": mark("Milestone proven"),
    "GateDecided": mark("Gate decided"),
    "PacketChanged": mark("Handoff fact given"),
    "ActionSucceeded": mark("Action succeeded"),
    "ActionFailed": mark("Action failed"),
    "ActionUnknown": mark("Outcome of the action unknown"),
    "ExceptionRaised": mark("Exception raised"),
    "ExceptionResolved": mark("Exception resolved"),
    "ExceptionAged": mark("Exception waited too long"),
    "RetryDue": mark("Tried again"),
    "TimerFired": mark("SLA passed"),
    "ReminderDue": mark("Reminder sent"),
    "ItemDeclined": mark("Left out by its people"),
    "ItemSkipped": mark("Skipped"),
    "CredentialsGiven": mark("Credentials handed over again"),
    "TaskSigned": mark("Signed"),
    "PartAdded": mark("One more added"),
    "PartRemoved": mark("One removed"),
}


@dataclass(frozen=True, slots=True)
class Found:
    """Histories that were walked, and how many were wanted."""

    walked: list[Walked]
    wanted: int


def report_of(definition: Definition, found: Found, is_over: IsOver = None) -> dict[str, Any]:
    """Plain values for a page; titles in every language of the template.

    Where `is_over` says that the time is up, a dead end is told without the way that led there.
    """
    report = sum_up(definition, found.walked)
    ended = [each for each in found.walked if each.status != "running"]
    seldom = sorted((count, key) for key, count in report.touched.items())[:_SELDOM]
    return {
        "histories": report.histories,
        "wanted": found.wanted,
        "finished": report.finished,
        "cancelled": report.cancelled,
        "dead": [_dead_end(definition, each, is_over) for each in report.dead_ends[:_MOST_DEAD]],
        "dead_ends": len(report.dead_ends),
        "never": [_named(definition, key) for key in report.never],
        "seldom": [_named(definition, key) | {"count": count} for count, key in seldom],
        "longest": {"steps": report.longest, "by": report.longest_by},
        "slowest": {"days": report.slowest, "by": report.slowest_by},
        "days": _spread([each.days for each in ended]),
        "steps": _spread([each.steps for each in ended]),
    }


def _spread(values: list[int]) -> list[dict[str, int]]:
    """How many values lie in each of a few ranges of the same width."""
    if not values:
        return []
    low, high = min(values), max(values)
    width = max(1, -(-(high - low + 1) // _BUCKETS))
    counted = Counter((value - low) // width for value in values)
    return [
        {"first": low + width * index, "last": low + width * (index + 1) - 1, "count": counted[index]}
        for index in range((high - low) // width + 1)
    ]


def _dead_end(definition: Definition, dead: DeadEnd, is_over: IsOver) -> dict[str, Any]:
    """Where it stands still, and the way there: walked again, since a walk depends on nothing but its number."""
    edge = next((each for each in edges_of(definition) if each.name == dead.edge), ANY)
    try:
        history, _ = walk(definition, dead.seed, edge, is_over)
    except TimeOver:
        history = []
    steps = [
        {"day": (each.at - history[0].at).days + 1, "words": _words(each.event), **_item(definition, each.event)}
        for each in history
    ]
    return {
        "by": dead.edge or f"seed {dead.seed}",
        "steps": dead.steps,
        "left_out": dead.steps - len(steps[-_MOST_STEPS:]),
        "stuck": [_named(definition, key) for key in dead.stuck],
        "history": steps[-_MOST_STEPS:],
    }


def _words(event: Event) -> str:
    name = type(event).__name__
    return WORDS.get(name, name)


def _item(definition: Definition, event: Event) -> dict[str, Any]:
    key = next((value for name in _NAMES if isinstance(value := getattr(event, name, None), str)), "")
    return _named(definition, key) if key else {"key": "", "title": {}}


def _named(definition: Definition, key: str) -> dict[str, Any]:
    item = definition.items.get(key)
    return {"key": key, "title": dict(item.title) if item else {}}
