"""A compiled template version: frozen, pinned by its digest, shared by all onboardings that run it.

Reading a document into this shape is in `reading.py`; nothing here knows the state of an onboarding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from msgspec import Struct

from app.flow.criteria import Criterion
from app.flow.fields import Field, Text
from app.flow.kinds.credentials import Handover
from app.flow.kinds.signatures import Signing

ItemKind = Literal["stage", "milestone", "task", "gate", "group"]  # a group holds what happens several times
Side = Literal["partner", "customer"]
Layer = Literal["internal", "implementation", "value"]
Rule = Literal["hard", "soft", "info"]
Join = Literal["all", "any"]  # what an item waits for of all that it depends on
Lifecycle = Literal["onboarding", "renewal", "expansion", "escalation", "offboarding"]
Effect = Literal["pass", "proceed", "override", "return", "stop"]

REASON_CODES = (
    "waiting_customer_admin",
    "waiting_billing_info",
    "waiting_technical_credentials",
    "waiting_internal_provisioning",
    "scope_mismatch",
    "no_success_criteria",
    "customer_no_response",
    "ai_uncertainty",
    "integration_failure",
)
EXCEPTION_TYPES = (
    "missing_outcome",
    "nonstandard_promise",
    "billing_mismatch",
    "technical_blocker",
    "no_customer_owner",
    "timeline_risk",
    "product_gap",
)
# What may go out without a person, and what never does (REQUIREMENTS 1.7); `news` is neither.
AUTOMATIC_KINDS = ("kickoff_nudge", "missing_document", "task_reminder", "task_completed", "inactivity_alert")
RISKY_KINDS = (
    "go_live_date",
    "scope_change",
    "executive_escalation",
    "commercial_commitment",
    "renewal_or_refund",
    "customer_at_fault",
)
# Opened by the engine itself: a result nobody knows, and a criterion that could not be evaluated.
UNKNOWN_OUTCOME, CRITERION_ERROR = "unknown_outcome", "criterion_error"
ENGINE_EXCEPTION_TYPES = (UNKNOWN_OUTCOME, CRITERION_ERROR)
TASK_KINDS = (
    "form",
    "check",
    "action",
    "approval",
    "meeting",
    "training",
    "message",
    "file",
    "credential",
    "signature",
)


class Duration(Struct, frozen=True, kw_only=True):
    """A length of business time: whole working days, or working hours."""

    business_days: int | None = None
    business_hours: int | None = None


class Reminder(Struct, frozen=True, kw_only=True):
    """When whoever's step it is hears of its date once more: before it, or after it, then `every` so often."""

    before: Duration | None = None
    after: Duration | None = None
    every: Duration | None = None
    at_most: int = 1


class Role(Struct, frozen=True, kw_only=True):
    """Who owns, reviews or is told; `fallback` is the role whose people stand in where nobody holds this one."""

    id: str
    label: Text
    side: Side = "partner"
    fallback: str | None = None


class HandoffField(Struct, frozen=True, kw_only=True):
    """One fact of the packet with its block rule (REQUIREMENTS 1.4, X8)."""

    field: Field
    rule: Rule
    source: str
    why: Text
    exception: str | None = None
    reason_code: str | None = None


class Evidence(Struct, frozen=True, kw_only=True):
    """What proves an item: `tasks` takes the answers and results below it, `person` asks for a statement or link."""

    label: Text
    source: Literal["tasks", "person"] = "tasks"


class ActionCall(Struct, frozen=True, kw_only=True):
    """A connector action; `inputs` are CEL expressions, `outputs` the result fields that criteria may read."""

    connector: str
    action: str
    inputs: dict[str, Criterion]
    outputs: tuple[Field, ...] = ()


class Refusal(Struct, frozen=True, kw_only=True):
    """Which exception a refused approval or a failed action opens."""

    exception: str
    reason_code: str


class Validation(Struct, frozen=True, kw_only=True):
    """A check that a gate shows as passed or not."""

    id: str
    label: Text
    criterion: Criterion


class DecisionButton(Struct, frozen=True, kw_only=True):
    """What a reviewer may press, and what it does."""

    id: str
    label: Text
    effect: Effect
    reason_required: bool = False


class Escalation(Struct, frozen=True, kw_only=True):
    """A case that the reviewer may not decide alone: only `role` can let it through."""

    id: str
    label: Text
    criterion: Criterion
    role: str


class GateReview(Struct, frozen=True, kw_only=True):
    """The eight parts of a gate (REQUIREMENTS 1.7). Override always needs a reason (X9)."""

    shows: tuple[str, ...]
    records: tuple[str, ...]
    draft: Text | None
    validations: tuple[Validation, ...]
    decisions: tuple[DecisionButton, ...]
    must_escalate: tuple[Escalation, ...]
    override_reason: Text
    logged: tuple[str, ...]
    reviewer: str
    handoff: bool = False
    return_to: str | None = None


class Item(Struct, frozen=True, kw_only=True):
    """One node of the tree: stage, milestone, task or gate. `key` is `kind.id`, the name that criteria use too."""

    key: str
    kind: ItemKind
    id: str
    parent: str | None
    position: int
    title: Text
    help: Text = {}
    owner: str
    side: Side = "partner"
    depends_on: tuple[str, ...] = ()
    when: Criterion | None = None
    entry: Criterion | None = None
    entry_compliance: Criterion | None = None
    exit: Criterion | None = None
    exit_compliance: Criterion | None = None
    due: Duration | None = None
    remind: tuple[Reminder, ...] | None = None  # None: as `flow.clocks.reminders` has it
    evidence: Evidence | None = None
    children: tuple[str, ...] = ()
    layer: Layer | None = None
    phase: str | None = None
    task_kind: str | None = None
    fields: tuple[Field, ...] = ()
    action: ActionCall | None = None
    on_refusal: Refusal | None = None
    review: GateReview | None = None
    sends: str | None = None  # of a message: the communication that it sends
    handover: Handover | None = None  # of a credential
    signing: Signing | None = None  # of a signature
    optional: bool = False
    join: Join = "all"
    group: str | None = None  # of an instance, and of what is in one: the repeated part
    number: int | None = None  # of an instance: which it is
    part: str = ""  # of an instance: its name


class Repeat(Struct, frozen=True, kw_only=True):
    """A part that happens several times: what it is made of, its own item first.

    `for_each` names the list that it follows; up to `at_most` times people may add another.
    """

    key: str
    for_each: str | None
    at_most: int | None
    pattern: tuple[Item, ...]


class Rung(Struct, frozen=True, kw_only=True):
    """One step of an escalation ladder. `after` counts from the rung before (the first: from the timer's start)."""

    after: Duration
    role: str
    message: Text
    exception: str | None = None
    reason_code: str | None = None


class Timer(Struct, frozen=True, kw_only=True):
    """An SLA on one item: starts when it opens (or with the onboarding), ends when it is settled.

    It stands still while somebody has said, by an exception, that others are waited for.
    """

    id: str
    item: str
    starts: Literal["opened", "started"]
    ladder: tuple[Rung, ...]
    pauses: tuple[str, ...] | None = None  # reason codes while which it stands still; None: those of its side


class ExceptionRoute(Struct, frozen=True, kw_only=True):
    """Where a typed exception goes, what is done first, and by when (REQUIREMENTS 1.7)."""

    id: str
    label: Text
    route: tuple[str, ...]
    first_response: Text
    respond_within: Duration
    reason_codes: tuple[str, ...]
    escalate: tuple[str, ...] = ()  # who is told in turn while nobody responds; else the rest of the route


class Successor(Struct, frozen=True, kw_only=True):
    """What follows when this has ended: a run of another template, so long after, if its criterion is true."""

    lifecycle: Lifecycle
    template: str
    after: Duration | None = None
    when: Criterion | None = None


class Control(Struct, frozen=True, kw_only=True):
    """A condition that opens an exception at an item while it is true (REQUIREMENTS 1.8, the billing controls)."""

    id: str
    label: Text
    when: Criterion
    item: str
    exception: str
    reason_code: str
    blocks: bool = False


class Approval(Struct, frozen=True, kw_only=True):
    """Who alone may send a message: always, or in the segments for which `when` is true."""

    role: str
    when: Criterion | None = None


class Communication(Struct, frozen=True, kw_only=True):
    """A message with the seven parts of its policy (REQUIREMENTS 1.7)."""

    id: str
    kind: str
    to: str
    subject: Text
    body: Text
    mode: Literal["automatic", "draft"]
    approval: Approval | None
    suppress: Criterion | None
    may_promise: Text
    must_not_promise: Text
    replies_to: str


class Clocks(Struct, frozen=True, kw_only=True):
    """The items at which the times to value begin and end, by key; None where the template does not say."""

    kickoff: str | None = None
    account_created: str | None = None
    core_process: str | None = None


class FirstValue(Struct, frozen=True, kw_only=True):
    """What counts as first value: a value milestone, its definition and the proof it takes."""

    milestone: str
    definition: Text
    proof: Text


@dataclass(frozen=True, slots=True)
class Definition:
    """An effective template, ready to run. `digest` is the content address of the document it was read from."""

    id: str
    version: str
    digest: str
    title: Text
    locales: tuple[str, ...]
    roles: Mapping[str, Role]
    inputs: tuple[Field, ...]
    handoff: tuple[HandoffField, ...]
    items: Mapping[str, Item]
    timers: Mapping[str, Timer]
    exceptions: Mapping[str, ExceptionRoute]
    first_value: FirstValue
    fields: Mapping[str, Field]  # by the name that criteria use: inputs.region, answers.kickoff.held_on
    texts: Mapping[str, Text] = field(default_factory=dict)
    lifecycle: Lifecycle = "onboarding"
    then: tuple[Successor, ...] = ()
    repeats: Mapping[str, Repeat] = field(default_factory=dict)
    controls: tuple[Control, ...] = ()
    communications: Mapping[str, Communication] = field(default_factory=dict)
    clocks: Clocks = field(default_factory=Clocks)
    base: Definition | None = field(default=None, repr=False, compare=False)  # of a view: what it was unfolded from
    views: dict[object, Definition] = field(default_factory=dict, repr=False, compare=False)  # see `parts.unfolding`

    def of_kind(self, kind: ItemKind) -> list[Item]:
        """All items of a kind in the tree's order."""
        return [item for item in self.items.values() if item.kind == kind]

    def is_optional(self, key: str) -> bool:
        """Whether nothing waits for an item: it, or something that it stands in, is optional."""
        item = self.items[key]
        while not item.optional and item.parent is not None:
            item = self.items[item.parent]
        return item.optional

    def needed(self, item: Item) -> list[str]:
        """The children that an item waits for."""
        return [key for key in item.children if not self.items[key].optional]

    def stage_of(self, key: str) -> Item:
        """The stage an item stands in."""
        item = self.items[key]
        while item.parent is not None:
            item = self.items[item.parent]
        return item
