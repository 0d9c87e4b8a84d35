"""The reducer: what follows from an event. Pure: the same definition, state, event and moment give the same decision.

A refused event raises a named error of one of the five kinds and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from app.flow import events
from app.flow.clocks.pauses import keep_pauses
from app.flow.clocks.reminders import give, is_stale_reminder, keep_reminders
from app.flow.commands import Decision, NotifyRole
from app.flow.dates.follow import change_calendar, follow, plan, set_due_date, set_go_live
from app.flow.definition import Definition
from app.flow.events import Event
from app.flow.fields import AnswersRefused, Value, check_answers, check_value, is_given
from app.flow.kinds.handing import give_again
from app.flow.kinds.signing import sign
from app.flow.migration import asking
from app.flow.migration.migrate import migrate
from app.flow.parts.optional import decline
from app.flow.parts.repeated import add_part, follow_lists, remove_part
from app.flow.parts.unfolding import unfold
from app.flow.state import ItemState, State
from app.flow.steps import resolving, work
from app.flow.steps.ageing import alert, is_stale_alert
from app.flow.steps.course import roll_back_to, skip_item
from app.flow.steps.draft import Draft, NotOpen
from app.flow.steps.exceptions import close_given_facts, open_exception, raise_exception
from app.flow.steps.gates import judge
from app.flow.steps.holds import check_not_held, hold, resume
from app.flow.steps.settle import finish, settle, settle_item
from app.flow.steps.timers import climb, is_stale, start_timers
from app.flow.steps.work import StaleAction
from app.kernel.errors import Conflict, Missing

_RESULTS = (events.ActionSucceeded, events.ActionFailed, events.ActionUnknown)


class OnboardingEnded(Conflict):
    """Terminal is terminal."""


class NotStarted(Conflict):
    """Nothing can happen before the start, and the start happens once."""


class WrongDefinition(Conflict):
    """The state is pinned to another template version."""


class UnknownItem(Missing):
    """The event names an item that this definition does not have."""


class Recorded(Struct, frozen=True, kw_only=True):
    """One journal entry: an event and the business time at which it was decided."""

    at: datetime
    event: Event


def new_state(definition: Definition) -> State:
    """The state of an onboarding before its start, pinned to the definition's digest."""
    return State(definition=definition.digest)


def decide(definition: Definition, state: State, event: Event, now: datetime) -> Decision:
    """What follows from `event` at `now` (aware). A stale timer changes nothing and returns the very same state."""
    definition = unfold(definition, state.parts)
    _check_pinned(definition, state, event)
    if _is_late(state, event):
        return Decision(state=state, changes=(), commands=())
    _check_running(state, event)
    check_not_held(state, event)
    draft = Draft(definition, state, now)
    _STEPS[type(event)](draft, event)
    follow_lists(draft, event)
    if draft.state.phase == "running":
        settle(draft)
        keep_pauses(draft)
    moves = follow(draft, event)
    keep_reminders(draft)
    return msgspec.structs.replace(draft.decision(), moves=moves)


def decide_by(find: Callable[[str], Definition], state: State, event: Event, now: datetime) -> Decision:
    """As `decide`, with the definition that the state is pinned to; a migration takes the one it leads to as well.

    `find` gives a definition by its digest.
    """
    definition = find(state.definition)
    if not isinstance(event, events.Migrated):
        return decide(definition, state, event, now)
    _check_running(state, event)
    check_not_held(state, event)
    if event.before != state.definition:
        raise WrongDefinition("This onboarding runs another version by now.")
    return migrate(definition, find(event.definition), state, event, now)


def replay(definition: Definition, history: Iterable[Recorded], *later: Definition) -> State:
    """The state that a recorded history leads to, from the beginning; `later` are those it migrated to."""
    known = {each.digest: each for each in (definition, *later)}
    state = new_state(definition)
    for entry in history:
        state = decide_by(known.__getitem__, state, entry.event, entry.at).state
    return state


def _check_pinned(definition: Definition, state: State, event: Event) -> None:
    if state.definition != definition.digest or isinstance(event, events.Migrated):
        raise WrongDefinition("This onboarding is pinned to another version of its template.")
    if isinstance(event, _RESULTS) and event.task not in definition.items:
        raise StaleAction(f"{event.task} is not in the version that this onboarding runs; its result changes nothing.")
    if isinstance(event, events.ReminderDue) and event.item not in definition.items:
        return  # its item went elsewhere with another version: it is stale
    for name in ("item", "task", "gate", "milestone", "stage"):
        key = getattr(event, name, None)
        if key is not None and key not in definition.items:
            raise UnknownItem(f"There is no “{key}” in this onboarding.")


def _is_late(state: State, event: Event) -> bool:
    """Whether a timer fired that was moved or cancelled, or that nothing waits for while it is held or over."""
    if isinstance(event, events.TimerFired):
        return state.phase != "running" or is_stale(state, event)
    if isinstance(event, events.ExceptionAged):
        return state.phase != "running" or is_stale_alert(state, event)
    if isinstance(event, events.ReminderDue):
        return state.phase != "running" or is_stale_reminder(state, event)
    return isinstance(event, events.RetryDue) and (state.phase != "running" or resolving.is_stale_retry(state, event))


def _check_running(state: State, event: Event) -> None:
    if state.status in {"finished", "cancelled"}:
        raise OnboardingEnded(f"This onboarding is {state.status}; nothing can change it any more.")
    if (state.status == "new") != isinstance(event, events.Started):
        raise NotStarted("An onboarding starts once, and nothing happens before its start.")


def _start(draft: Draft, event: events.Started) -> None:
    definition = draft.definition
    inputs = check_answers(definition.inputs, event.inputs, at="inputs")
    packet, unfit = _fitting_facts(definition, event.packet)
    draft.whole.update(
        reference=event.reference,
        status="running",
        started_at=draft.now,
        inputs=inputs,
        packet=packet,
        partner=event.partner,
        customer=event.customer,
        pauses=event.pauses,
        reminds=event.reminds,
        clocks_follow=event.clocks_follow,
    )
    follow_lists(draft, event)
    draft.items = {key: ItemState(due_at=due, due_cause="plan") for key, due in plan(draft, event).items()}
    for key in draft.definition.items:
        start_timers(draft, key, "started")
    for name, reason in unfit.items():
        _note_unfit_fact(draft, name, reason)


def _change_packet(draft: Draft, event: events.PacketChanged) -> None:
    facts = _checked_facts(draft.definition, event.facts)
    packet = dict(draft.before.packet)
    corrected = {name for name in facts if name in packet and packet[name] != facts[name]}
    for name in event.facts:
        packet.pop(name, None)
    packet |= facts
    draft.whole.update(packet=packet, corrected=tuple(sorted(corrected | set(draft.before.corrected))))
    close_given_facts(draft)


def _assign(draft: Draft, event: events.OwnerAssigned) -> None:
    if draft.is_settled(event.item):
        raise NotOpen("This item is finished; it needs no owner any more.")
    draft.set(event.item, assignee=event.person)


def _decide_gate(draft: Draft, event: events.GateDecided) -> None:
    button = judge(draft, event)
    draft.set(event.gate, decision=button.id, reason=event.reason or None)
    if button.effect == "stop":
        finish(draft, "cancelled", event.reason)
    elif button.effect == "return":
        _send_back(draft, event)
    else:
        settle_item(draft, event.gate, "done", by=event.by.actor)


def _send_back(draft: Draft, event: events.GateDecided) -> None:
    """The gate stays open; whoever can complete what is missing is told."""
    item = draft.definition.items[event.gate]
    role = (item.review.return_to if item.review else None) or item.owner
    side = draft.definition.roles[role].side
    draft.commands.append(NotifyRole(message="gate_returned", role=role, side=side, item=item.key, text=item.title))


def _fire(draft: Draft, event: events.TimerFired) -> None:
    timer, number = climb(draft, event)
    rung = timer.ladder[number]
    if rung.exception:
        reason_code = rung.reason_code or "customer_no_response"
        note = f"“{timer.id}” passed rung {number + 1} of its ladder."
        open_exception(draft, timer.item, kind=rung.exception, reason_code=reason_code, note=note)


def _cancel(draft: Draft, event: events.Cancelled) -> None:
    if not event.reason.strip():
        raise work.ReasonNeeded("Write down why this onboarding stops.")
    finish(draft, "cancelled", event.reason)


def _note_unfit_fact(draft: Draft, name: str, reason: str) -> None:
    """A fact that came with the deal and cannot be kept: nothing is lost silently, its gate gets an exception."""
    gate = next((item for item in draft.definition.of_kind("gate") if item.review and item.review.handoff), None)
    key = gate.key if gate else draft.definition.of_kind("stage")[0].key
    note = f"The packet's “{name}” could not be taken over: {reason}"
    open_exception(
        draft, key, kind="technical_blocker", reason_code="integration_failure", note=note, place=f"packet.{name}"
    )


def _fitting_facts(definition: Definition, facts: dict[str, Value]) -> tuple[dict[str, Value], dict[str, str]]:
    """The facts that fit their fields, and why the others do not; what is missing is the gate's business."""
    known = {each.field.id: each.field for each in definition.handoff}
    kept: dict[str, Value] = {}
    unfit: dict[str, str] = {}
    for name, value in facts.items():
        reason = check_value(known[name], value) if name in known else "There is no such field."
        if reason:
            unfit[name] = reason
        elif is_given(value):
            kept[name] = value.strip() if isinstance(value, str) else value
    return kept, unfit


def _checked_facts(definition: Definition, facts: dict[str, Value]) -> dict[str, Value]:
    """The given facts of a packet. Raises AnswersRefused when one does not fit its field."""
    kept, unfit = _fitting_facts(definition, facts)
    if unfit:
        errors = [(f"/packet/{name}", reason) for name, reason in unfit.items()]
        raise AnswersRefused(f"{len(errors)} facts of the packet cannot be used: {errors[0][1]}", errors=errors)
    return kept


_STEPS: dict[type, Callable[[Draft, Any], None]] = {  # each step takes its own event type
    events.Started: _start,
    events.PacketChanged: _change_packet,
    events.DueDateSet: set_due_date,
    events.GoLiveSet: set_go_live,
    events.CalendarChanged: change_calendar,
    events.OwnerAssigned: _assign,
    events.TaskCompleted: work.complete_task,
    events.TaskReopened: work.reopen_task,
    events.CredentialsGiven: give_again,
    events.TaskSigned: sign,
    events.GateDecided: _decide_gate,
    events.MilestoneProven: work.prove_milestone,
    events.ActionSucceeded: work.succeed,
    events.ActionFailed: work.fail,
    events.ActionUnknown: work.lose,
    events.TimerFired: _fire,
    events.ReminderDue: give,
    events.ExceptionRaised: raise_exception,
    events.ExceptionResolved: resolving.resolve,
    events.ExceptionAnswered: resolving.answer,
    events.ExceptionReassigned: resolving.reassign,
    events.ExceptionResolutionProposed: resolving.propose,
    events.ExceptionResolutionDecided: resolving.decide_proposal,
    events.RetryScheduled: resolving.schedule_retry,
    events.RetryDue: resolving.retry_now,
    events.ExceptionAged: alert,
    events.ItemSkipped: skip_item,
    events.ItemDeclined: decline,
    events.PartAdded: add_part,
    events.PartRemoved: remove_part,
    events.RolledBack: roll_back_to,
    events.Held: hold,
    events.Resumed: resume,
    events.MigrationProposed: asking.propose,
    events.MigrationDeclined: asking.decline,
    events.Cancelled: _cancel,
}
