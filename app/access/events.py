"""What happened to a delegation: for the tenant's trail, and for who must be told."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from app.kernel.events import Event


class DelegationEvent(Event, frozen=True, kw_only=True):
    """Something happened to the delegation `subject_id` of the partner `organisation_id`."""

    subject_kind: ClassVar[str] = "delegation"

    organisation_id: UUID


class DelegationGiven(DelegationEvent, frozen=True, kw_only=True):
    """A partner may act in this tenant from its beginning, with these roles, until then."""

    type: ClassVar[str] = "access.delegation.given"

    roles: list[str]
    ends_at: str


class DelegationRequested(DelegationEvent, frozen=True, kw_only=True):
    """A partner asks for access; nobody has it by that."""

    type: ClassVar[str] = "access.delegation.requested"

    roles: list[str]
    starts_at: str
    ends_at: str
    renewal_of: UUID | None = None


class DelegationApproved(DelegationEvent, frozen=True, kw_only=True):
    """The customer agreed to what was asked for, or to less of it."""

    type: ClassVar[str] = "access.delegation.approved"

    before: dict[str, object]
    after: dict[str, object]


class DelegationNarrowed(DelegationEvent, frozen=True, kw_only=True):
    """The customer took roles, permissions or time away from access that they had given."""

    type: ClassVar[str] = "access.delegation.narrowed"

    before: dict[str, object]
    after: dict[str, object]


class DelegationDeclined(DelegationEvent, frozen=True, kw_only=True):
    """The customer did not agree."""

    type: ClassVar[str] = "access.delegation.declined"


class DelegationWithdrawn(DelegationEvent, frozen=True, kw_only=True):
    """The partner took its request back."""

    type: ClassVar[str] = "access.delegation.withdrawn"


class DelegationMapped(DelegationEvent, frozen=True, kw_only=True):
    """The partner said which of its groups of staff have which of the roles."""

    type: ClassVar[str] = "access.delegation.mapped"

    before: list[dict[str, object]]
    after: list[dict[str, object]]


class DelegationEnded(DelegationEvent, frozen=True, kw_only=True):
    """A partner may no longer act in this tenant by this delegation."""

    type: ClassVar[str] = "access.delegation.ended"

    by: str = "move"


class DelegationExpired(DelegationEvent, frozen=True, kw_only=True):
    """Its time is over: that of an access, or that of a request nobody answered (`was`)."""

    type: ClassVar[str] = "access.delegation.expired"

    was: str


class DelegationRunsOut(DelegationEvent, frozen=True, kw_only=True):
    """Access ends in so many days; who still needs it asks for its renewal now."""

    type: ClassVar[str] = "access.delegation.runs_out"

    days: int
    ends_at: str


class GlassBroken(DelegationEvent, frozen=True, kw_only=True):
    """Somebody of the partner let themselves in without having been agreed to, for a short time and for a reason."""

    type: ClassVar[str] = "access.delegation.glass_broken"

    roles: list[str]
    ends_at: str


class DelegationEntered(DelegationEvent, frozen=True, kw_only=True):
    """Somebody of the partner is in the tenant by this delegation: told once an hour for each of them."""

    type: ClassVar[str] = "access.delegation.entered"
