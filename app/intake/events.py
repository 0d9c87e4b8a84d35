"""What happened to a deal in a partner's home, and to the lanes it comes in on."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from app.kernel.events import Event


class _OfDeal(Event, frozen=True, kw_only=True):
    subject_kind: ClassVar[str] = "deal"

    source: str
    external_id: str


class TriggerReceived(_OfDeal, frozen=True, kw_only=True):
    """A CRM said that a deal has moved; first of the eleven trace events (REQUIREMENTS 1.11)."""

    type: ClassVar[str] = "intake.trigger.received"

    stage: str | None
    account_id: str | None
    contract_signed: bool | None
    payment_ready: bool | None


class DealAdmitted(_OfDeal, frozen=True, kw_only=True):
    """The trigger contract of a workflow has admitted a deal, once. `facts` is what the onboarding starts from.

    `package` is the service package that it was sold with: id, version, digest and add-ons.
    """

    type: ClassVar[str] = "intake.deal.admitted"
    personal: ClassVar[frozenset[str]] = frozenset({"facts"})

    workflow_id: UUID
    start_id: UUID
    account_name: str
    template_digest: str
    overlay_digest: str | None
    owners: dict[str, Any]
    facts: dict[str, Any]
    package: dict[str, Any] | None = None


class DealExcluded(_OfDeal, frozen=True, kw_only=True):
    """A deal that is not for any workflow, with the reason."""

    type: ClassVar[str] = "intake.deal.excluded"


class DealHeld(_OfDeal, frozen=True, kw_only=True):
    """A deal that needs a person before anything may start."""

    type: ClassVar[str] = "intake.deal.held"

    exception_id: UUID
    missing: list[str]


class DealSeenAgain(_OfDeal, frozen=True, kw_only=True):
    """A deal that was admitted before has come again (reopened, closed again): no second onboarding."""

    type: ClassVar[str] = "intake.deal.seen_again"


class DealStarted(_OfDeal, frozen=True, kw_only=True):
    """The onboarding of an admitted deal is running in its tenant."""

    type: ClassVar[str] = "intake.deal.started"

    tenant_id: UUID
    started_onboarding_id: UUID


class ExceptionOpened(Event, frozen=True, kw_only=True):
    """A typed problem with an owner. `item`: the step of an onboarding that it is about."""

    type: ClassVar[str] = "intake.exception.opened"
    subject_kind: ClassVar[str] = "exception"

    exception: str
    reason_code: str
    owner_role: str
    summary: str
    item: str | None = None


class ExceptionResolved(Event, frozen=True, kw_only=True):
    """A person has said how a problem ended."""

    type: ClassVar[str] = "intake.exception.resolved"
    subject_kind: ClassVar[str] = "exception"

    resolution: str


class WorkflowCreated(Event, frozen=True, kw_only=True):
    """A lane exists: which segment it takes and which template it starts."""

    type: ClassVar[str] = "intake.workflow.created"
    subject_kind: ClassVar[str] = "workflow"

    name: str
    segment: str
    state: str
    template_digest: str
    overlay_digest: str | None


class HookOpened(Event, frozen=True, kw_only=True):
    """An address was given out at which a CRM may knock; `mark` is the start of its token's digest, never the token."""

    type: ClassVar[str] = "intake.hook.opened"
    subject_kind: ClassVar[str] = "hook"

    source: str
    mark: str
