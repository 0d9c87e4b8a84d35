"""Opens a tenant to its partner, for a time and with named roles (DESIGN 5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from sqlalchemy import select

from app.access.models import Delegation
from app.kernel.events import Event
from app.kernel.ids import new_id
from app.kernel.work import Work

SYSTEM_ONLY = {
    "give_default_delegation": "part of the creation of a tenant; the customer sees it and can revoke it",
    "end_delegations": "part of the import of a tenant: its delegations name organisations of another installation",
}
# What the work of an onboarding takes, and no more: neither the ownership nor the delegations of the tenant.
DEFAULT_ROLES = ("partner_admin", "onboarding_lead", "csm", "implementation", "finance", "technical", "auditor")
DEFAULT_LENGTH = timedelta(days=365)  # never beyond the 730 days of DESIGN 5


@dataclass(frozen=True, kw_only=True)
class DelegationGiven(Event):
    """A partner may act in this tenant, with these roles, until then."""

    type: ClassVar[str] = "access.delegation.given"
    subject_kind: ClassVar[str] = "delegation"

    organisation_id: UUID
    roles: list[str]
    ends_at: str


@dataclass(frozen=True, kw_only=True)
class DelegationEnded(Event):
    """A partner may no longer act in this tenant by this delegation."""

    type: ClassVar[str] = "access.delegation.ended"
    subject_kind: ClassVar[str] = "delegation"

    organisation_id: UUID


def end_delegations(work: Work, *, reason: str) -> None:
    """End every delegation that is active, with its entry in the trail."""
    for delegation in work.session.scalars(select(Delegation).where(Delegation.state == "active")):
        delegation.state, delegation.changed_at = "revoked", work.now
        ended = DelegationEnded(subject_id=delegation.id, organisation_id=delegation.organisation_id, reason=reason)
        work.record(ended)


def give_default_delegation(work: Work) -> UUID:
    """The delegation a new customer's tenant starts with, for the partner that made it. Returns its id."""
    ends = work.database_now + DEFAULT_LENGTH
    delegation = Delegation(
        id=new_id(),
        organisation_id=work.tenant.organisation_id,
        roles=list(DEFAULT_ROLES),
        state="active",
        reason="Default access of the partner that set this workspace up",
        starts_at=work.database_now,
        ends_at=ends,
        changed_at=work.now,
    )
    work.session.add(delegation)
    work.record(
        DelegationGiven(
            subject_id=delegation.id,
            organisation_id=delegation.organisation_id,
            roles=list(DEFAULT_ROLES),
            ends_at=ends.isoformat(),
            reason=delegation.reason,
        )
    )
    return delegation.id
