"""“finish”: everything goes well, as in the sample, until an item has ended."""

from __future__ import annotations

from collections.abc import Iterator

from app.flow.definition import Definition, Item
from app.flow.events import Event
from app.kernel.errors import Conflict, SlipwayError
from app.templates.trials.playing import SIGNER, Play
from app.templates.trials.steps import event_of

_MOST_STEPS = 1_000
_LETS_THROUGH = ("pass", "proceed", "override")  # the best first


class Stuck(Conflict):
    """What a test wants finished cannot be, though everything goes well."""


def finish(play: Play, wanted: Item) -> None:
    """All goes well until an item has ended: what stands in it first, then whatever else can be done. Raises Stuck."""
    for _ in range(_MOST_STEPS):
        if play.state.status != "running" or play.state.is_settled(wanted.key):
            return
        if not any(_applied(play, event) for event in _ways(play, wanted)):
            break
    held = [key for key, item in play.state.items.items() if item.state in {"open", "running", "blocked"}]
    why = f"open are {', '.join(held)}" if held else "nothing is open"
    raise Stuck(f"“{wanted.key}” cannot be finished though everything goes well: {why}.")


def _applied(play: Play, event: Event) -> bool:
    try:
        play.apply(event)
    except SlipwayError:
        return False
    return True


def _ways(play: Play, wanted: Item) -> Iterator[Event]:
    """What brings it on; nobody does what is optional unless it is what the test wants."""
    plan, states = play.plan, play.state.items  # nothing is applied before the next way is asked for
    moving = [item for item in plan.items.values() if states[item.key].state in {"open", "running"}]
    for item in sorted(moving, key=lambda each: (not _is_in(plan, each, wanted.key), each.position)):
        if states[item.key].state == "running" and item.action is not None:
            yield event_of(play, {"succeed": item.key})
        elif states[item.key].state == "open" and (item.key == wanted.key or not plan.is_optional(item.key)):
            yield from _well(play, item)


def _well(play: Play, item: Item) -> Iterator[Event]:
    if item.signing is not None:
        for number in range(1, item.signing.signers + 1):
            yield event_of(play, {"sign": item.key, "name": f"{SIGNER} {number}"})
    elif item.kind == "task":
        yield event_of(play, {"complete": item.key})
    elif item.kind == "milestone":
        yield event_of(play, {"prove": item.key})
    elif item.review:
        for effect in _LETS_THROUGH:
            for button in item.review.decisions:
                if button.effect == effect:
                    yield event_of(play, {"decide": item.key, "decision": button.id})


def _is_in(plan: Definition, item: Item, key: str) -> bool:
    above: str | None = item.key
    while above is not None:
        if above == key:
            return True
        above = plan.items[above].parent
    return False
