"""What a person, or a moment that a person set, does about an exception: answer, route, retry, resolve, roll back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import msgspec

from app.flow.commands import NotifyRole, StartRetry
from app.flow.criteria import CriterionFailed
from app.flow.definition import UNKNOWN_OUTCOME, Definition, Item
from app.flow.events import (
    By,
    ExceptionAnswered,
    ExceptionReassigned,
    ExceptionResolutionDecided,
    ExceptionResolutionProposed,
    ExceptionResolved,
    Resolution,
    RetryDue,
    RetryScheduled,
)
from app.flow.fields import Value
from app.flow.state import SYSTEM, OpenedException, Proposal, State
from app.flow.steps.course import roll_back
from app.flow.steps.draft import Draft
from app.flow.steps.exceptions import UNDO, ExceptionClosed, ExceptionRefused, change_exception, close_exception
from app.flow.steps.settle import reopen, settle_item, skip
from app.flow.steps.timers import TimerNotDue
from app.flow.steps.work import (
    UNUSABLE,
    FirstValueNeedsProof,
    ResolutionRefused,
    need_reason,
    outputs,
    reach_first_value,
)
from app.kernel.errors import Conflict

LATEST_RETRY = timedelta(days=366)
_CHOOSE = "Choose a role or a person."
_WHEN = "Choose a moment within the next year."
_WHERE = "Choose the stage to roll back to."


class ProposalRefused(Conflict):
    """Nothing is proposed, something else is by now, or who proposed it wants to decide it too."""


def needs_second_person(definition: Definition, exception: OpenedException, resolution: Resolution) -> bool:
    """Whether another person has to agree: what may hide an effect outside, and what takes work back."""
    item = definition.items.get(exception.item)  # None: a version that the onboarding has left had it
    is_action = item is not None and item.action is not None
    if resolution == "done":
        return is_action and exception.type == UNKNOWN_OUTCOME
    return resolution == "roll_back" or (resolution == "skip" and is_action)


def may_have_had_effect(exception: OpenedException) -> bool:
    """Whether the call that it is about may have changed another system."""
    unusable = exception.note.startswith(UNUSABLE)
    return exception.type == UNKNOWN_OUTCOME or exception.place == UNDO or unusable


def is_stale_retry(state: State, event: RetryDue) -> bool:
    """Whether this moment is of a retry that was moved, or whose exception is resolved."""
    exception = state.exceptions.get(event.exception)
    return exception is None or not exception.is_open or exception.retry_version != event.version


def answer(draft: Draft, event: ExceptionAnswered) -> None:
    """A person responds to an exception, for the first time. Raises ExceptionClosed, ReasonNeeded."""
    exception = _open(draft, event.exception)
    need_reason(event.note)
    if exception.answered_at is not None:
        raise ExceptionClosed("Somebody has responded to this exception already.")
    _respond(draft, exception, event.by)


def reassign(draft: Draft, event: ExceptionReassigned) -> None:
    """Another role, or a named person, has the exception now. Raises ExceptionClosed, ExceptionRefused."""
    exception = _respond(draft, _open(draft, event.exception), event.by)
    need_reason(event.reason)
    if event.role is None and event.person is None:
        raise ExceptionRefused(_CHOOSE, errors=[("/role", _CHOOSE)])
    if event.role is not None and event.role not in draft.definition.roles:
        raise ExceptionRefused(f"There is no role “{event.role}” in this onboarding.")
    route = (event.role,) if event.role else exception.route
    changed = change_exception(draft, exception, route=route, owner=event.person)
    side, text = draft.definition.roles[route[0]].side, {"en": event.reason}
    told = NotifyRole(message="exception_opened", role=route[0], side=side, item=changed.item, text=text)
    draft.commands.append(msgspec.structs.replace(told, person=event.person))


def propose(draft: Draft, event: ExceptionResolutionProposed) -> None:
    """Somebody asks for what takes two. Raises ExceptionClosed, ReasonNeeded."""
    exception = _respond(draft, _open(draft, event.proposed.exception), event.by)
    need_reason(event.proposed.reason)
    change_exception(draft, exception, proposal=Proposal(at=draft.now, resolved=event.proposed))


def decide_proposal(draft: Draft, event: ExceptionResolutionDecided) -> None:
    """Another person agrees, and it is done, or declines. Raises ExceptionClosed, ProposalRefused."""
    exception = _open(draft, event.exception)
    if exception.proposal is None:
        raise ProposalRefused("Nothing is proposed for this exception.")
    if exception.proposal.resolved.by.actor == event.by.actor:
        raise ProposalRefused("You asked for it yourself. Another person has to agree.")
    if event.proposal and event.proposal != exception.proposal.digest:
        raise ProposalRefused("Something else is proposed by now. Read it before you decide.")
    if event.agreed:
        resolve(draft, exception.proposal.resolved)
    else:
        need_reason(event.reason)
        change_exception(draft, exception, proposal=None)


def schedule_retry(draft: Draft, event: RetryScheduled) -> None:
    """Try again once, at that moment. Raises ExceptionClosed, ResolutionRefused."""
    exception = _respond(draft, _open(draft, event.exception), event.by)
    need_reason(event.reason)
    if not exception.blocks or draft.items[exception.item].state != "blocked":
        raise ResolutionRefused("Nothing waits for this exception that could be tried again.")
    if not draft.now < event.at <= draft.now + LATEST_RETRY:
        raise ResolutionRefused(_WHEN, errors=[("/at", _WHEN)])
    version = exception.retry_version + 1
    changed = change_exception(draft, exception, retry_at=event.at, retry_version=version)
    draft.commands.append(StartRetry(exception=changed.id, item=changed.item, due_at=event.at, version=version))


def retry_now(draft: Draft, event: RetryDue) -> None:
    """The moment has come; where the retry is not possible, the exception stays open. Raises TimerNotDue."""
    exception = draft.exceptions[event.exception]
    if exception.retry_at is None or draft.now < exception.retry_at:
        raise TimerNotDue("The moment of this retry has not come yet.")
    waiting = change_exception(draft, exception, retry_at=None, retry_version=exception.retry_version + 1)
    item = draft.definition.items[exception.item]
    others = [each for each in draft.exceptions.values() if each.is_open and each.blocks and each.item == item.key]
    try:
        if draft.items[item.key].state == "blocked" and len(others) == 1:
            reopen(draft, item)
    except CriterionFailed:
        return
    close_exception(draft, waiting, resolution="retry", reason="The moment that was set has come.", by=SYSTEM)


def resolve(draft: Draft, event: ExceptionResolved) -> None:
    """A person decides what becomes of an exception and its item. Raises ExceptionClosed, ResolutionRefused."""
    exception = _open(draft, event.exception)
    need_reason(event.reason)
    item = draft.definition.items[exception.item]
    if event.input:
        _check_input(draft, item, exception, event)
    close_exception(draft, exception, resolution=event.resolution, reason=event.reason, by=event.by.actor)
    if event.resolution in {"done", "skip"}:
        _force(draft, item, event, undone=exception.place == UNDO)
    elif event.resolution == "roll_back":
        if event.stage is None:
            raise ResolutionRefused(_WHERE, errors=[("/stage", _WHERE)])
        roll_back(draft, event.by, event.stage, event.reason)
    elif event.resolution == "close" and exception.blocks:
        raise ResolutionRefused("Work waits for this exception: retry the item, count it as done, or skip it.")
    elif draft.items[item.key].state == "blocked" and not draft.blocking(item.key):
        _retry(draft, item, exception, event.input)


def _open(draft: Draft, key: str) -> OpenedException:
    exception = draft.exceptions.get(key)
    if exception is None or not exception.is_open:
        raise ExceptionClosed("This exception is resolved already, or does not exist.")
    return exception


def _respond(draft: Draft, exception: OpenedException, by: By) -> OpenedException:
    """Whatever a person does first about an exception is the first response to it."""
    if exception.answered_at is not None:
        return exception
    return change_exception(draft, exception, answered_at=draft.now, answered_by=by.actor)


def _check_input(draft: Draft, item: Item, exception: OpenedException, event: ExceptionResolved) -> None:
    """Other values are for a call that is made at once, and for nothing else: none is lost silently."""
    if item.action is None or event.resolution != "retry":
        raise ResolutionRefused("Other values are for trying an action again.")
    held = [each for each in draft.exceptions.values() if each.is_open and each.blocks and each.item == item.key]
    if draft.items[item.key].state != "blocked" or held != [exception]:
        raise ResolutionRefused("The action cannot be tried at once: something else holds it, or nothing does.")
    unknown = [(f"/input/{name}", "The action takes no such value.") for name in event.input
               if name not in item.action.inputs]  # fmt: skip
    if unknown:
        raise ResolutionRefused("The action takes no such value.", errors=unknown)


def _retry(draft: Draft, item: Item, exception: OpenedException, given: Mapping[str, Value]) -> None:
    try:
        reopen(draft, item, given)
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
    result = outputs(item, event.result or draft.items[item.key].result)
    draft.set(item.key, evidence=proof, result=result, reason=event.reason)
    settle_item(draft, item.key, "done", by=event.by.actor)
    reach_first_value(draft, item)


def _holds_gate(draft: Draft, item: Item) -> bool:
    return any(draft.definition.items[key].kind == "gate" and not draft.is_settled(key) for key in item.children)


def _holds_first_value(draft: Draft, item: Item) -> bool:
    return draft.definition.first_value.milestone in {item.key, *item.children}
