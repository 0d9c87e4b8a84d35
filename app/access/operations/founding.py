"""The delegation that a tenant is born with, and what becomes of delegations when a tenant moves."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from app.access.events import DelegationEnded, DelegationGiven
from app.access.models import Delegation
from app.access.operations.looking_after import watch
from app.kernel.ids import new_id
from app.kernel.work import Work

SYSTEM_ONLY = {
    "give_default_delegation": "part of the creation of a tenant; the customer sees it and can revoke it",
    "end_delegations": "part of the import of a tenant: its delegations name organisations of another installation",
}
# What the work of an onboarding takes, and no more: neither the ownership nor the delegations of the tenant.
DEFAULT_ROLES = ("partner_admin", "onboarding_lead", "csm", "implementation", "finance", "technical", "auditor")
DEFAULT_LENGTH = timedelta(days=365)  # never beyond the 730 days of DESIGN 5
_ENDS = ("active", "requested")


def end_delegations(work: Work, *, reason: str) -> None:
    """End every delegation that is active or asked for, with its entry in the trail."""
    for delegation in work.session.scalars(select(Delegation).where(Delegation.state.in_(_ENDS))):
        delegation.state, delegation.changed_at = "ended", work.now
        delegation.version = (delegation.version or 0) + 1
        delegation.ended_by, delegation.ended_at, delegation.end_reason = "move", work.database_now, reason
        ended = DelegationEnded(subject_id=delegation.id, organisation_id=delegation.organisation_id, reason=reason)
        work.announce(ended)


def give_default_delegation(work: Work) -> UUID:
    """The delegation a new customer's tenant starts with, for the partner that made it. Returns its id."""
    ends = work.database_now + DEFAULT_LENGTH
    delegation = Delegation(
        id=new_id(),
        organisation_id=work.tenant.organisation_id,
        roles=list(DEFAULT_ROLES),
        state="active",
        kind="default",
        version=1,
        reason="Default access of the partner that set this workspace up",
        starts_at=work.database_now,
        ends_at=ends,
        changed_at=work.now,
    )
    work.session.add(delegation)
    work.announce(
        DelegationGiven(
            subject_id=delegation.id,
            organisation_id=delegation.organisation_id,
            roles=list(DEFAULT_ROLES),
            ends_at=ends.isoformat(),
            reason=delegation.reason,
        )
    )
    watch(work, delegation)
    return delegation.id
