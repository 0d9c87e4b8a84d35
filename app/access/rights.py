"""Which roles someone has in a tenant: own ones, and a partner's as far as the customer's delegation goes. Pure.

Rights in a tenant: own assignments, and those partner-staff assignments that a delegation shares now (DESIGN 5).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

from app.access.decisions import limiting_roles
from app.access.permissions import NEVER_DELEGATED
from app.access.policy.names import limit_to, meet, read_ceilings, read_name, role_names, write_name
from app.access.policy.reading import load_policy
from app.access.roles import CUSTOMER_ROLES, PARTNER_ROLES, PLATFORM_ROLES, Role
from app.kernel.actor import Actor

ACTIVE: Final = "active"
BREAK_GLASS: Final = "break_glass"


@dataclass(frozen=True, slots=True)
class GroupRoles:
    """Which of a delegation's roles the partner gives to one of its groups of staff."""

    group: UUID
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class DelegationView:
    """A partner's access into this tenant: these roles, from `starts` until before `ends` (aware UTC).

    `groups`, where there are any, say which staff have which of them; without, all staff by their own roles. Access by
    breaking the glass is `person`'s alone.
    """

    roles: frozenset[str]
    starts: datetime
    ends: datetime
    state: str
    id: UUID | None = None
    groups: tuple[GroupRoles, ...] = ()
    person: UUID | None = None


@dataclass(frozen=True, slots=True)
class StaffRoles:
    """Somebody who works for the partner: roles as assigned, the groups they are in, and who they are."""

    roles: frozenset[str]
    groups: frozenset[UUID] = frozenset()
    person: UUID | None = None

    @classmethod
    def of(cls, actor: Actor) -> StaffRoles:
        """Those of the actor."""
        return cls(actor.roles, actor.groups, actor.id)


@dataclass(frozen=True, slots=True)
class AtWork:
    """What `require` asks of a unit of work, where there is none: who acts, with which rights."""

    rights: frozenset[str]
    actor: Actor


@dataclass(frozen=True, slots=True)
class Grant:
    """One role held here, and why: `source` is `member`, `assignment` or `delegation`."""

    role: str
    source: str
    delegation_id: UUID | None = None


def is_open(delegation: DelegationView, now: datetime) -> bool:
    """Whether the delegation lets anybody in at this moment."""
    return delegation.state == ACTIVE and delegation.starts <= now < delegation.ends


def home_roles(assigned: Iterable[str]) -> frozenset[str]:
    """The roles that decide in an organisation's own home: what its people are assigned there."""
    return names(list_home_grants(assigned))


def staff_rights(actor: Actor) -> frozenset[str]:
    """An actor's rights by assignment, in its home and for all that is asked there of tenants; a job has none."""
    return frozenset() if actor.kind == "job" else limited(home_roles(actor.roles), actor)


def limited(roles: frozenset[str], actor: Actor) -> frozenset[str]:
    """The roles with the limit of a machine's token, where it has one."""
    return roles if actor.only is None or not roles else roles | {limit_to(actor.only)}


def names(grants: Iterable[Grant]) -> frozenset[str]:
    """Only the roles' names, as `Work.rights` holds them."""
    return frozenset(grant.role for grant in grants)


def list_home_grants(assigned: Iterable[str]) -> tuple[Grant, ...]:
    """Each role held in an organisation's own home."""
    held = (name for name in role_names(assigned) if name.base in PARTNER_ROLES | PLATFORM_ROLES)
    return tuple(Grant(write_name(name.base, name.without), "assignment") for name in held)


def list_grants(
    own_member_role: str | None, staff: StaffRoles | Iterable[str], delegations: Iterable[DelegationView], now: datetime
) -> tuple[Grant, ...]:
    """Each role held in a customer's tenant and where it comes from: what `explain` shows.

    A customer's role is taken from the member row only, a partner's from a delegation only; both sides' roles count
    with all they include. A role that only takes away follows its holder into every tenant.
    """
    who = staff if isinstance(staff, StaffRoles) else StaffRoles(frozenset(staff))
    own = known_roles([own_member_role] if own_member_role else []) & CUSTOMER_ROLES
    grants = [Grant(str(role), "member") for role in sorted(own)]
    for delegation in delegations:
        if is_open(delegation, now) and delegation.person in {None, who.person}:
            shared = shared_roles(who.roles, _given(delegation, who))
            grants += [Grant(role, "delegation", delegation.id) for role in sorted(shared)]
    if grants:
        limiting = implied_roles(who.roles) & PARTNER_ROLES & limiting_roles()
        grants += [Grant(str(role), "assignment") for role in sorted(limiting)]
    return tuple(grants)


@lru_cache(maxsize=4096)
def shared_roles(staff: frozenset[str], delegated: frozenset[str]) -> frozenset[str]:
    """What a delegation of these roles gives to a holder of those: what both name, within what the root granted.

    Without what no delegation carries, and without roles that only take away.
    """
    shared = meet(staff, delegated)
    for ceiling in read_ceilings(staff):
        shared = meet(shared, ceiling)
    kept = (name for name in role_names(shared) if name.base in PARTNER_ROLES - limiting_roles())
    return frozenset(write_name(name.base, name.without | NEVER_DELEGATED) for name in kept)


def implied_roles(roles: Iterable[str]) -> frozenset[Role]:
    """The roles with every role they include, narrowed or not; unknown names fall away."""
    return frozenset(implied for name in role_names(roles) for implied in load_policy().implied(name.base))


def known_roles(roles: Iterable[str]) -> frozenset[Role]:
    """Those of the names that are whole roles: a name from a row that no policy knows grants nothing."""
    found = (read_name(role) for role in roles)
    return frozenset(name.base for name in found if name is not None and not name.without)


def _given(delegation: DelegationView, who: StaffRoles) -> frozenset[str]:
    """Which of the delegation's roles are open to this person."""
    if not delegation.groups:
        return delegation.roles
    mine = (group.roles for group in delegation.groups if group.group in who.groups)
    return frozenset(name for roles in mine for name in meet(delegation.roles, roles))
