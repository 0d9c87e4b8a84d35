"""What happened in an onboarding; among them most of the eleven trace events of REQUIREMENTS 1.11."""

from __future__ import annotations

from typing import Any, ClassVar

from app.kernel.events import Event


class OfOnboarding(Event, frozen=True, kw_only=True):
    """Something that happened in one onboarding."""

    subject_kind: ClassVar[str] = "onboarding"


class OnboardingStarted(OfOnboarding, frozen=True, kw_only=True):
    """The project exists: template, owners and milestones, and the service package that it was sold with."""

    type: ClassVar[str] = "onboarding.started"

    name: str
    template: str
    definition_digest: str
    owners: dict[str, str]
    milestones: list[str]
    package: dict[str, Any] | None = None


class HandoffValidated(OfOnboarding, frozen=True, kw_only=True):
    """The handoff packet was checked: what was required, what is missing, where it came from."""

    type: ClassVar[str] = "onboarding.handoff.validated"

    gate: str
    missing: list[str]
    sources: dict[str, str]


class PacketCorrected(OfOnboarding, frozen=True, kw_only=True):
    """Fields of the packet were given or corrected by a person."""

    type: ClassVar[str] = "onboarding.packet.corrected"
    personal: ClassVar[frozenset[str]] = frozenset({"facts"})

    facts: dict[str, Any]


class GateDecided(OfOnboarding, frozen=True, kw_only=True):
    """A person decided a gate; an override always has its reason."""

    type: ClassVar[str] = "onboarding.gate.decided"

    gate: str
    decision: str
    missing: list[str]


class CustomerTaskOpened(OfOnboarding, frozen=True, kw_only=True):
    """Something is now the customer's to do."""

    type: ClassVar[str] = "onboarding.customer_task.opened"

    task: str
    owner: str
    due_at: str | None


class TaskCompleted(OfOnboarding, frozen=True, kw_only=True):
    """A task is done, with its evidence."""

    type: ClassVar[str] = "onboarding.task.completed"
    personal: ClassVar[frozenset[str]] = frozenset({"answers"})

    task: str
    answers: dict[str, Any]
    evidence: dict[str, Any] | None


class ProvisioningRequested(OfOnboarding, frozen=True, kw_only=True):
    """A connector action was asked for."""

    type: ClassVar[str] = "onboarding.provisioning.requested"

    task: str
    connector: str
    action: str
    run_id: str


class SystemWroteBack(OfOnboarding, frozen=True, kw_only=True):
    """A connector action ended: which record, and how."""

    type: ClassVar[str] = "onboarding.system.wrote_back"

    task: str
    connector: str
    outcome: str
    fields: dict[str, Any]


class MilestoneCompleted(OfOnboarding, frozen=True, kw_only=True):
    """A milestone is proven."""

    type: ClassVar[str] = "onboarding.milestone.completed"

    milestone: str
    layer: str
    owner: str
    evidence: dict[str, Any] | None


class SLABreached(OfOnboarding, frozen=True, kw_only=True):
    """A rung of an escalation ladder came due with nobody having acted."""

    type: ClassVar[str] = "onboarding.sla.breached"

    timer: str
    rung: int
    role: str


class ItemAssigned(OfOnboarding, frozen=True, kw_only=True):
    """A named person took an item, or gave it back to its role."""

    type: ClassVar[str] = "onboarding.item.assigned"

    item: str
    person: str | None


class ItemSkipped(OfOnboarding, frozen=True, kw_only=True):
    """A person left a step out, with all that was open below it."""

    type: ClassVar[str] = "onboarding.item.skipped"

    item: str


class ItemDeclined(OfOnboarding, frozen=True, kw_only=True):
    """A person of its side said that an optional step is not needed."""

    type: ClassVar[str] = "onboarding.item.declined"

    item: str


class OnboardingRolledBack(OfOnboarding, frozen=True, kw_only=True):
    """A stage and every later one begin anew; `not_undone` are the tasks whose effect outside is a person's to undo."""

    type: ClassVar[str] = "onboarding.rolled_back"

    item: str
    not_undone: list[str]


class DateChosen(OfOnboarding, frozen=True, kw_only=True):
    """A person chose the day of an item (None: gave it back to the plan); so many other dates moved with it."""

    type: ClassVar[str] = "onboarding.date.chosen"

    item: str
    day: str | None
    moved: int


class GoLiveChosen(OfOnboarding, frozen=True, kw_only=True):
    """A person said by which day the customer is to be live; None: no day is wanted any more."""

    type: ClassVar[str] = "onboarding.go_live.chosen"

    day: str | None


class CalendarChanged(OfOnboarding, frozen=True, kw_only=True):
    """One of the parties works at other times from now on."""

    type: ClassVar[str] = "onboarding.calendar.changed"

    side: str
    zone: str
    moved: int


class FirstValueReached(OfOnboarding, frozen=True, kw_only=True):
    """First value is proven: by its definition, with its proof. Once."""

    type: ClassVar[str] = "onboarding.first_value.reached"

    milestone: str
    definition: str
    proof: dict[str, Any]
    segment: str | None


class ExceptionAnswered(OfOnboarding, frozen=True, kw_only=True):
    """Somebody responded to an exception for the first time, by its time or late."""

    type: ClassVar[str] = "onboarding.exception.answered"

    item: str
    exception: str
    in_time: bool


class ExceptionReassigned(OfOnboarding, frozen=True, kw_only=True):
    """An exception went to another role or person."""

    type: ClassVar[str] = "onboarding.exception.reassigned"

    item: str
    exception: str
    role: str
    person: str | None


class ResolutionProposed(OfOnboarding, frozen=True, kw_only=True):
    """Somebody asks for a resolution that takes two."""

    type: ClassVar[str] = "onboarding.exception.proposed"

    item: str
    exception: str
    resolution: str
    fields: list[str]  # of the action's input, where other values are proposed for them


class InputChanged(OfOnboarding, frozen=True, kw_only=True):
    """An action was tried once more with other values than the plan's; these are their names."""

    type: ClassVar[str] = "onboarding.exception.input_changed"

    item: str
    exception: str
    fields: list[str]


class ResolutionDecided(OfOnboarding, frozen=True, kw_only=True):
    """Another person agreed to a proposed resolution, or declined it."""

    type: ClassVar[str] = "onboarding.exception.decided"

    item: str
    exception: str
    agreed: bool


class RetryScheduled(OfOnboarding, frozen=True, kw_only=True):
    """What an exception holds is to be tried once more at a moment."""

    type: ClassVar[str] = "onboarding.exception.retry_set"

    item: str
    exception: str
    at: str


class ExceptionAged(OfOnboarding, frozen=True, kw_only=True):
    """Nobody responded to an exception in its time; these roles were told."""

    type: ClassVar[str] = "onboarding.exception.aged"

    item: str
    exception: str
    roles: list[str]


class OnboardingHeld(OfOnboarding, frozen=True, kw_only=True):
    """It was put on hold: nobody moves it and its clocks stand still."""

    type: ClassVar[str] = "onboarding.held"

    reason_code: str


class OnboardingResumed(OfOnboarding, frozen=True, kw_only=True):
    """The hold is over; dates moved by the business time held."""

    type: ClassVar[str] = "onboarding.resumed"

    held_since: str


class Reminded(OfOnboarding, frozen=True, kw_only=True):
    """Whoever's step it is was reminded of its date, for the how-manieth time."""

    type: ClassVar[str] = "onboarding.reminded"

    item: str
    number: int


class ClockPaused(OfOnboarding, frozen=True, kw_only=True):
    """An SLA clock stands still while others are waited for."""

    type: ClassVar[str] = "onboarding.clock.paused"

    item: str
    timer: str
    exception: str
    reason_code: str


class ClockContinued(OfOnboarding, frozen=True, kw_only=True):
    """A paused SLA clock goes on with the time that was left."""

    type: ClassVar[str] = "onboarding.clock.continued"

    item: str
    timer: str
    paused_since: str
    due_at: str


class OnboardingEnded(OfOnboarding, frozen=True, kw_only=True):
    """Nothing follows any more."""

    type: ClassVar[str] = "onboarding.ended"

    outcome: str


class JobsRetried(OfOnboarding, frozen=True, kw_only=True):
    """An operator had failed jobs done again; `reason` says why."""

    type: ClassVar[str] = "onboarding.jobs.retried"

    jobs: list[str]
    kinds: list[str]


class SandboxFilled(Event, frozen=True, kw_only=True):
    """All that a new sandbox holds is made up: whom and what it was given."""

    type: ClassVar[str] = "onboarding.sandbox.filled"
    subject_kind: ClassVar[str] = "tenant"

    deal: str
    people: list[str]
    template_digest: str
    synthetic: bool = True


class SandboxLeftEmpty(Event, frozen=True, kw_only=True):
    """A new sandbox holds nothing to look at; `reason` says why."""

    type: ClassVar[str] = "onboarding.sandbox.left_empty"
    subject_kind: ClassVar[str] = "tenant"
