"""What access means in words: what somebody may do by it in a customer's workspace, and what roles are called. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from app.access.decisions import permissions_of
from app.access.permissions import NEVER_DELEGATED, Permission
from app.access.policy.names import read_name, write_name
from app.access.roles import Role
from app.web.translations import mark

SEE: Final = mark("See")
CHANGE: Final = mark("Change")
DECIDE: Final = mark("Decide and let in")

# What a partner's people may do in a customer's workspace, for those who never heard of roles. What is not here is of
# no consequence there, or stays at home.
ABILITIES: Final[Mapping[str, tuple[tuple[Permission, str], ...]]] = {
    SEE: (
        (Permission.ONBOARDING_READ, mark("how your onboardings stand")),
        (Permission.TENANT_READ, mark("the workspace's name and settings, and who has access")),
        (Permission.MESSAGE_READ, mark("messages that were sent")),
        (Permission.CONNECTION_READ, mark("which systems are connected")),
        (Permission.TRAIL_READ, mark("the trail of who did what")),
        (Permission.DECISION_EXPLAIN, mark("why somebody may or may not do something")),
    ),
    CHANGE: (
        (Permission.ONBOARDING_WRITE, mark("start, pause and plan onboardings")),
        (Permission.TASK_COMPLETE, mark("finish the partner's steps")),
        (Permission.PACKET_EDIT, mark("correct facts that were handed over")),
        (Permission.EXCEPTION_RESOLVE, mark("settle what is held up")),
        (Permission.CONNECTION_WRITE, mark("connect systems; credentials stay unreadable")),
    ),
    DECIDE: (
        (Permission.GATE_DECIDE, mark("decide at gates")),
        (Permission.MEMBER_INVITE, mark("invite people of yours")),
        (Permission.TRAIL_EXPORT, mark("take a copy of the trail")),
    ),
}
ROLE_NAMES: Final[Mapping[str, str]] = {
    Role.PARTNER_OWNER: mark("Partner owner"),
    Role.PARTNER_ADMIN: mark("Partner administrator"),
    Role.ONBOARDING_LEAD: mark("Onboarding lead"),
    Role.CSM: mark("Customer success manager"),
    Role.IMPLEMENTATION: mark("Implementation"),
    Role.FINANCE: mark("Finance"),
    Role.TECHNICAL: mark("Technical specialist"),
    Role.AUDITOR: mark("Auditor"),
}
_SHOWN: Final = frozenset(permission for group in ABILITIES.values() for permission, _words in group)


@dataclass(frozen=True, slots=True)
class Ability:
    """Something that can be done, as the page asks about it."""

    permission: str
    words: str


def abilities(roles: Iterable[str]) -> list[tuple[str, list[Ability]]]:
    """What holders of these roles could do at most, in groups; words are message ids."""
    held = permissions_of(frozenset(roles)) - NEVER_DELEGATED
    groups = [
        (name, [Ability(permission, words) for permission, words in group if permission in held])
        for name, group in ABILITIES.items()
    ]
    return [(name, group) for name, group in groups if group]


def difference(role: str) -> tuple[list[str], list[str]]:
    """What a narrowed role lost of the whole one, and what is left to it, as far as pages tell of it; message ids."""
    name = read_name(role)
    whole = permissions_of(frozenset({str(name.base)})) - NEVER_DELEGATED if name else frozenset()
    held = permissions_of(frozenset({role}))
    told = [(permission, words) for group in ABILITIES.values() for permission, words in group if permission in whole]
    return [words for each, words in told if each not in held], [words for each, words in told if each in held]


def keep_only(roles: Iterable[str], may: Iterable[str]) -> list[str]:
    """The roles without what the page shows and its reader left unticked; a role of which nothing is left goes."""
    gone = _SHOWN - frozenset(may)
    named = [(name.base, name.without | gone) for role in roles if (name := read_name(role)) is not None]
    narrowed = {write_name(base, without) for base, without in named}
    return sorted(name for name in narrowed if permissions_of(frozenset({name})) & _SHOWN)


def call(role: str) -> str:
    """What a role is called (a message id); narrowed or not."""
    name = read_name(role)
    return ROLE_NAMES.get(name.base, str(name.base)) if name else role
