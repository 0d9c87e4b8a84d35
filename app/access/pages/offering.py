"""What the pages of roles show and offer, in words (message ids). Pure."""

from __future__ import annotations

from typing import Any, Final

from app.access.decisions import permissions_of
from app.access.pages.words import ROLE_NAMES
from app.access.policy.names import allowed_by
from app.access.policy.words import grouped
from app.access.queries.custom_roles import Holders
from app.access.roles import Role
from app.access.schemas import CustomRoleOut

BASES: Final = tuple(str(role) for role in ROLE_NAMES)  # the roles that one of the partner's own can be built on


def default_roles() -> list[dict[str, Any]]:
    """Our roles of a partner's staff, with what each may do; the last one only takes away."""
    shown = [{"role": base, "groups": _groups(base), "narrows": True} for base in BASES]
    return [*shown, {"role": str(Role.NO_DECISIONS), "groups": [], "narrows": False}]


def own_role(role: CustomRoleOut, held: Holders) -> dict[str, Any]:
    """One of the partner's own, as a page shows it."""
    return {
        "id": role.id,
        "name": role.name,
        "base": role.base,
        "removed": [words for group in grouped(role.removed) for _name, words in group.items],
        "holders": held.names,
        "more": held.total - len(held.names),
        "changed_at": role.changed_at,
    }


def to_take_away(base: str, mine: frozenset[str]) -> list[dict[str, Any]]:
    """What can be taken away from a role, in groups; `beyond` is what the author does not hold."""
    return [
        {
            "title": group.title,
            "offers": [{"value": name, "words": words, "beyond": name not in mine} for name, words in group.items],
        }
        for group in grouped(allowed_by(Role(base)))
    ]


def proposed(role: CustomRoleOut | None, base: str, mine: frozenset[str]) -> dict[str, Any]:
    """The form as it is offered first: what is taken away until now, and what the author cannot give."""
    beyond = {str(name) for name in allowed_by(Role(base)) - mine} if base else set()
    return {"name": role.name if role else "", "removed": sorted(beyond | set(role.removed if role else ()))}


def _groups(base: str) -> list[dict[str, Any]]:
    held = permissions_of(frozenset({base}))
    return [{"title": one.title, "items": [words for _name, words in one.items]} for one in grouped(held)]
