"""Which roles someone has in a tenant: own ones, and a partner's as far as the customer's delegation goes. Pure.

Rights in a tenant: own assignments, and those partner-staff assignments that a delegation shares now (DESIGN 5).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from app.access.decisions import limiting_roles
from app.access.policy import load_policy
from app.access.roles import CUSTOMER_ROLES, PARTNER_ROLES, PLATFORM_ROLES, Role

ACTIVE: Final = "active"


@dataclass(frozen=True, slots=True)
class DelegationView:
    """A partner's access into this tenant: these roles, from `starts` until before `ends` (aware UTC)."""

    roles: frozenset[str]
    starts: datetime
    ends: datetime
    state: str
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """One role held here, and why: `source` is `member`, `assignment` or `delegation`."""

    role: str
    source: str
    delegation_id: UUID | None = None


def is_open(delegation: DelegationView, now: datetime) -> bool:
    """Whether the delegation lets anybody in at this moment."""
    return delegation.state == ACTIVE and delegation.starts <= now < delegation.ends


def effective_roles(
    own_member_role: str | None, staff_roles: Iterable[str], delegations: Iterable[DelegationView], now: datetime
) -> frozenset[str]:
    """The names of the roles that decide in a customer's tenant; empty when this person has no business there."""
    return names(list_grants(own_member_role, staff_roles, delegations, now))


def home_roles(assigned: Iterable[str]) -> frozenset[str]:
    """The roles that decide in an organisation's own home: what its people are assigned there."""
    return names(Grant(role, "assignment") for role in known_roles(assigned) & (PARTNER_ROLES | PLATFORM_ROLES))


def names(grants: Iterable[Grant]) -> frozenset[str]:
    """Only the roles' names, as `Work.rights` holds them."""
    return frozenset(grant.role for grant in grants)


def list_grants(
    own_member_role: str | None, staff_roles: Iterable[str], delegations: Iterable[DelegationView], now: datetime
) -> tuple[Grant, ...]:
    """Each role held in a customer's tenant and where it comes from: what `explain` shows.

    A customer's role is taken from the member row only, a partner's from a delegation only; both sides' roles count
    with all they include. A role that only takes away follows its holder into every tenant.
    """
    own = known_roles([own_member_role] if own_member_role else []) & CUSTOMER_ROLES
    grants = [Grant(str(role), "member") for role in sorted(own)]
    staff = implied_roles(staff_roles) & PARTNER_ROLES
    for delegation in delegations:
        if is_open(delegation, now):
            shared = (staff & implied_roles(delegation.roles)) - limiting_roles()
            grants += [Grant(str(role), "delegation", delegation.id) for role in sorted(shared)]
    if grants:
        grants += [Grant(str(role), "assignment") for role in sorted(staff & limiting_roles())]
    return tuple(grants)


def implied_roles(roles: Iterable[str]) -> frozenset[Role]:
    """The roles with every role they include; unknown names fall away."""
    policy = load_policy()
    return frozenset(implied for role in known_roles(roles) for implied in policy.implied(role))


def known_roles(roles: Iterable[str]) -> frozenset[Role]:
    """Those of the names that are roles: a name from a row that no policy knows grants nothing."""
    known = {str(role): role for role in Role}
    return frozenset(known[role] for role in roles if role in known)
