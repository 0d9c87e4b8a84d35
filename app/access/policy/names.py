"""Names that say themselves what they mean, so that rights stay a set of names wherever they travel. Pure.

`csm` is a role, `csm!intake:deal:read` the role without that permission: what a partner's own role, or a customer who
narrows, takes away. `only=a=b` limits its holder to these permissions (a machine's scopes), and `within=csm=finance`
limits what staff may bring into customers' tenants (what the root granted their organisation). A name that is none of
these counts for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from app.access.permissions import Permission
from app.access.policy.reading import load_policy
from app.access.roles import Role

CUSTOM: Final = "custom:"  # how an assignment names a partner's own role, by id; resolved where assignments are read
_WITHOUT: Final = "!"
_ONLY: Final = "only="
_WITHIN: Final = "within="
_PERMISSION: Final = re.compile(r"[a-z0-9_]+:[a-z0-9_]+:[a-z0-9_]+")
_ROLES: Final = {str(role): role for role in Role}


@dataclass(frozen=True, slots=True)
class RoleName:
    """A role, and the permissions that were taken away from it."""

    base: Role
    without: frozenset[str]


@lru_cache(maxsize=4096)
def read_name(name: str) -> RoleName | None:
    """What the name means as a role; None where it is none. A name with anything wrong in it grants nothing."""
    base, *without = name.split(_WITHOUT)
    if base not in _ROLES or not all(_PERMISSION.fullmatch(permission) for permission in without):
        return None
    return RoleName(_ROLES[base], frozenset(without))


@lru_cache(maxsize=4096)
def write_name(base: Role, without: frozenset[str]) -> str:
    """The one name of the role without these permissions: those it never had are not in it."""
    taken = sorted(without & allowed_by(base))
    return _WITHOUT.join([str(base), *taken])


def role_names(names: Iterable[str]) -> tuple[RoleName, ...]:
    """Those of the names that are roles."""
    return tuple(found for name in sorted(names) if (found := read_name(name)) is not None)


def limit_to(permissions: Iterable[str]) -> str:
    """The name of a limit: its holder may do these and nothing else, whatever their roles."""
    return _ONLY + "=".join(sorted(permissions))


def read_limits(names: Iterable[str]) -> tuple[frozenset[str], ...]:
    """The limits among the names."""
    return tuple(frozenset(name[len(_ONLY) :].split("=")) for name in names if name.startswith(_ONLY))


def read_ceilings(names: Iterable[str]) -> tuple[frozenset[str], ...]:
    """The sets of roles, each of which staff must keep to in customers' tenants; one for each organisation above."""
    return tuple(frozenset(name[len(_WITHIN) :].split("=")) for name in names if name.startswith(_WITHIN))


@cache
def allowed_by(base: Role) -> frozenset[Permission]:
    """What the role allows, with all it includes; what it denies is not taken off."""
    return load_policy().permissions(base, "allow")


@lru_cache(maxsize=4096)
def meet(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """The roles that both sets of names share, included ones too; what either takes away stays away."""
    left, right = _spread(one), _spread(other)
    return frozenset(
        write_name(role, mine | theirs)
        for role in left.keys() & right.keys()
        for mine in left[role]
        for theirs in right[role]
    )


def _spread(names: frozenset[str]) -> dict[Role, set[frozenset[str]]]:
    """Each role that the names stand for or include, with what is taken away from it."""
    found: dict[Role, set[frozenset[str]]] = {}
    for name in role_names(names):
        for role in load_policy().implied(name.base):
            found.setdefault(role, set()).add(name.without)
    return found
