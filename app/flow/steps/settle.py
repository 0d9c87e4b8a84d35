"""What becomes possible: opens items whose turn has come, closes what is complete, ends the onboarding.

Runs to a standstill after every event; each pass moves items forward only.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Literal

from app.flow.commands import Finish, NotifyRole, Outcome, RequestAction, StartNext
from app.flow.communications.policy import SUPPRESSED
from app.flow.communications.sending import (
    ask_whoever_sends,
    forget_approvals,
    look_again,
    send_by_itself,
    standing_in,
)
from app.flow.criteria import Criterion, CriterionFailed
from app.flow.definition import Definition, Item
from app.flow.fields import Value
from app.flow.state import SYSTEM, ItemStatus, State
from app.flow.steps.controls import watch
from app.flow.steps.draft import Draft
from app.flow.steps.exceptions import (
    clear_criterion_errors,
    close_all,
    close_of_item,
    close_rest,
    note_criterion_error,
    note_stall,
)
from app.flow.steps.facts import Facts
from app.flow.steps.gates import enter_gate
from app.flow.steps.timers import cancel_all, start_timers


def settle(draft: Draft) -> None:
    """Advance until nothing moves, then end the onboarding if every stage is settled."""
    moved = True
    while moved:
        moved = False
        watch(draft)
        for item in draft.definition.items.values():
            moved |= _advance(draft, item)
    forget_approvals(draft)
    if all(draft.is_settled(stage.key) for stage in draft.definition.of_kind("stage")):
        finish(draft, "finished")
    elif not any(_can_be_acted_on(draft, item) for item in draft.definition.items.values()):
        _note_stalls(draft)


def finish(draft: Draft, outcome: Outcome, reason: str = "") -> None:
    """End the onboarding: nothing stays armed, nothing stays open."""
    cancelled = outcome == "cancelled"
    draft.whole.update(status=outcome, ended_at=draft.now, hold=None)
    cancel_all(draft)
    close_rest(draft, reason="The onboarding ended.")
    for key in draft.items:
        if not draft.is_settled(key):
            draft.set(key, state="cancelled", settled_at=draft.now)
    if not cancelled:
        _follow_on(draft)
    draft.commands.append(Finish(outcome=outcome, at=draft.now, reason=reason))


def _follow_on(draft: Draft) -> None:
    """What the template says follows a run that was finished; a criterion that cannot be judged starts nothing."""
    for number, link in enumerate(draft.definition.then, 1):
        try:
            wanted = link.when is None or link.when.holds(draft.facts)
        except CriterionFailed:
            wanted = False
        if wanted:
            due_at = draft.due(draft.now, link.after, "partner") if link.after else draft.now
            draft.commands.append(StartNext(lifecycle=link.lifecycle, due_at=due_at, number=number))


def settle_item(draft: Draft, key: str, state: ItemStatus, *, by: str) -> None:
    """An item is done or skipped: its timers end and so do the engine's own exceptions on it."""
    draft.set(key, state=state, settled_at=draft.now, settled_by=by)
    close_all(draft, key, reason="The item is settled.", by=by)


def skip(draft: Draft, item: Item, *, by: str) -> None:
    """Skip an item and all below it that is not settled."""
    for child in item.children:
        if not draft.is_settled(child):
            skip(draft, draft.definition.items[child], by=by)
    settle_item(draft, item.key, "skipped", by=by)


def close_unneeded(draft: Draft, item: Item, *, by: str, reason: str) -> None:
    """What is optional, and all below it that is not settled, is not needed; what was reported about it closes."""
    for child in item.children:
        if not draft.is_settled(child):
            close_unneeded(draft, draft.definition.items[child], by=by, reason=reason)
    close_of_item(draft, item.key, reason=reason, by=by)
    settle_item(draft, item.key, "not_needed", by=by)
    draft.set(item.key, reason=reason)


def request_action(draft: Draft, item: Item, given: Mapping[str, Value] | None = None) -> None:
    """Call the connector for an action task; what is `given` stands in the place of its own input, for this call.

    Each call has a number of its own, and with it an idempotency key of its own: a peer never sees two inputs under
    one key. Raises CriterionFailed when its input has no value.
    """
    call = item.action
    if call is None:
        return
    request, facts = draft.items[item.key].request + 1, draft.facts.of(item)
    other = given or {}
    own = {name: _plain(each.value(facts)) for name, each in call.inputs.items() if name not in other}
    inputs = own | {name: value for name, value in other.items() if value is not None}
    draft.set(item.key, state="running", request=request)
    draft.commands.append(
        RequestAction(task=item.key, connector=call.connector, action=call.action, input=inputs, request=request)
    )


def input_now(definition: Definition, state: State, item: Item) -> dict[str, Value]:
    """What an action would be called with now; what has no value is left out."""
    facts, found = Facts(definition, state).of(item), dict[str, Value]()
    for name, criterion in (item.action.inputs if item.action else {}).items():
        with suppress(CriterionFailed):
            found[name] = _plain(criterion.value(facts))
    return found


def reopen(draft: Draft, item: Item, given: Mapping[str, Value] | None = None) -> None:
    """Let a blocked or finished task or gate be acted on again; an action with what is `given`."""
    if item.action is not None:
        request_action(draft, item, given)
    else:
        draft.set(item.key, state="open", settled_at=None, settled_by=None)


def _advance(draft: Draft, item: Item) -> bool:
    state = draft.items[item.key].state
    try:
        if state == "waiting":
            return _try_open(draft, item)
        if state == "open" and item.kind in {"stage", "milestone", "group"}:
            return _try_close(draft, item)
        if state == "open" and item.sends is not None:
            return look_again(draft, item).suppressed and _keep_back(draft, item)
    except CriterionFailed as trouble:
        note_criterion_error(draft, item.key, place=trouble.place, reason=trouble.reason)
    return False


def _can_be_acted_on(draft: Draft, item: Item) -> bool:
    state = draft.items[item.key].state
    if draft.definition.is_optional(item.key):
        return False  # somebody may, nobody has to
    if item.kind == "milestone":
        by_person = item.evidence is not None and item.evidence.source == "person"
        return state == "open" and by_person and _all_needed_settled(draft, item)
    return item.kind in {"task", "gate"} and state in {"open", "running", "blocked"}


def _note_stalls(draft: Draft) -> None:
    """Nobody can act: what is open without a true exit, or may open but for its entry, goes to a person."""
    for item in draft.definition.items.values():
        state = draft.items[item.key].state
        if draft.definition.is_optional(item.key):
            continue
        complete = state == "open" and _all_needed_settled(draft, item)
        if complete or (state == "waiting" and _turn_has_come(draft, item)):
            word: Literal["exit", "entry"] = "exit" if complete else "entry"
            what = _criteria_in_words(draft, item, word)
            note_stall(draft, item.key, note=f"Nothing is left to do, and {what} not true.")


def _try_open(draft: Draft, item: Item) -> bool:
    if not _turn_has_come(draft, item) or _false_criteria(draft, item, "entry"):
        return False
    if not _true(draft, item, item.when) or (item.kind == "group" and not item.children):
        skip(draft, item, by=SYSTEM)
        return True
    if item.sends is not None and _settles_itself(draft, item):
        return True
    due = draft.due(draft.now, item.due, item.side) if item.due else draft.items[item.key].due_at
    if item.action is not None:
        request_action(draft, item)
    else:
        draft.set(item.key, state="open")
    clear_criterion_errors(draft, item.key)
    moved_date = {} if due == draft.items[item.key].due_at else {"due_at": due, "due_cause": "opened"}
    draft.set(item.key, opened_at=draft.now, **moved_date)
    start_timers(draft, item.key, "opened")
    _tell(draft, item)
    return True


def _settles_itself(draft: Draft, item: Item) -> bool:
    """Whether a message needs nobody: its policy keeps it back, or lets it go out by itself. Raises CriterionFailed."""
    standing = standing_in(draft, item)
    if standing.suppressed:
        return _keep_back(draft, item)
    if standing.by_itself:
        draft.set(item.key, opened_at=draft.now)
        send_by_itself(draft, item)
        settle_item(draft, item.key, "done", by=SYSTEM)
    return standing.by_itself


def _keep_back(draft: Draft, item: Item) -> bool:
    skip(draft, item, by=SYSTEM)
    draft.set(item.key, reason=SUPPRESSED)
    return True


def _turn_has_come(draft: Draft, item: Item) -> bool:
    if not _is_below_open(draft, item):
        return False
    return _has_joined(draft, item) and not draft.blocking(item.key)


def _has_joined(draft: Draft, item: Item) -> bool:
    """Whether all that it depends on has ended; with `any`, one that was done is enough, a branch not taken is none."""
    if all(draft.is_settled(key) for key in item.depends_on):
        return True
    return item.join == "any" and any(draft.items[key].state == "done" for key in item.depends_on)


def _is_below_open(draft: Draft, item: Item) -> bool:
    """Whether what the item stands in has begun and goes on; what is optional may begin until its stage ends."""
    if item.parent is None:
        return True
    state = draft.items[item.parent].state
    if state == "done" and item.optional:
        return draft.items[draft.definition.stage_of(item.key).key].state == "open"
    return state == "open"


def _all_needed_settled(draft: Draft, item: Item) -> bool:
    return all(draft.is_settled(key) for key in draft.definition.needed(item))


def _try_close(draft: Draft, item: Item) -> bool:
    if not is_complete(draft, item):
        return False
    if item.evidence is not None and item.evidence.source == "person":
        return False  # waits for MilestoneProven
    states = [draft.items[key].state for key in item.children]
    everything_skipped = "skipped" in states and "done" not in states
    if item.kind == "stage":
        _end_optional(draft, item)
    settle_item(draft, item.key, "skipped" if everything_skipped else "done", by=SYSTEM)
    return True


def _end_optional(draft: Draft, stage: Item) -> None:
    """The stage ends: what is optional in it and was not done was not needed."""
    for item in draft.definition.items.values():
        in_stage = item.optional and draft.definition.stage_of(item.key) is stage
        if in_stage and not draft.is_settled(item.key) and not _is_reached(draft, item):
            close_unneeded(draft, item, by=SYSTEM, reason="Its stage ended.")


def _is_reached(draft: Draft, item: Item) -> bool:
    """Whether an optional milestone is complete at this very moment, and so is done."""
    if item.kind not in {"milestone", "group"} or draft.items[item.key].state != "open":
        return False
    try:
        return _try_close(draft, item)
    except CriterionFailed:
        return False


def _is_asked(draft: Draft, stage: Item) -> bool:
    """Whether something optional was asked of another system: nobody loses sight of what may have an effect there."""
    return any(
        item.action is not None
        and draft.items[item.key].state in {"running", "blocked"}
        and draft.definition.stage_of(item.key) is stage
        for item in draft.definition.items.values()
    )


def is_complete(draft: Draft, item: Item) -> bool:
    """Whether all needed below is settled, nothing holds it and its exit criteria are true. Raises CriterionFailed."""
    if draft.blocking(item.key) or not _all_needed_settled(draft, item):
        return False
    if item.kind == "stage" and _is_asked(draft, item):
        return False
    complete = not _false_criteria(draft, item, "exit")
    clear_criterion_errors(draft, item.key)
    return complete


def _tell(draft: Draft, item: Item) -> None:
    if item.kind == "gate":
        enter_gate(draft, item)
    elif item.sends is not None:
        ask_whoever_sends(draft, item, standing_in(draft, item))
    elif item.kind == "task" and item.action is None:
        draft.commands.append(
            NotifyRole(message="task_opened", role=item.owner, side=item.side, item=item.key, text=item.title)
        )


def _true(draft: Draft, item: Item, criterion: Criterion | None) -> bool:
    return criterion is None or criterion.holds(draft.facts.of(item))


def _false_criteria(draft: Draft, item: Item, word: Literal["entry", "exit"]) -> list[str]:
    """Which of the two criteria is not true: the one for the business, the one for compliance."""
    written = {word: getattr(item, word), f"{word} compliance": getattr(item, f"{word}_compliance")}
    return [name for name, criterion in written.items() if not _true(draft, item, criterion)]


def _criteria_in_words(draft: Draft, item: Item, word: Literal["entry", "exit"]) -> str:
    try:
        wrong = _false_criteria(draft, item, word)
    except CriterionFailed:
        wrong = [word]
    return f"the {' and the '.join(wrong or [word])} {'criteria are' if len(wrong) > 1 else 'criterion is'}"


def _plain(value: object) -> Value:
    """A criterion's value as JSON: a timestamp becomes its date."""
    if isinstance(value, str | int | bool):
        return value
    return value.date().isoformat() if hasattr(value, "date") else str(value)
