"""What the running part is asked to do after a decision, as plain values. Nothing here is carried out here."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from app.flow.definition import Side
from app.flow.fields import Value
from app.flow.state import OpenedException, Proof, State

Outcome = Literal["finished", "cancelled"]
Message = Literal[
    "task_opened",
    "gate_opened",
    "gate_returned",
    "sla_breached",
    "exception_opened",
    "exception_aged",
    "first_value_reached",
    "reminder",
]


class StartTimer(Struct, frozen=True, kw_only=True, tag="start_timer"):
    """Arm a rung: set a kernel timer that makes `TimerFired(timer, rung, version)` at `due_at`."""

    timer: str
    item: str
    rung: int
    due_at: datetime
    version: int


class CancelTimer(Struct, frozen=True, kw_only=True, tag="cancel_timer"):
    """The armed rung is no longer wanted; if it fires all the same, its version is old and nothing happens."""

    timer: str
    item: str
    rung: int
    version: int


class PauseTimer(Struct, frozen=True, kw_only=True, tag="pause_timer"):
    """The armed rung waits with its clock; if it fires all the same, its version is old and nothing happens."""

    timer: str
    item: str
    rung: int
    version: int
    exception: str
    reason_code: str


class ContinueTimer(Struct, frozen=True, kw_only=True, tag="continue_timer"):
    """The clock goes on with the business time that was left; StartTimer says until when."""

    timer: str
    item: str
    rung: int
    paused_since: datetime
    reason_code: str


class StartReminder(Struct, frozen=True, kw_only=True, tag="start_reminder"):
    """Set a kernel timer that makes `ReminderDue(item, version)` at `due_at`."""

    item: str
    due_at: datetime
    version: int


class CancelReminder(Struct, frozen=True, kw_only=True, tag="cancel_reminder"):
    """Nobody need be reminded any more; if it fires all the same, its version is old and nothing happens."""

    item: str
    version: int


class StartRetry(Struct, frozen=True, kw_only=True, tag="start_retry"):
    """Set a kernel timer that makes `RetryDue(exception, version)` at `due_at`."""

    exception: str
    item: str
    due_at: datetime
    version: int


class StartAlert(Struct, frozen=True, kw_only=True, tag="start_alert"):
    """Set a kernel timer that makes `ExceptionAged(exception, version)` at `due_at`."""

    exception: str
    item: str
    due_at: datetime
    version: int


class RequestAction(Struct, frozen=True, kw_only=True, tag="request_action"):
    """Run a connector action and tell its result with an event that names the same `request`.

    `request` numbers the calls of a task: (onboarding, task, request) is the idempotency key.
    """

    task: str
    connector: str
    action: str
    input: dict[str, Value]
    request: int


class NotifyRole(Struct, frozen=True, kw_only=True, tag="notify_role"):
    """Tell whoever holds a role about an item, or only the person that is named.

    `text` is the template's own wording where there is one.
    """

    message: Message
    role: str
    side: Side
    item: str
    text: dict[str, str] = {}
    person: str | None = None


class OpenException(Struct, frozen=True, kw_only=True, tag="open_exception"):
    """Put a typed problem into the exception queue of its first route role."""

    exception: OpenedException


class ChangeException(Struct, frozen=True, kw_only=True, tag="change_exception"):
    """Facts of an open exception have changed: when it is to be answered, whose it is."""

    exception: OpenedException


class CloseException(Struct, frozen=True, kw_only=True, tag="close_exception"):
    """The exception is resolved."""

    exception: str
    resolution: str
    reason: str


class ReachFirstValue(Struct, frozen=True, kw_only=True, tag="reach_first_value"):
    """First value is proven; happens at most once in an onboarding."""

    milestone: str
    evidence: Proof
    at: datetime


class SendCommunication(Struct, frozen=True, kw_only=True, tag="send_communication"):
    """Mail a message to whoever holds `to`, with answers to whoever holds `replies_to`.

    `subject` and `body` are in each language of the template, or as a person wrote them (language `und`). `number`
    counts how often its task has sent.
    """

    task: str
    communication: str
    kind: str
    to: str
    replies_to: str
    subject: dict[str, str]
    body: dict[str, str]
    number: int
    by_itself: bool


class StartNext(Struct, frozen=True, kw_only=True, tag="start_next"):
    """Begin what follows in this lifecycle at `due_at`; once, whoever else may start it before."""

    lifecycle: str
    due_at: datetime
    number: int


class Finish(Struct, frozen=True, kw_only=True, tag="finish"):
    """The onboarding ended; nothing follows."""

    outcome: Outcome
    at: datetime
    reason: str = ""


Command = (
    StartTimer
    | StartRetry
    | StartAlert
    | CancelTimer
    | PauseTimer
    | ContinueTimer
    | StartReminder
    | CancelReminder
    | RequestAction
    | NotifyRole
    | SendCommunication
    | OpenException
    | ChangeException
    | CloseException
    | ReachFirstValue
    | StartNext
    | Finish
)


class ItemChange(Struct, frozen=True, kw_only=True):
    """One item row that changed: `attributes` are the fields of `ItemState` that are new, with their values."""

    item: str
    attributes: dict[str, Any]  # values of ItemState's own fields, of many types


class Move(Struct, frozen=True, kw_only=True):
    """One date that moved with one event, and its one cause: a word of `flow.dates.causes`, and the item it lies in."""

    item: str
    was: datetime | None
    becomes: datetime
    cause: str
    cause_item: str | None = None


class Decision(Struct, frozen=True, kw_only=True):
    """What follows from one event."""

    state: State
    changes: tuple[ItemChange, ...]
    commands: tuple[Command, ...]
    moves: tuple[Move, ...] = ()
    removed: tuple[str, ...] = ()  # items that there are no more
