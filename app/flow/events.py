"""What happened to an onboarding: the journal's entries, as `decide` takes them.

Who may cause one is asked elsewhere (`app.access`); the engine only checks side, reviewer and state. In JSON its
name is its `event`.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from msgspec import Struct

from app.flow.calendar import Calendar
from app.flow.definition import Side
from app.flow.fields import Value

Resolution = Literal["retry", "done", "skip", "close", "roll_back"]


class By(Struct, frozen=True, kw_only=True):
    """Who did it: an opaque actor label, the side, and the roles held in this onboarding."""

    actor: str
    side: Side = "partner"
    roles: tuple[str, ...] = ()


class Evidenced(Struct, frozen=True, kw_only=True):
    """The proof that comes with an event: a sentence, a link, or both."""

    statement: str = ""
    link: str = ""


class Started(Struct, frozen=True, kw_only=True, tag_field="event", tag="started"):
    """An onboarding begins with what was sold and both parties' calendars (holidays already resolved to dates)."""

    by: By
    inputs: dict[str, Value]
    packet: dict[str, Value]
    partner: Calendar
    customer: Calendar
    reference: str = ""  # what outside systems may keep as the name of this onboarding (`onboarding.reference`)
    follows: bool = False  # dates follow what happens; histories recorded before that was so replay as they were
    pauses: bool = False  # clocks stand still while others are waited for; the same
    reminds: bool = False  # whoever's step it is hears of its date; the same
    clocks_follow: bool = False  # what runs ends by the calendars as they are, when they change; the same
    go_live: date | None = None  # the day on which the customer wants to be live


class PacketChanged(Struct, frozen=True, kw_only=True, tag_field="event", tag="packet_changed"):
    """Facts of the packet were given, corrected or (None) withdrawn."""

    by: By
    facts: dict[str, Value]
    source: str


class DueDateSet(Struct, frozen=True, kw_only=True, tag_field="event", tag="due_date_set"):
    """A person chose the day of an item, which then stays; None gives the item back to the plan."""

    by: By
    item: str
    day: date | None
    reason: str


class GoLiveSet(Struct, frozen=True, kw_only=True, tag_field="event", tag="go_live_set"):
    """A person said by which day the customer is to be live; None: no day is wanted any more."""

    by: By
    day: date | None
    reason: str


class CalendarChanged(Struct, frozen=True, kw_only=True, tag_field="event", tag="calendar_changed"):
    """A party works at other times from now on: another zone, other hours, another free day."""

    by: By
    side: Side
    calendar: Calendar
    reason: str


class OwnerAssigned(Struct, frozen=True, kw_only=True, tag_field="event", tag="owner_assigned"):
    """A named person took an item; None gives it back to its role."""

    by: By
    item: str
    person: str | None
    reason: str = ""


class TaskCompleted(Struct, frozen=True, kw_only=True, tag_field="event", tag="task_completed"):
    """A person finished a task of their side."""

    by: By
    task: str
    answers: dict[str, Value] = {}
    evidence: Evidenced | None = None


class TaskReopened(Struct, frozen=True, kw_only=True, tag_field="event", tag="task_reopened"):
    """A finished task is open again, before anything was built on it."""

    by: By
    task: str
    reason: str


class CredentialsGiven(Struct, frozen=True, kw_only=True, tag_field="event", tag="credentials_given"):
    """Values of a credential that was handed over were given anew: their fields, never what they are."""

    by: By
    task: str
    fields: tuple[str, ...]


class TaskSigned(Struct, frozen=True, kw_only=True, tag_field="event", tag="task_signed"):
    """A person signed the text of this digest in that language. `waits_for`: who signs, where all of a role have to."""

    by: By
    task: str
    name: str
    locale: str
    digest: str
    waits_for: tuple[str, ...] = ()


class GateDecided(Struct, frozen=True, kw_only=True, tag_field="event", tag="gate_decided"):
    """A reviewer pressed one of the gate's buttons."""

    by: By
    gate: str
    decision: str
    reason: str = ""


class MilestoneProven(Struct, frozen=True, kw_only=True, tag_field="event", tag="milestone_proven"):
    """A person gave the evidence that a milestone asks for."""

    by: By
    milestone: str
    evidence: Evidenced


class ActionSucceeded(Struct, frozen=True, kw_only=True, tag_field="event", tag="action_succeeded"):
    """A connector run ended well. `request` is the number that RequestAction named."""

    task: str
    request: int
    result: dict[str, Value] = {}


class ActionFailed(Struct, frozen=True, kw_only=True, tag_field="event", tag="action_failed"):
    """A connector run ended without effect and will not be tried again by itself."""

    task: str
    request: int
    error: str


class ActionUnknown(Struct, frozen=True, kw_only=True, tag_field="event", tag="action_unknown"):
    """A connector run may or may not have had its effect: a person decides, nothing is retried silently."""

    task: str
    request: int
    error: str


class TimerFired(Struct, frozen=True, kw_only=True, tag_field="event", tag="timer_fired"):
    """A rung of an SLA came due. One with an old version does nothing."""

    timer: str
    rung: int
    version: int


class ReminderDue(Struct, frozen=True, kw_only=True, tag_field="event", tag="reminder_due"):
    """The moment of a step's next reminder came. One with an old version does nothing."""

    item: str
    version: int


class ExceptionRaised(Struct, frozen=True, kw_only=True, tag_field="event", tag="exception_raised"):
    """A person reported a typed problem on an item; with `blocks` the item waits until it is resolved."""

    by: By
    item: str
    type: str
    reason_code: str
    note: str
    blocks: bool = False


class ExceptionResolved(Struct, frozen=True, kw_only=True, tag_field="event", tag="exception_resolved"):
    """A person decided: retry the item, count it as done (with evidence), skip it, or just close the exception.

    `input` are other values for that one retry of an action; None leaves a value out.
    """

    by: By
    exception: str
    resolution: Resolution
    reason: str
    evidence: Evidenced | None = None
    result: dict[str, Value] = {}
    stage: str | None = None  # the stage to roll back to
    input: dict[str, Value] = {}


class ExceptionAnswered(Struct, frozen=True, kw_only=True, tag_field="event", tag="exception_answered"):
    """The first response of a person: what will be done."""

    by: By
    exception: str
    note: str


class ExceptionReassigned(Struct, frozen=True, kw_only=True, tag_field="event", tag="exception_reassigned"):
    """The exception goes to another role, or to a named person."""

    by: By
    exception: str
    role: str | None
    person: str | None
    reason: str


class ExceptionResolutionProposed(Struct, frozen=True, kw_only=True, tag_field="event", tag="resolution_proposed"):
    """Somebody asks for a resolution that another person has to agree to."""

    by: By
    proposed: ExceptionResolved


class ExceptionResolutionDecided(Struct, frozen=True, kw_only=True, tag_field="event", tag="resolution_decided"):
    """Another person agrees to what is proposed, or declines it.

    `proposal` is the digest of what they have read (`Proposal.digest`); empty in journals that are older than it.
    """

    by: By
    exception: str
    agreed: bool
    reason: str = ""
    proposal: str = ""


class RetryScheduled(Struct, frozen=True, kw_only=True, tag_field="event", tag="retry_scheduled"):
    """The item is to be tried once more, at a moment."""

    by: By
    exception: str
    at: datetime
    reason: str


class RetryDue(Struct, frozen=True, kw_only=True, tag_field="event", tag="retry_due"):
    """That moment has come. One with an old version does nothing."""

    exception: str
    version: int


class ExceptionAged(Struct, frozen=True, kw_only=True, tag_field="event", tag="exception_aged"):
    """Nobody has responded to it in its time. One with an old version does nothing."""

    exception: str
    version: int


class ItemSkipped(Struct, frozen=True, kw_only=True, tag_field="event", tag="item_skipped"):
    """A person leaves a task, milestone or stage out."""

    by: By
    item: str
    reason: str


class ItemDeclined(Struct, frozen=True, kw_only=True, tag_field="event", tag="item_declined"):
    """A person of the item's own side says that an optional task or milestone is not needed."""

    by: By
    item: str
    reason: str


class PartAdded(Struct, frozen=True, kw_only=True, tag_field="event", tag="part_added"):
    """A repeated part happens once more."""

    by: By
    item: str
    name: str


class PartRemoved(Struct, frozen=True, kw_only=True, tag_field="event", tag="part_removed"):
    """One instance of a repeated part, in which nothing was done, is not to happen."""

    by: By
    item: str
    reason: str = ""


class RolledBack(Struct, frozen=True, kw_only=True, tag_field="event", tag="rolled_back"):
    """A stage and every later one begin anew."""

    by: By
    stage: str
    reason: str


class Held(Struct, frozen=True, kw_only=True, tag_field="event", tag="held"):
    """A running onboarding is put on hold: nobody moves it and its clocks stand still."""

    by: By
    reason_code: str
    reason: str


class Resumed(Struct, frozen=True, kw_only=True, tag_field="event", tag="resumed"):
    """The hold is over; clocks go on with the time they had left."""

    by: By
    reason: str = ""


class MigrationMap(Struct, frozen=True, kw_only=True):
    """What goes where in another version of the template; what is named in neither keeps its key.

    `items`: old key to new key. `dropped`: items with work on them that have no place there. `values`: what takes the
    place of a value that does not fit (`answers.kickoff.held_on`); None leaves it out.
    """

    items: dict[str, str] = {}
    dropped: tuple[str, ...] = ()
    values: dict[str, Value] = {}


class MigrationProposed(Struct, frozen=True, kw_only=True, tag_field="event", tag="migration_proposed"):
    """Somebody asks to go on with another version; `plan` is the address of the plan that they have seen."""

    by: By
    definition: str
    version: str
    plan: str
    reason: str
    map: MigrationMap = MigrationMap()


class MigrationDeclined(Struct, frozen=True, kw_only=True, tag_field="event", tag="migration_declined"):
    """Another person declined it, or who proposed it takes it back."""

    by: By
    reason: str


class Migrated(Struct, frozen=True, kw_only=True, tag_field="event", tag="migrated"):
    """The onboarding goes on with another version. `by` agreed to what `proposed_by` asked; None: it took only one.

    `keeps_dates`: the dates of what is left out are kept with it. False: it was made when that was not done yet.
    """

    by: By
    before: str
    definition: str
    version: str
    reason: str
    map: MigrationMap = MigrationMap()
    proposed_by: str | None = None
    keeps_dates: bool = False


class Cancelled(Struct, frozen=True, kw_only=True, tag_field="event", tag="cancelled"):
    """The onboarding stops for good."""

    by: By
    reason: str


Event = (
    Started | PacketChanged | DueDateSet | GoLiveSet | CalendarChanged | OwnerAssigned | TaskCompleted
    | TaskReopened | CredentialsGiven | TaskSigned | GateDecided | MilestoneProven | ActionSucceeded
    | ActionFailed | ActionUnknown | TimerFired | ReminderDue | ExceptionRaised | ExceptionResolved
    | ExceptionAnswered | ExceptionReassigned | ExceptionResolutionProposed | ExceptionResolutionDecided
    | RetryScheduled | RetryDue | ExceptionAged | ItemSkipped | ItemDeclined | PartAdded | PartRemoved
    | RolledBack | Held | Resumed | MigrationProposed | MigrationDeclined | Migrated | Cancelled
)  # fmt: skip
