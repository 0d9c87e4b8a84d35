"""A partner tree with people, grants and delegations, and a naive model of who may do what in it.

The model asks the rules of the policy one by one and shares no code with the product beyond reading them: no sets are
compiled, no names are parsed, nothing is cached.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from app.access.permissions import NEVER_DELEGATED, Permission
from app.access.policy import load_policy
from app.access.roles import CUSTOMER_ROLES, PARTNER_ROLES, Role

Name = tuple[Role, frozenset[str]]  # a role and what is taken away from it
START = datetime(2026, 11, 21, 12, tzinfo=UTC)
RULES = load_policy().rules
INCLUDED = load_policy().inclusions
PARENTS: dict[str, str | None] = {"root": None, "distri": "root", "resell": "distri", "other": "root"}


def spelt(name: Name) -> str:
    """How the name is written, spelt out here once more."""
    return "!".join([str(name[0]), *sorted(name[1])])


def chain(organisation: str) -> list[str]:
    """The organisation and every one above it."""
    found: list[str] = []
    here: str | None = organisation
    while here is not None:
        found.append(here)
        here = PARENTS[here]
    return found


def includes(role: Role, wanted: Role) -> bool:
    """Whether the role is the other one, or includes it somehow."""
    return role is wanted or any(holder is role and includes(inner, wanted) for holder, inner in INCLUDED)


def says(role: Role, permission: Permission, effect: str) -> bool:
    """Whether a rule of the role, or of one that it includes, says so."""
    return any(rule.permission is permission and rule.effect == effect and includes(role, rule.role) for rule in RULES)


ALLOWS = {(role, permission): says(role, permission, "allow") for role in Role for permission in Permission}
DENIES = {(role, permission): says(role, permission, "deny") for role in Role for permission in Permission}


@dataclass
class OwnRole:
    """A partner's own role."""

    organisation: str
    base: Role
    removed: frozenset[str]
    gone: bool = False


@dataclass
class Access:
    """A delegation, as it stands."""

    roles: list[Name]
    starts: datetime
    ends: datetime
    state: str = "active"
    groups: list[tuple[UUID, list[Name]]] = field(default_factory=list)
    person: UUID | None = None
    id: UUID | None = None


@dataclass
class World:
    """All there is. The one tenant is a customer of `resell`."""

    now: datetime = START
    ceilings: dict[str, set[Role]] = field(default_factory=dict)
    own_roles: dict[UUID, OwnRole] = field(default_factory=dict)
    assigned: set[tuple[UUID, str, Role | UUID]] = field(default_factory=set)
    groups: dict[UUID, frozenset[UUID]] = field(default_factory=dict)
    members: dict[UUID, Role] = field(default_factory=dict)
    accesses: list[Access] = field(default_factory=list)

    def held(self, person: UUID) -> list[Name]:
        """What is assigned to the person in the tenant's organisation or above it, as it is defined now."""
        names: list[Name] = []
        for who, organisation, role in self.assigned:
            if who != person or organisation not in chain("resell"):
                continue
            if isinstance(role, Role):
                names.append((role, frozenset()))
                continue
            own = self.own_roles[role]
            if not own.gone and own.organisation in chain(organisation):
                names.append((own.base, own.removed))
        return names

    def may(self, person: UUID, permission: Permission, only: frozenset[str] | None = None) -> bool:
        """Whether the person may do this in the tenant."""
        held = self.held(person)
        if only is not None and permission not in only:
            return False
        if any(DENIES[role, permission] for role, _taken in held):
            return False
        member = self.members.get(person)
        if member in CUSTOMER_ROLES and ALLOWS[member, permission]:
            return True
        return permission not in NEVER_DELEGATED and any(
            self._lets_in(access, person, held, permission) for access in self.accesses
        )

    def _lets_in(self, access: Access, person: UUID, held: list[Name], permission: Permission) -> bool:
        if access.state != "active" or not access.starts <= self.now < access.ends:
            return False
        if access.person not in {None, person}:
            return False
        sides = [held, access.roles]
        if access.groups:
            mine = self.groups.get(person, frozenset())
            sides.append([name for group, names in access.groups if group in mine for name in names])
        return any(
            self._granted(role) and all(self._gives(side, role, permission) for side in sides)
            for role in PARTNER_ROLES - {Role.NO_DECISIONS}
            if ALLOWS[role, permission]
        )

    def _granted(self, role: Role) -> bool:
        """Whether every organisation above was granted the role by the one above it."""
        return all(
            any(includes(granted, role) for granted in self.ceilings[organisation])
            for organisation in chain("resell")
            if organisation in self.ceilings
        )

    @staticmethod
    def _gives(names: list[Name], role: Role, permission: Permission) -> bool:
        return any(includes(base, role) and permission not in taken for base, taken in names)
