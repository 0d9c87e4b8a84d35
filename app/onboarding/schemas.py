"""Shapes of running work on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from app.onboarding.communications.schemas import SendsOut
from app.onboarding.signing.schemas import SigningOut

_WORD = Annotated[str, Meta(pattern=r"^[a-z_]{1,40}$")]
_KIND = Literal["stage", "milestone", "task", "gate", "group"]
_KEY = Annotated[str, Meta(min_length=1, max_length=200)]
_SAID = Annotated[str, Meta(max_length=2000)]
_CURSOR = Annotated[str, Meta(min_length=1, max_length=4096, description="`next` of the page before.")]
_LIMIT = Annotated[int, Meta(ge=1, le=200, description="How many on a page.")]
Text = dict[str, str]  # by language


class OnboardingOut(Struct, frozen=True):
    """One onboarding as software sees it; `seq`, the last journal number, changes with every change."""

    id: UUID
    name: str
    state: str
    seq: int
    definition: str
    trace_id: str
    started_at: datetime
    first_value_at: datetime | None
    finished_at: datetime | None


class OnboardingQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which onboardings: all, or those in one state."""

    state: Annotated[_WORD, Meta(description="Only those in this state.", examples=["running"])] | UnsetType = UNSET
    cursor: _CURSOR | UnsetType = UNSET
    limit: _LIMIT = 50


class OnboardingPage(Struct, frozen=True):
    """Onboardings, the last started first; `next` leads on, and is null on the last page."""

    items: list[OnboardingOut]
    next: str | None


class ProofOut(Struct, frozen=True):
    """Evidence: a sentence, a link, or both; who gave it and when."""

    statement: str
    link: str
    given_by: str
    given_at: datetime | None


class OptionOut(Struct, frozen=True):
    """One of the answers to choose from."""

    id: str
    label: Text


class FileRules(Struct, frozen=True):
    """What a place for files takes: kinds by their names, the largest in MiB, and how many."""

    accept: list[str]
    max_mb: int
    at_least: int
    at_most: int


class QuestionOut(Struct, frozen=True):
    """What a task asks; its answer goes under `id`. `when`: the CEL condition under which it is asked, if any.

    `files`: of a place for files, what it takes; its answer are the ids of those that were handed over, one a line.
    """

    id: str
    label: Text
    type: str
    required: bool
    options: list[OptionOut]
    when: str | None = None
    files: FileRules | None = None


class ItemOut(Struct, frozen=True):
    """A stage, milestone, task, gate, or group of what happens several times.

    What the other side wrote into its own steps is null for a customer.
    """

    key: str
    kind: _KIND
    parent: str | None
    title: Text
    side: Literal["partner", "customer"]
    role: str
    assignee: UUID | None
    owners: list[str]
    optional: bool
    state: str
    late: bool
    opened_at: datetime | None
    due_at: datetime | None
    due_cause: str | None
    settled_at: datetime | None
    settled_by: str
    questions: list[QuestionOut]
    wants_evidence: bool
    answers: dict[str, Any] | None
    result: dict[str, Any] | None
    evidence: ProofOut | None
    decision: str | None
    reason: str | None
    sends: SendsOut | None
    signing: SigningOut | None


class ItemQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which items: everything that is given must fit."""

    kind: Annotated[_KIND, Meta(description="Only of this kind.")] | UnsetType = UNSET
    state: Annotated[_WORD, Meta(description="Only those in this state.", examples=["open"])] | UnsetType = UNSET
    side: Annotated[Literal["partner", "customer"], Meta(description="Only of this side.")] | UnsetType = UNSET


class ItemList(Struct, frozen=True):
    """Items in the order of the plan; a template bounds how many there are. `seq` is the version they were read at."""

    seq: int
    items: list[ItemOut]


class Evidence(Struct, frozen=True, forbid_unknown_fields=True):
    """What proves it: a sentence, a link (https), or both."""

    statement: _SAID = ""
    link: _SAID = ""


class TaskAnswer(Struct, frozen=True, forbid_unknown_fields=True):
    """What finishes a task: its questions' answers by field, and evidence where the task asks for it."""

    answers: dict[str, Any] = {}
    evidence: Evidence | None = None


class MilestoneProof(Struct, frozen=True, forbid_unknown_fields=True):
    """What proves a milestone."""

    evidence: Evidence


class Assignment(Struct, frozen=True, forbid_unknown_fields=True):
    """Who takes an item; null gives it back to its role."""

    person: UUID | None
    reason: _SAID = ""


class Decline(Struct, frozen=True, forbid_unknown_fields=True):
    """Why an optional step is not needed."""

    reason: Annotated[str, Meta(min_length=1, max_length=2000)]


class NewPart(Struct, frozen=True, forbid_unknown_fields=True):
    """What a repeated part is called this time."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]


class GonePart(Struct, frozen=True, forbid_unknown_fields=True):
    """Why one of several is taken away."""

    reason: _SAID = ""


class NextWish(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to follow an onboarding now, and why."""

    lifecycle: Literal["renewal", "expansion", "escalation", "offboarding"]
    reason: Annotated[str, Meta(min_length=1, max_length=2000)]


class NextOut(Struct, frozen=True):
    """What follows: the id that it has as soon as a job has begun it."""

    id: UUID
    lifecycle: str
    predecessor: UUID


class PacketChange(Struct, frozen=True, forbid_unknown_fields=True):
    """Facts of the packet by field; null withdraws one."""

    facts: Annotated[dict[str, Any], Meta(min_length=1, max_length=100)]


class FactOut(Struct, frozen=True):
    """One fact of the packet: `hard` blocks its gate, `soft` takes a name for going on, `info` blocks nothing."""

    field: str
    label: Text
    rule: Literal["hard", "soft", "info"]
    value: Any
    given: bool
    source: str
    corrected_by: str
    changed_at: datetime | None


class PacketOut(Struct, frozen=True):
    """What was handed over. `seq` is the version it was read at."""

    seq: int
    facts: list[FactOut]


class ButtonOut(Struct, frozen=True):
    """A decision that can be taken, and whether the facts allow it now."""

    id: str
    label: Text
    effect: Literal["pass", "proceed", "override", "return", "stop"]
    reason_required: bool
    allowed: bool


class CheckOut(Struct, frozen=True):
    """A check; `passed` is null where it could not be evaluated."""

    id: str
    label: Text
    passed: bool | None


class EscalationOut(Struct, frozen=True):
    """A case that only `role` can let through, and whether it is the case."""

    id: str
    label: Text
    role: str
    applies: bool


class GateOut(Struct, frozen=True):
    """A gate with the eight parts of what its reviewer has to see."""

    key: str
    title: Text
    state: str
    reviewer: str
    shows: list[str]
    records: list[FactOut]
    draft: Text | None
    checks: list[CheckOut]
    decisions: list[ButtonOut]
    must_escalate: list[EscalationOut]
    override_reason: Text
    logged: list[str]
    may_decide: bool
    decision: str | None
    reason: str | None
    decided_by: str
    decided_at: datetime | None


class GateDecision(Struct, frozen=True, forbid_unknown_fields=True):
    """One of the gate's decisions, with a reason where it asks for one."""

    decision: _KEY
    reason: _SAID = ""


class ExceptionWish(Struct, frozen=True, forbid_unknown_fields=True):
    """A problem on an item; with `blocks` the item waits until it is resolved."""

    item: _KEY
    type: _WORD
    reason_code: _WORD
    note: Annotated[str, Meta(min_length=1, max_length=1000)]
    blocks: bool = False


class ExceptionQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which exceptions: all, or those in one state."""

    state: Annotated[Literal["open", "resolved"], Meta(description="Only those in this state.")] | UnsetType = UNSET
    cursor: _CURSOR | UnsetType = UNSET
    limit: _LIMIT = 50


class ProposalOut(Struct, frozen=True):
    """A resolution that somebody asked for and another person decides. Its reason is null as that of the problem is.

    Whoever decides sends `digest` back: it names exactly what they have read.
    """

    digest: str
    resolution: str
    stage: str | None
    reason: str | None
    input: dict[str, Any] | None
    proposed_at: datetime
    proposed_by: str


class ExceptionOut(Struct, frozen=True):
    """A typed problem. What is written about the partner's own steps is null for a customer.

    `owner` is somebody by name, else whoever holds the first role of the route.
    """

    id: UUID
    item: str | None
    type: str
    reason_code: str
    state: str
    route: list[str]
    blocks: bool
    note: str | None
    opened_at: datetime
    respond_by: datetime | None
    owner: UUID | None
    owner_name: str
    answered_at: datetime | None
    answered_by: str
    retry_at: datetime | None
    proposal: ProposalOut | None
    late: bool
    resolved_at: datetime | None
    resolved_by: str
    resolution: str | None
    reason: str | None


class ExceptionPage(Struct, frozen=True):
    """Exceptions, the newest first; `next` leads on, and is null on the last page."""

    items: list[ExceptionOut]
    next: str | None


class ExceptionEnd(Struct, frozen=True, forbid_unknown_fields=True):
    """How an exception ends, and why; with `roll_back`, to which stage.

    `input`, with `retry`, are other values for that one try of its action, by the names that the action has for them;
    null leaves one out.
    """

    resolution: Literal["retry", "done", "skip", "close", "roll_back"]
    reason: Annotated[str, Meta(min_length=1, max_length=2000)]
    evidence: Evidence | None = None
    stage: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    input: dict[str, Annotated[str, Meta(max_length=10_000)] | int | bool | None] | None = None


class JournalQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the journal."""

    cursor: _CURSOR | UnsetType = UNSET
    limit: _LIMIT = 50


class JournalEntry(Struct, frozen=True):
    """One event that was accepted: what it was, in words and as it is kept."""

    seq: int
    at: datetime
    actor_kind: str
    actor_id: UUID
    actor_name: str
    words: str
    event: dict[str, Any]


class JournalPage(Struct, frozen=True):
    """Events in the order in which they happened; `next` leads on, and is null on the last page."""

    items: list[JournalEntry]
    next: str | None
