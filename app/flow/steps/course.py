"""Skip and roll back: what a person changes in the course of an onboarding, always with a reason."""

from __future__ import annotations

from app.flow.definition import UNKNOWN_OUTCOME, Definition, Item
from app.flow.events import By, ItemSkipped, RolledBack
from app.flow.state import SETTLED
from app.flow.steps.draft import Draft, NotOpen
from app.flow.steps.exceptions import UNDO, close_exception, open_exception
from app.flow.steps.holds import move_due_dates
from app.flow.steps.settle import skip
from app.flow.steps.timers import restart_timers
from app.flow.steps.work import UNUSABLE, FirstValueNeedsProof, need_reason
from app.kernel.errors import Conflict


class SkipRefused(Conflict):
    """What cannot be left out: a gate, or an action whose outcome somebody has to look at first."""


class RollBackRefused(Conflict):
    """There is nothing to roll back, or not to there."""


def below(definition: Definition, key: str) -> list[str]:
    """An item and everything under it."""
    return [key, *(each for child in definition.items[key].children for each in below(definition, child))]


def skip_item(draft: Draft, event: ItemSkipped) -> None:
    """Leave an item out with all that is open below it. Raises ReasonNeeded, SkipRefused, FirstValueNeedsProof."""
    need_reason(event.reason)
    item = draft.definition.items[event.item]
    if draft.is_settled(item.key):
        raise NotOpen("This is settled already; it cannot be left out any more.")
    left = [key for key in below(draft.definition, item.key) if not draft.is_settled(key)]
    if any(draft.definition.items[key].kind == "gate" for key in left):
        raise SkipRefused("A gate is decided by its reviewer; it is not left out.")
    if draft.definition.first_value.milestone in left:
        raise FirstValueNeedsProof("First value must be proven; it cannot be skipped.")
    if asked_below(draft, item.key):
        raise SkipRefused(
            "An action was asked of another system: wait for its result, or resolve its exception, before this is "
            "left out."
        )
    for each in list(draft.exceptions.values()):
        if each.is_open and each.item in left:
            close_exception(draft, each, resolution="skip", reason=event.reason, by=event.by.actor)
    skip(draft, item, by=event.by.actor)
    draft.set(item.key, reason=event.reason)


def roll_back_to(draft: Draft, event: RolledBack) -> None:
    """Raises ReasonNeeded, RollBackRefused."""
    roll_back(draft, event.by, event.stage, event.reason)


def roll_back(draft: Draft, by: By, stage: str, reason: str) -> None:
    """Begin a stage and every later one anew; first value once reached stays. Raises ReasonNeeded, RollBackRefused.

    What a connector did outside cannot be taken back from here: each such call becomes an exception that holds its
    task until a person has undone it by hand, or has said that it may stay.
    """
    need_reason(reason)
    stages = [each.key for each in draft.definition.of_kind("stage")]
    if stage not in stages:
        raise RollBackRefused("An onboarding is rolled back to a stage.")
    if draft.items[stage].state == "waiting":
        raise RollBackRefused("This stage has not begun; there is nothing to roll back.")
    since = draft.items[stage].opened_at or draft.now
    kept = _reached(draft)
    later = [key for each in stages[stages.index(stage) :] for key in below(draft.definition, each) if key not in kept]
    for key in later:
        if draft.items[key].state != "waiting":
            _begin_anew(draft, draft.definition.items[key], by=by, reason=reason)
    move_due_dates(draft, later, since=since, cause="rolled_back")


def _begin_anew(draft: Draft, item: Item, *, by: By, reason: str) -> None:
    before = draft.items[item.key]
    had_effect = _had_effect(draft, item)
    for each in list(draft.exceptions.values()):
        if each.is_open and each.item == item.key:
            close_exception(draft, each, resolution="roll_back", reason=reason, by=by.actor)
    draft.set(item.key, state="waiting", opened_at=None, settled_at=None, settled_by=None, decision=None, reason=None)
    draft.forget_signatures(item.key)
    draft.set(item.key, answers={}, evidence=None, result=before.result if had_effect else {})
    restart_timers(draft, item.key, settled=before.state in SETTLED)
    if had_effect and item.action is not None:
        call = f"“{item.action.action}” of {item.action.connector}"
        open_exception(
            draft,
            item.key,
            kind="technical_blocker",
            reason_code="waiting_internal_provisioning",
            note=f"Call {before.request}, {call}, cannot be undone from here. Undo it by hand, then try again; or say "
            "that it was done, and it stays as it is.",
            blocks=True,
            place=UNDO,
        )


def _reached(draft: Draft) -> set[str]:
    """First value is reached once: its milestone and what stands below it stay as they are."""
    if draft.before.first_value_at is None:
        return set()
    return set(below(draft.definition, draft.definition.first_value.milestone))


def _had_effect(draft: Draft, item: Item) -> bool:
    """Whether another system may have been changed: a call that plainly failed has changed nothing."""
    state = draft.items[item.key]
    if item.action is None or not state.request:
        return False
    if state.state != "blocked":
        return True
    held = [each for each in draft.exceptions.values() if each.is_open and each.item == item.key]
    return any(each.type == UNKNOWN_OUTCOME or each.note.startswith(UNUSABLE) for each in held)


def asked_below(draft: Draft, key: str) -> bool:
    """Whether another system was asked for something in an item or below it, and the outcome is still open."""
    items = (draft.definition.items[each] for each in below(draft.definition, key))
    return any(item.action is not None and draft.items[item.key].state in {"running", "blocked"} for item in items)
