"""The state of one onboarding: frozen values that `decide` makes and JSON carries. Says nothing about what follows."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from typing import Final, Literal

import msgspec
from msgspec import Struct

from app.flow.calendar import BusinessTime, Calendar
from app.flow.definition import Duration, Item, Side
from app.flow.events import ExceptionResolved, MigrationProposed
from app.flow.fields import Value
from app.flow.kinds.signatures import Signature

Status = Literal["new", "running", "finished", "cancelled"]
Phase = Literal[Status, "held"]
# waiting: not yet its turn · open: someone can act · running: an action is under way · blocked: an exception holds it
# done, skipped: settled · not_needed: optional, settled undone · cancelled: the onboarding stopped first
ItemStatus = Literal["waiting", "open", "running", "blocked", "done", "skipped", "not_needed", "cancelled"]
LEFT_OUT: frozenset[str] = frozenset({"skipped", "not_needed"})
SYSTEM: Final = "system"  # who did what no person did
SETTLED: frozenset[str] = LEFT_OUT | {"done"}


class Proof(Struct, frozen=True, kw_only=True):
    """Evidence: a sentence, a link, or both; who gave it and when."""

    statement: str = ""
    link: str = ""
    given_by: str = ""
    given_at: datetime | None = None


# What has its default is not stored, which is half of most states: a default is a part of every state stored before it,
# and never changes.


class ItemState(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row of the tree. `request` numbers an action task's calls; `due_cause` says why the date is what it is."""

    state: ItemStatus = "waiting"
    assignee: str | None = None
    opened_at: datetime | None = None
    settled_at: datetime | None = None
    due_at: datetime | None = None
    due_cause: str | None = None
    answers: dict[str, Value] = {}
    result: dict[str, Value] = {}
    evidence: Proof | None = None
    settled_by: str | None = None
    decision: str | None = None
    reason: str | None = None
    request: int = 0


class Pause(Struct, frozen=True, kw_only=True):
    """Since when a clock stands still, and the exception by which somebody said who is waited for."""

    since: datetime
    exception: str
    reason_code: str


class TimerState(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A running SLA: the rung that is armed, when it is due, and the version that a firing must name.

    While it is paused `due_at` is when it would have been due. It is due when `left` has been worked since `since`.
    """

    rung: int
    due_at: datetime
    version: int
    armed: bool = True
    paused: Pause | None = None
    since: datetime | None = None  # None: begun when clocks did not follow a calendar that changes
    left: timedelta | None = None  # None: the whole rung, as long as a working day is


class ReminderState(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A step's reminders: the next one while it is armed, those that were given since it opened, and how many ever."""

    turn: tuple[int, int]
    due_at: datetime
    version: int
    armed: bool = True
    opened_at: datetime | None = None
    given: tuple[tuple[int, int], ...] = ()
    sent: int = 0
    last_at: datetime | None = None


class Hold(Struct, frozen=True, kw_only=True):
    """Why nothing moves: who put the onboarding on hold, since when, and the timers that go on afterwards."""

    by: str
    since: datetime
    reason_code: str
    reason: str
    timers: tuple[str, ...] = ()


class Proposal(Struct, frozen=True, kw_only=True):
    """A resolution that waits for another person, and since when."""

    at: datetime
    resolved: ExceptionResolved

    @property
    def digest(self) -> str:
        """Names exactly what is proposed: who agrees says which proposal they have read."""
        return hashlib.sha256(msgspec.json.encode(self.resolved, order="deterministic")).hexdigest()


class OpenedException(Struct, frozen=True, kw_only=True):
    """A typed problem on one item. `blocks` says whether the item waits for its resolution."""

    id: str
    item: str
    type: str
    reason_code: str
    route: tuple[str, ...]
    opened_at: datetime
    respond_by: datetime | None
    note: str
    blocks: bool = False
    place: str | None = None
    resolution: str | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    answered_at: datetime | None = None
    answered_by: str | None = None
    owner: str | None = None
    proposal: Proposal | None = None
    retry_at: datetime | None = None
    retry_version: int = 0
    alerts: int = 0  # how often it was told further up that nobody responds
    alert_at: datetime | None = None  # when it is next, after the first time
    raised_by: str | None = None  # who said so; None: the engine, or before clocks could stand still
    counts_from: datetime | None = None  # the moment that is awaited counts from here; None: it follows no calendar
    within: Duration | None = None  # and comes so much later

    @property
    def answered_in_time(self) -> bool:
        """Whether the first response came by its time."""
        answered = self.answered_at or self.resolved_at  # what is resolved at once was answered by that
        return answered is not None and (self.respond_by is None or answered <= self.respond_by)

    @property
    def is_open(self) -> bool:
        """Whether nobody has resolved it yet."""
        return self.resolution is None


class Plan(Struct, frozen=True, kw_only=True):
    """What the dates are measured against: the plan at the start, days that people chose, the wanted go-live.

    `pauses` are the holds that are over: what had begun by then had that much less time.
    """

    baseline: dict[str, datetime] = {}
    pins: dict[str, date] = {}
    go_live: date | None = None
    pauses: tuple[tuple[datetime, datetime], ...] = ()


class Part(Struct, frozen=True, kw_only=True):
    """One time that a repeated part happens. Its number is never given again; `listed`: it comes from the list."""

    number: int
    name: str
    listed: bool = False


class Parts(Struct, frozen=True, kw_only=True):
    """How often a repeated part happens in this onboarding. `count`: how many numbers were given."""

    count: int = 0
    each: tuple[Part, ...] = ()


class MigrationProposal(Struct, frozen=True, kw_only=True):
    """A migration that waits for another person, and since when."""

    at: datetime
    proposed: MigrationProposed


class Migration(Struct, frozen=True, kw_only=True):
    """One migration that was made, with all that has no place in the version after it: nothing is lost.

    `items`: old key to new key where they differ. `departed`: items with work on them that were left out, as they
    were. `values`: what stood at a place that took another value. `requests`: how far each key had counted its calls.
    `parts`: how often repeated parts happened that the version after it does not have, with their names. `baseline` and
    `pins`: the planned and the chosen dates of `departed`; empty where it was made before they were kept.
    """

    seq: int
    at: datetime
    before: str
    definition: str
    items: dict[str, str] = {}
    departed: dict[str, ItemState] = {}
    values: dict[str, Value] = {}
    requests: dict[str, int] = {}
    parts: dict[str, Parts] = {}
    baseline: dict[str, datetime] = {}
    pins: dict[str, date] = {}


class State(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One onboarding. `seq` counts the events applied; the journal's next entry is `seq + 1`."""

    definition: str
    status: Status = "new"
    seq: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    first_value_at: datetime | None = None
    complete_at_handoff: bool | None = None
    reference: str = ""
    inputs: dict[str, Value] = {}
    packet: dict[str, Value] = {}
    corrected: tuple[str, ...] = ()
    partner: Calendar = Calendar()
    customer: Calendar = Calendar()
    items: dict[str, ItemState] = {}
    timers: dict[str, TimerState] = {}
    exceptions: dict[str, OpenedException] = {}
    hold: Hold | None = None
    parts: dict[str, Parts] = {}
    plan: Plan | None = None  # None: begun when dates did not follow yet
    migration: MigrationProposal | None = None
    migrations: tuple[Migration, ...] = ()
    pauses: bool = False  # False: begun when clocks did not stand still for others yet
    reminds: bool = False  # False: begun when nobody was reminded yet
    reminders: dict[str, ReminderState] = {}
    clocks_follow: bool = False  # False: begun when running clocks kept their moment in another calendar
    approvals: dict[str, str] = {}  # of open tasks that send: whose approval their message needs now, by key
    signatures: dict[str, tuple[Signature, ...]] = {}  # of tasks that are signed, by key

    @property
    def phase(self) -> Phase:
        """One word for where it stands: its status, or `held`."""
        return "held" if self.hold is not None else self.status

    def time_for(self, side: Side) -> BusinessTime:
        """Business time of work that this side does, on days when the other works too."""
        own, other = (self.partner, self.customer) if side == "partner" else (self.customer, self.partner)
        return BusinessTime(own, other)

    def open_exceptions(self, item: str | None = None) -> list[OpenedException]:
        """Unresolved exceptions, of one item or of all."""
        return [each for each in self.exceptions.values() if each.is_open and item in {None, each.item}]

    def is_settled(self, key: str) -> bool:
        """Whether an item is done, skipped or not needed."""
        return self.items[key].state in SETTLED

    def acts(self, item: Item) -> str:
        """The role that has to act: its owner's, or of a message the one whose approval it needs now."""
        return self.approvals.get(item.key, item.owner)

    def is_open(self, item: Item) -> bool:
        """Whether someone can act on the item now."""
        return self.items[item.key].state == "open"
