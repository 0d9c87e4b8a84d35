"""What happened to a delegation: for the tenant's trail, and for who must be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from app.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class DelegationEvent(Event):
    """Something happened to the delegation `subject_id` of the partner `organisation_id`."""

    subject_kind: ClassVar[str] = "delegation"

    organisation_id: UUID


@dataclass(frozen=True, kw_only=True)
class DelegationGiven(DelegationEvent):
    """A partner may act in this tenant from its beginning, with these roles, until then."""

    type: ClassVar[str] = "access.delegation.given"

    roles: list[str]
    ends_at: str


@dataclass(frozen=True, kw_only=True)
class DelegationRequested(DelegationEvent):
    """A partner asks for access; nobody has it by that."""

    type: ClassVar[str] = "access.delegation.requested"

    roles: list[str]
    starts_at: str
    ends_at: str
    renewal_of: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class DelegationApproved(DelegationEvent):
    """The customer agreed to what was asked for, or to less of it."""

    type: ClassVar[str] = "access.delegation.approved"

    before: dict[str, object]
    after: dict[str, object]


@dataclass(frozen=True, kw_only=True)
class DelegationNarrowed(DelegationEvent):
    """The customer took roles, permissions or time away from access that they had given."""

    type: ClassVar[str] = "access.delegation.narrowed"

    before: dict[str, object]
    after: dict[str, object]


@dataclass(frozen=True, kw_only=True)
class DelegationDeclined(DelegationEvent):
    """The customer did not agree."""

    type: ClassVar[str] = "access.delegation.declined"


@dataclass(frozen=True, kw_only=True)
class DelegationWithdrawn(DelegationEvent):
    """The partner took its request back."""

    type: ClassVar[str] = "access.delegation.withdrawn"


@dataclass(frozen=True, kw_only=True)
class DelegationMapped(DelegationEvent):
    """The partner said which of its groups of staff have which of the roles."""

    type: ClassVar[str] = "access.delegation.mapped"

    before: list[dict[str, object]]
    after: list[dict[str, object]]


@dataclass(frozen=True, kw_only=True)
class DelegationEnded(DelegationEvent):
    """A partner may no longer act in this tenant by this delegation."""

    type: ClassVar[str] = "access.delegation.ended"

    by: str = "move"


@dataclass(frozen=True, kw_only=True)
class DelegationExpired(DelegationEvent):
    """Its time is over: that of an access, or that of a request nobody answered (`was`)."""

    type: ClassVar[str] = "access.delegation.expired"

    was: str


@dataclass(frozen=True, kw_only=True)
class DelegationRunsOut(DelegationEvent):
    """Access ends in so many days; who still needs it asks for its renewal now."""

    type: ClassVar[str] = "access.delegation.runs_out"

    days: int
    ends_at: str


@dataclass(frozen=True, kw_only=True)
class GlassBroken(DelegationEvent):
    """Somebody of the partner let themselves in without having been agreed to, for a short time and for a reason."""

    type: ClassVar[str] = "access.delegation.glass_broken"

    roles: list[str]
    ends_at: str


@dataclass(frozen=True, kw_only=True)
class DelegationEntered(DelegationEvent):
    """Somebody of the partner is in the tenant by this delegation: told once an hour for each of them."""

    type: ClassVar[str] = "access.delegation.entered"
