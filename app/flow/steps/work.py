"""What people and connectors do to tasks and milestones, and how a person resolves what went wrong."""

from __future__ import annotations

from app.flow.commands import NotifyRole, ReachFirstValue
from app.flow.communications.sending import check_sender, send_written
from app.flow.criteria import CriterionFailed
from app.flow.definition import UNKNOWN_OUTCOME, Item, Refusal
from app.flow.events import (
    ActionFailed,
    ActionSucceeded,
    ActionUnknown,
    MilestoneProven,
    TaskCompleted,
    TaskReopened,
)
from app.flow.fields import AnswersRefused, Field, Value, check_answers
from app.flow.kinds.handing import hand_over
from app.flow.kinds.refusing import check_refusal
from app.flow.questions import asked_of
from app.flow.state import SYSTEM
from app.flow.steps.draft import Draft, NotOpen
from app.flow.steps.exceptions import open_exception
from app.flow.steps.settle import is_complete, settle_item
from app.flow.steps.timers import start_timers
from app.kernel.errors import Conflict, Forbidden, Invalid

FAILED = Refusal(exception="technical_blocker", reason_code="integration_failure")
UNUSABLE = "The connector's result cannot be used"  # how the note begins of a call that did have its effect
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
    """A person finishes a task; one that sends, sends what they wrote.

    Raises NotOpen, NotYourTask, AnswersRefused, EvidenceMissing, and of what sends NotTheApprover, PolicyUnclear.
    """
    item = _task(draft, event.task)
    state = draft.items[item.key].state
    if state != "open":
        raise NotOpen(f"This task is {state}; it cannot be completed now.")
    if event.by.side != item.side:
        raise NotYourTask(f"This task belongs to the {item.side}; only they can complete it.")
    if item.sends is not None:
        check_sender(draft, item, event.by)
    if item.handover is not None:
        hand_over(draft, item, event)
        return
    if item.signing is not None:
        check_refusal(item.signing, event.by, event.answers)
    asked = asked_of(item, event.answers, draft.facts.of(item))
    left_out = {field.id for field in item.fields} - {field.id for field in asked}
    answers = check_answers(asked, {name: value for name, value in event.answers.items() if name not in left_out})
    if item.task_kind == "check":
        _check_ticked(asked, answers)
    proof = draft.proof(event.evidence, event.by.actor) if item.evidence or event.evidence else None
    if item.sends is not None:
        answers = send_written(draft, item, answers)
    draft.set(item.key, answers=answers, evidence=proof)
    agreed = answers.get("signed" if item.signing else "approved") is True
    if item.task_kind in {"approval", "signature"} and not agreed:
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
    draft.forget_signatures(item.key)
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
    reach_first_value(draft, item)


def succeed(draft: Draft, event: ActionSucceeded) -> None:
    """The connector run ended well; a result that does not fit its outputs goes to a person. Raises StaleAction."""
    item = _called(draft, event.task, event.request)
    try:
        result = outputs(item, event.result)
    except AnswersRefused as trouble:
        _block(draft, item, FAILED, f"{UNUSABLE}: {trouble}")
        return
    draft.set(item.key, result=result)
    settle_item(draft, item.key, "done", by=SYSTEM)


def fail(draft: Draft, event: ActionFailed) -> None:
    """The connector run had no effect. Raises StaleAction."""
    item = _called(draft, event.task, event.request)
    _block(draft, item, item.on_refusal or FAILED, event.error)


def lose(draft: Draft, event: ActionUnknown) -> None:
    """Nobody knows whether the connector run had its effect. Raises StaleAction."""
    item = _called(draft, event.task, event.request)
    _block(draft, item, Refusal(exception=UNKNOWN_OUTCOME, reason_code="integration_failure"), event.error)


def reach_first_value(draft: Draft, item: Item) -> None:
    """First value is proven, if it is this milestone that was, and never before."""
    proof = draft.items[item.key].evidence
    if item.key != draft.definition.first_value.milestone or proof is None or draft.before.first_value_at:
        return
    draft.whole["first_value_at"] = draft.now
    draft.commands.append(ReachFirstValue(milestone=item.key, evidence=proof, at=draft.now))
    draft.commands.append(
        NotifyRole(message="first_value_reached", role=item.owner, side=item.side, item=item.key,
                   text=draft.definition.first_value.definition)
    )  # fmt: skip


def _block(draft: Draft, item: Item, refusal: Refusal, note: str) -> None:
    draft.set(item.key, state="blocked")
    open_exception(draft, item.key, kind=refusal.exception, reason_code=refusal.reason_code, note=note, blocks=True)


def _complete(draft: Draft, item: Item) -> bool:
    try:
        return is_complete(draft, item)
    except CriterionFailed:
        return False


def _check_ticked(asked: tuple[Field, ...], answers: dict[str, Value]) -> None:
    unticked = [each.id for each in asked if each.type == "boolean" and each.required and not answers.get(each.id)]
    if unticked:
        errors = [(f"/answers/{name}", "This must be ticked.") for name in unticked]
        raise AnswersRefused("Every point of a check must be ticked before it is complete.", errors=errors)


def outputs(item: Item, result: dict[str, Value]) -> dict[str, Value]:
    """The declared outputs of an action among what it gave back. Raises AnswersRefused."""
    declared = item.action.outputs if item.action else ()
    wanted = {field.id for field in declared}
    return check_answers(declared, {name: value for name, value in result.items() if name in wanted}, at="result")


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
