"""Which SLA clocks stand still, and why: one side's waits while a person has said that others are waited for.

The engine's own exceptions pause nothing: an escalation must not stop itself.
"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from app.flow.clocks.court import OF_REASONS
from app.flow.definition import Definition, Side, Timer
from app.flow.state import OpenedException, Pause
from app.flow.steps.draft import Draft
from app.flow.steps.timers import continue_timer, pause_timer

# Where a template does not say it: the partner's clocks wait for customers and third parties, the customer's for those
# who set something up for them.
BY_DEFAULT: Final[dict[Side, tuple[str, ...]]] = {
    "partner": tuple(OF_REASONS),
    "customer": ("waiting_internal_provisioning", "integration_failure"),
}


def reasons_that_pause(definition: Definition, timer: Timer) -> tuple[str, ...]:
    """The reason codes while which this clock stands still."""
    return BY_DEFAULT[definition.items[timer.item].side] if timer.pauses is None else timer.pauses


def waits_for_others(draft: Draft, key: str, side: Side) -> bool:
    """Whether somebody has said that a step of that side waits for others, so that nobody need be reminded of it."""
    return _cause(draft, key, BY_DEFAULT[side]) is not None


def keep_pauses(draft: Draft) -> None:
    """Pause what has a reason to stand still now, and let go on what has none any more."""
    if not draft.before_or_started().pauses:
        return
    for timer in draft.definition.timers.values():
        known = draft.timers.get(timer.id)
        if known is None or not (known.armed or known.paused):
            continue
        waits = _waits(draft, timer)
        if known.armed and waits is not None:
            pause = Pause(since=draft.now, exception=waits.id, reason_code=waits.reason_code)
            pause_timer(draft, timer, pause)
        elif known.paused and waits is None:
            continue_timer(draft, timer, known.paused)
        elif known.paused and waits is not None:  # another is waited for, or the same one still
            pause = structs.replace(known.paused, exception=waits.id, reason_code=waits.reason_code)
            draft.timers[timer.id] = structs.replace(known, paused=pause)


def _waits(draft: Draft, timer: Timer) -> OpenedException | None:
    """The oldest open exception that pauses this clock: on its item, or on what the item stands in."""
    return _cause(draft, timer.item, reasons_that_pause(draft.definition, timer))


def _cause(draft: Draft, key: str, codes: tuple[str, ...]) -> OpenedException | None:
    if not draft.exceptions:
        return None
    places = _places(draft.definition, key)
    found = [
        each
        for each in draft.exceptions.values()
        if each.is_open and each.raised_by is not None and each.item in places and each.reason_code in codes
    ]
    return min(found, key=lambda each: (each.opened_at, each.id), default=None)


def _places(definition: Definition, key: str) -> set[str]:
    places = {key}
    while (above := definition.items[key].parent) is not None:
        places.add(above)
        key = above
    return places
