"""Who may give whom which role. Pure: nobody gives, changes or takes a role that holds more than their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from app.access.decisions import limiting_roles, permissions_of
from app.access.roles import CUSTOMER_ROLES, PARTNER_ROLES, PLATFORM_ROLES, Role
from app.kernel.errors import Conflict, Forbidden, Invalid, Missing
from app.web.translations import mark

STAFF: Final = "staff"  # the role column of a home's member rows; what they may do is in `roles`
MOST_ROLES: Final = 8
Own = Mapping[str, str]  # a partner's own roles: what each is assigned as, and the name that says what it means now
NONE_OWN: Final[Own] = MappingProxyType({})
CUSTOMER_ORDER: Final = (Role.OWNER, Role.ADMIN, Role.APPROVER, Role.CONTRIBUTOR, Role.VIEWER)
PARTNER_ORDER: Final = (
    Role.PARTNER_OWNER,
    Role.PARTNER_ADMIN,
    Role.ONBOARDING_LEAD,
    Role.CSM,
    Role.IMPLEMENTATION,
    Role.TECHNICAL,
    Role.FINANCE,
    Role.AUDITOR,
    Role.NO_DECISIONS,
)


class RoleBeyondYours(Forbidden):
    """Nobody gives or takes what they do not hold."""


class RoleUnknown(Invalid):
    """There is no such role here."""


class OwnRole(Forbidden):
    """Nobody changes their own roles: somebody else has to agree."""


class LastOwner(Conflict):
    """Without an owner nobody could give that role again."""


class PersonUnknown(Missing):
    """Nobody of that id belongs here."""


class WorksForPartner(Conflict):
    """Staff come in by a delegation, which the customer sees and can end; not as one of the customer's people."""


class AlreadyHere(Conflict):
    """The person belongs here already; their role can be changed."""


def known_customer_role(said: str) -> str:
    """The role, if it is one of a customer's. Raises RoleUnknown."""
    if said not in set(CUSTOMER_ROLES):
        raise RoleUnknown(_NO_ROLE, errors=[("role", _NO_ROLE)])
    return said


def known_staff_roles(said: Iterable[str], *, platform: bool, own: Own = NONE_OWN) -> frozenset[str]:
    """The roles, if all of them are staff's or the partner's own. Raises RoleUnknown for others, none and too many."""
    roles = frozenset(said)
    known = {str(role) for role in (PLATFORM_ROLES if platform else PARTNER_ROLES)}
    bases = {role.partition("!")[0] for role in roles - own.keys()}
    if not roles or len(roles) > MOST_ROLES or not bases <= known:
        raise RoleUnknown(_NO_ROLE, errors=[("roles", _NO_ROLE)])
    return roles


def require_within(rights: frozenset[str], roles: Iterable[str], own: Own = NONE_OWN) -> None:
    """Go on only if a holder of these rights holds all that the roles allow now. Raises RoleBeyondYours.

    A role that only takes away may be given by everybody who may give any, and is taken away by nobody who is under
    it: who must not decide cannot shed that.
    """
    for role in roles:
        beyond = permissions_of(frozenset({own.get(role, role)})) - permissions_of(rights)
        if beyond or (role in limiting_roles() and rights & limiting_roles()):
            raise RoleBeyondYours(_BEYOND)


def offered(rights: frozenset[str], order: Iterable[str], own: Own = NONE_OWN) -> list[str]:
    """The roles that a holder of these rights may give, in order; behind them those of the partner's own."""
    named = [(str(role), str(role)) for role in order] + list(own.items())
    return [role for role, means in named if permissions_of(frozenset({means})) <= permissions_of(rights)]


_NO_ROLE = mark("Choose one of the offers.")
_BEYOND = mark("This role may do more than yours. Ask somebody who holds it.")
OWN_ROLE = mark("Nobody changes their own roles. Ask somebody else who may.")
LAST_OWNER = mark("This is the last owner. Make somebody else an owner first.")
NOBODY = mark("Nobody of that name belongs here any more.")
WORKS_HERE = mark("This person works for your partner. Their access is asked for, given and ended as access of staff.")
ALREADY = mark("This person belongs here already. Change their role instead.")
