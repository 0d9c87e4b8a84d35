"""What people and connectors do to tasks and milestones, and how a person resolves what went wrong."""

from __future__ import annotations

from app.flow.commands import NotifyRole, ReachFirstValue
from app.flow.criteria import CriterionFailed
from app.flow.definition import UNKNOWN_OUTCOME, Item, Refusal
from app.flow.events import (
    ActionFailed,
    ActionSucceeded,
    ActionUnknown,
    ExceptionResolved,
    MilestoneProven,
    TaskCompleted,
    TaskReopened,
)
from app.flow.fields import AnswersRefused, Value, check_answers
from app.flow.state import OpenedException
from app.flow.steps.draft import Draft, NotOpen
from app.flow.steps.exceptions import UNDO, ExceptionClosed, close_exception, open_exception
from app.flow.steps.settle import is_complete, reopen, settle_item, skip
from app.flow.steps.timers import start_timers
from app.kernel.errors import Conflict, Forbidden, Invalid

FAILED = Refusal(exception="technical_blocker", reason_code="integration_failure")
UNUSABLE = "result"  # the place of an exception on a call that had its effect and gave back what cannot be used
REFUSED = Refusal(exception="nonstandard_promise", reason_code="scope_mismatch")


class NotYourTask(Forbidden):
    """The task belongs to the other side."""


class TaskBuiltUpon(Conflict):
    """Later work stands on this task, so it stays finished."""


class StaleAction(Conflict):
    """A result of a call that is not the current one: a late worker is fenced off."""


class ReasonNeeded(Invalid):
    """A person's decision came without its reason."""


class FirstValueNeedsProof(Conflict):
    """The first-value milestone cannot be skipped or waved through."""


class ResolutionRefused(Invalid):
    """A resolution that does not fit the exception or its item."""


def complete_task(draft: Draft, event: TaskCompleted) -> None:
    """A person finishes a task. Raises NotOpen, NotYourTask, AnswersRefused, EvidenceMissing."""
    item = _task(draft, event.task)
    state = draft.items[item.key].state
    if state != "open":
        raise NotOpen(f"This task is {state}; it cannot be completed now.")
    if event.by.side != item.side:
        raise NotYourTask(f"This task belongs to the {item.side}; only they can complete it.")
    answers = check_answers(item.fields, event.answers)
    if item.task_kind == "check":
        _check_ticked(item, answers)
    proof = draft.proof(event.evidence, event.by.actor) if item.evidence or event.evidence else None
    draft.set(item.key, answers=answers, evidence=proof)
    if item.task_kind == "approval" and answers.get("approved") is not True:
        refusal = item.on_refusal or REFUSED
        note = f"Refused: {answers.get('comment') or 'no comment given'}"
        _block(draft, item, refusal, note)
    else:
        settle_item(draft, item.key, "done", by=event.by.actor)


def reopen_task(draft: Draft, event: TaskReopened) -> None:
    """Take a finished task back. Raises NotOpen, TaskBuiltUpon, ReasonNeeded."""
    item = _task(draft, event.task)
    need_reason(event.reason)
    if draft.items[item.key].state != "done" or item.action is not None:
        raise NotOpen("Only a finished task of a person can be reopened.")
    followers = [each for each in draft.definition.items.values() if item.key in each.depends_on]
    begun = any(draft.items[each.key].state != "waiting" for each in followers)
    if begun or draft.is_settled(item.parent or ""):
        raise TaskBuiltUpon("Later work has started on the strength of this task, so it stays finished.")
    draft.set(item.key, state="open", settled_at=None, settled_by=None, reason=event.reason)
    start_timers(draft, item.key, "opened")


def prove_milestone(draft: Draft, event: MilestoneProven) -> None:
    """A person gives a milestone's evidence. Raises NotOpen, EvidenceMissing."""
    item = draft.definition.items[event.milestone]
    state = draft.items[item.key].state
    if item.kind != "milestone" or item.evidence is None or item.evidence.source != "person":
        raise NotOpen("This is not a milestone that a person proves.")
    if state != "open" or not _complete(draft, item):
        raise NotOpen("This milestone cannot be proven yet: its tasks, exceptions or exit criterion are still open.")
    draft.set(item.key, evidence=draft.proof(event.evidence, event.by.actor))
    settle_item(draft, item.key, "done", by=event.by.actor)
    _first_value(draft, item)


def succeed(draft: Draft, event: ActionSucceeded) -> None:
    """The connector run ended well; a result that does not fit its outputs goes to a person. Raises StaleAction."""
    item = _called(draft, event.task, event.request)
    try:
        result = _outputs(item, event.result)
    except AnswersRefused as trouble:
        _block(draft, item, FAILED, f"The connector's result cannot be used: {trouble}", place=UNUSABLE)
        return
    draft.set(item.key, result=result)
    settle_item(draft, item.key, "done", by="system")


def fail(draft: Draft, event: ActionFailed) -> None:
    """The connector run had no effect. Raises StaleAction."""
    item = _called(draft, event.task, event.request)
    _block(draft, item, item.on_refusal or FAILED, event.error)


def lose(draft: Draft, event: ActionUnknown) -> None:
    """Nobody knows whether the connector run had its effect. Raises StaleAction."""
    item = _called(draft, event.task, event.request)
    _block(draft, item, Refusal(exception=UNKNOWN_OUTCOME, reason_code="integration_failure"), event.error)


def resolve(draft: Draft, event: ExceptionResolved) -> None:
    """A person decides what becomes of an exception and its item. Raises ExceptionClosed, ResolutionRefused."""
    exception = draft.exceptions.get(event.exception)
    if exception is None or not exception.is_open:
        raise ExceptionClosed("This exception is resolved already, or does not exist.")
    need_reason(event.reason)
    item = draft.definition.items[exception.item]
    close_exception(draft, exception, resolution=event.resolution, reason=event.reason, by=event.by.actor)
    if event.resolution in {"done", "skip"}:
        _force(draft, item, event, undone=exception.place == UNDO)
    elif event.resolution == "close" and exception.blocks:
        raise ResolutionRefused("Work waits for this exception: retry the item, count it as done, or skip it.")
    elif draft.items[item.key].state == "blocked" and not draft.blocking(item.key):
        _retry(draft, item, exception)


def _retry(draft: Draft, item: Item, exception: OpenedException) -> None:
    try:
        reopen(draft, item)
    except CriterionFailed as trouble:
        message = f"{exception.id} cannot be retried: {trouble.reason}. Give the missing fact first."
        raise ResolutionRefused(message) from trouble


def _force(draft: Draft, item: Item, event: ExceptionResolved, *, undone: bool) -> None:
    """Count an item as done with evidence, or skip it, because a person said so.

    `undone`: it was rolled back and its effect outside stays as it is, with the result that was kept.
    """
    if draft.is_settled(item.key):
        raise ResolutionRefused("This item is settled already; close the exception instead.")
    if item.kind == "gate":
        raise ResolutionRefused("A gate is decided by its reviewer; retry it, then decide.")
    if event.resolution == "skip":
        if _holds_gate(draft, item):
            raise ResolutionRefused("A gate stands in this stage; it is decided by its reviewer, not skipped.")
        if _holds_first_value(draft, item):
            raise FirstValueNeedsProof("First value must be proven; it cannot be skipped.")
        skip(draft, item, by=event.by.actor)
        return
    if any(not draft.is_settled(child) for child in item.children):
        raise ResolutionRefused("This item is not finished below; resolve that first.")
    if draft.items[item.key].state == "waiting" and not undone:
        raise ResolutionRefused("It is not this item's turn yet; it cannot be counted as done.")
    proof = draft.proof(event.evidence, event.by.actor)
    result = _outputs(item, event.result or draft.items[item.key].result)
    draft.set(item.key, evidence=proof, result=result, reason=event.reason)
    settle_item(draft, item.key, "done", by=event.by.actor)
    _first_value(draft, item)


def _holds_gate(draft: Draft, item: Item) -> bool:
    return any(draft.definition.items[key].kind == "gate" and not draft.is_settled(key) for key in item.children)


def _holds_first_value(draft: Draft, item: Item) -> bool:
    return draft.definition.first_value.milestone in {item.key, *item.children}


def _first_value(draft: Draft, item: Item) -> None:
    proof = draft.items[item.key].evidence
    if item.key != draft.definition.first_value.milestone or proof is None or draft.before.first_value_at:
        return
    draft.whole["first_value_at"] = draft.now
    draft.commands.append(ReachFirstValue(milestone=item.key, evidence=proof, at=draft.now))
    draft.commands.append(
        NotifyRole(message="first_value_reached", role=item.owner, side=item.side, item=item.key,
                   text=draft.definition.first_value.definition)
    )  # fmt: skip


def _block(draft: Draft, item: Item, refusal: Refusal, note: str, *, place: str | None = None) -> None:
    draft.set(item.key, state="blocked")
    kind, reason_code = refusal.exception, refusal.reason_code
    open_exception(draft, item.key, kind=kind, reason_code=reason_code, note=note, blocks=True, place=place)


def _complete(draft: Draft, item: Item) -> bool:
    try:
        return is_complete(draft, item)
    except CriterionFailed:
        return False


def _check_ticked(item: Item, answers: dict[str, Value]) -> None:
    unticked = [
        each.id for each in item.fields if each.type == "boolean" and each.required and not answers.get(each.id)
    ]
    if unticked:
        errors = [(f"/answers/{name}", "This must be ticked.") for name in unticked]
        raise AnswersRefused("Every point of a check must be ticked before it is complete.", errors=errors)


def _outputs(item: Item, result: dict[str, Value]) -> dict[str, Value]:
    outputs = item.action.outputs if item.action else ()
    wanted = {field.id for field in outputs}
    return check_answers(outputs, {name: value for name, value in result.items() if name in wanted}, at="result")


def _called(draft: Draft, task: str, request: int) -> Item:
    item = _task(draft, task)
    state = draft.items[item.key]
    if item.action is None or state.state != "running" or state.request != request:
        raise StaleAction(f"Call {request} of {task} is not under way any more; its result changes nothing.")
    return item


def _task(draft: Draft, key: str) -> Item:
    item = draft.definition.items[key]
    if item.kind != "task":
        raise NotOpen(f"“{key}” is not a task.")
    return item


def need_reason(reason: str) -> None:
    """Raises ReasonNeeded."""
    if not reason.strip():
        raise ReasonNeeded("Write down why: this decision is kept with its reason.")
