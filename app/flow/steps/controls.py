"""Controls: conditions that open an exception as soon as they are true and close it when they no longer are.

What a person has resolved while its condition was true stays resolved: they have seen it and decided.
"""

from __future__ import annotations

from app.flow.criteria import CriterionFailed
from app.flow.definition import Control, Item
from app.flow.state import SYSTEM, OpenedException
from app.flow.steps.draft import Draft
from app.flow.steps.exceptions import clear_criterion_errors, close_exception, note_criterion_error, open_exception

OF_CONTROL = "control."


def watch(draft: Draft) -> None:
    """Look at every control; what blocks is opened before anything that it holds could begin."""
    for control in draft.definition.controls:
        item = draft.definition.items[control.item]
        ours = [each for each in draft.exceptions.values() if each.place == f"{OF_CONTROL}{control.id}"]
        opened = next((each for each in ours if each.is_open), None)
        if opened is None and (draft.is_settled(item.key) or _was_decided(ours)):
            continue
        wrong = _holds(draft, control, item)
        if wrong and opened is None:
            _open(draft, control, item)
        elif wrong is False and opened is not None:
            _close(draft, opened, item)


def _was_decided(ours: list[OpenedException]) -> bool:
    return bool(ours) and ours[-1].resolved_by != SYSTEM


def _holds(draft: Draft, control: Control, item: Item) -> bool | None:
    """Whether the condition is true; None where it cannot be judged, which is an exception of its own."""
    try:
        wrong = control.when.holds(draft.facts.of(item))
    except CriterionFailed as trouble:
        note_criterion_error(draft, item.key, place=trouble.place, reason=trouble.reason)
        return None
    if any(each.is_open and each.place == control.when.place for each in draft.exceptions.values()):
        clear_criterion_errors(draft, item.key)
    return wrong


def _open(draft: Draft, control: Control, item: Item) -> None:
    label = control.label.get("en") or next(iter(control.label.values()))
    open_exception(
        draft,
        item.key,
        kind=control.exception,
        reason_code=control.reason_code,
        note=f"Control “{control.id}”: {label}",
        blocks=control.blocks,
        place=f"{OF_CONTROL}{control.id}",
    )
    if control.blocks and _is_of_people(item) and draft.items[item.key].state == "open":
        draft.set(item.key, state="blocked")


def _close(draft: Draft, opened: OpenedException, item: Item) -> None:
    close_exception(draft, opened, resolution="close", reason="What it watches is in order now.", by=SYSTEM)
    held = draft.items[item.key].state == "blocked" and _is_of_people(item)
    if held and not draft.blocking(item.key):
        draft.set(item.key, state="open")


def _is_of_people(item: Item) -> bool:
    return item.kind in {"task", "gate"} and item.action is None
