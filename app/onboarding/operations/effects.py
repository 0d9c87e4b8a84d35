"""Carries out what the engine asks for: timers, connector runs, messages, exceptions. All rows of the same commit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.connectors.operations import RunRequest, request_run
from app.flow.commands import (
    CancelReminder,
    CancelTimer,
    ChangeException,
    CloseException,
    Command,
    ContinueTimer,
    Decision,
    Finish,
    NotifyRole,
    OpenException,
    PauseTimer,
    ReachFirstValue,
    RequestAction,
    SendCommunication,
    StartAlert,
    StartNext,
    StartReminder,
    StartRetry,
    StartTimer,
)
from app.flow.definition import Definition
from app.flow.state import OpenedException, State
from app.intake.operations.exceptions import ExceptionOpening, change_exception, close_exception, open_exception
from app.intake.queries import find_exception
from app.kernel.work import Work
from app.notifications.operations import Letter
from app.onboarding.communications.operations import send_message
from app.onboarding.models import Onboarding
from app.onboarding.operations.clocks.quiet import WAITS, letter_to
from app.onboarding.people import Holder, find_holder, holders

SYSTEM_ONLY = {"carry_out": "part of `advance`, which an operation calls that has checked its own permission"}


def carry_out(work: Work, onboarding: Onboarding, definition: Definition, decision: Decision) -> dict[str, UUID]:
    """Do every command of a decision. Returns the run ids of requested actions, by task."""
    runs: dict[str, UUID] = {}
    told: set[tuple[UUID, str]] = set()
    waits = any(isinstance(command, NotifyRole) and command.message in WAITS for command in decision.commands)
    for command in decision.commands:
        if isinstance(command, RequestAction):
            runs[command.task] = _request_action(work, onboarding, command)
        elif isinstance(command, NotifyRole):
            _notify(work, onboarding, definition, decision.state, command, told, waits=waits)
        elif isinstance(command, SendCommunication):
            send_message(work, onboarding, definition, command)
        else:
            _do(work, onboarding, command)
    return runs


def _do(work: Work, onboarding: Onboarding, command: Command) -> None:
    match command:
        case StartTimer() | StartRetry() | StartAlert() | StartReminder() | StartNext():
            _set_timer(work, onboarding, command)
        case OpenException(exception=opened):
            open_exception(work, _opening(onboarding, opened))
        case ChangeException(exception=changed):
            if record := find_exception(work, onboarding.id, changed.id):
                respond_by = None if changed.answered_at else changed.respond_by  # nobody is late who has answered
                change_exception(record, route=changed.route, owner=changed.owner, respond_by=respond_by)
        case CloseException():
            if record := find_exception(work, onboarding.id, command.exception):
                close_exception(work, record, resolution=command.resolution, reason=command.reason)
        case ReachFirstValue():
            onboarding.first_value_at = command.at
        case Finish():
            onboarding.finished_at = command.at
        case CancelTimer() | PauseTimer() | ContinueTimer() | CancelReminder():
            pass  # the version of what was cancelled or paused is old and does nothing


def _set_timer(
    work: Work, onboarding: Onboarding, command: StartTimer | StartRetry | StartAlert | StartReminder | StartNext
) -> None:
    version = command.number if isinstance(command, StartNext) else command.version
    when: dict[str, Any] = {"subject_id": onboarding.id, "due_at": command.due_at, "version": version}
    if isinstance(command, StartNext):
        work.set_timer("onboarding.start_next", args={"lifecycle": command.lifecycle}, **when)
    elif isinstance(command, StartTimer):
        work.set_timer("onboarding.fire_timer", args={"timer": command.timer, "rung": command.rung}, **when)
    elif isinstance(command, StartAlert):
        work.set_timer("onboarding.age_exception", args={"exception": command.exception}, **when)
    elif isinstance(command, StartReminder):
        work.set_timer("onboarding.remind", args={"item": command.item}, **when)
    else:
        work.set_timer("onboarding.retry_exception", args={"exception": command.exception}, **when)


def _opening(onboarding: Onboarding, opened: OpenedException) -> ExceptionOpening:
    return ExceptionOpening(
        subject_kind="onboarding",
        subject_id=onboarding.id,
        key=opened.id,
        type=opened.type,
        reason_code=opened.reason_code,
        route=opened.route,
        summary=opened.note,
        item_key=opened.item,
        respond_by=opened.respond_by,
    )


def _request_action(work: Work, onboarding: Onboarding, command: RequestAction) -> UUID:
    return request_run(
        work,
        RunRequest(
            onboarding_id=onboarding.id,
            item_key=command.task,
            connector=command.connector,
            action=command.action,
            input=dict(command.input),
            number=command.request,
        ),
    )


def _told_by_name(onboarding: Onboarding, person: str | None) -> list[Holder]:
    holder = find_holder(onboarding, UUID(person)) if person else None
    return [holder] if holder else []


def _readers(onboarding: Onboarding, state: State, command: NotifyRole) -> list[Holder]:
    """Whoever is named, else who holds the role; of a reminder the person whose step it is, where somebody took it."""
    if by_name := _told_by_name(onboarding, command.person):
        return by_name
    assignee, held = state.items[command.item].assignee, holders(onboarding, command.role)
    if command.message == "reminder" and assignee and (person := find_holder(onboarding, UUID(assignee))):
        return held if command.item in state.approvals and person not in held else [person]
    return held


def _notify(  # what a letter is made of
    work: Work,
    onboarding: Onboarding,
    definition: Definition,
    state: State,
    command: NotifyRole,
    told: set[tuple[UUID, str]],
    *,
    waits: bool,
) -> None:
    """One letter to each holder of the role; a role that nobody holds is told to the onboarding's lead.

    Nobody is told the same of one item twice in a decision: ten blank fields, or two roles held, are one letter.
    """
    said = f"{command.message} {command.item} {sorted(command.text.items())}"
    people = [person for person in _readers(onboarding, state, command) if (person.id, said) not in told]
    if not people:
        return
    told |= {(person.id, said) for person in people}
    item, due_at = definition.items[command.item], state.items[command.item].due_at
    for person in people:
        letter_to(
            work,
            state,
            Letter(
                kind=command.message,
                onboarding_id=onboarding.id,
                recipient=person,
                facts={
                    "item": command.item,
                    "title": dict(item.title),
                    "text": dict(command.text),
                    "onboarding": onboarding.name,
                    "due_at": due_at.isoformat() if due_at else None,
                    "side": command.side,
                    "reader_side": person.side,
                },
            ),
            person.side,
            waits=waits,
        )
