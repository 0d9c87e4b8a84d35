"""The hot path: may a holder of these roles do this? Sets compiled from the policy once per program; no Casbin, no I/O.

That they say what Casbin says about the same file is tested over the whole matrix; `explain.py` asks Casbin itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache

from app.access.policy.names import read_limits, role_names
from app.access.policy.reading import Policy, load_policy
from app.access.roles import Role

Names = frozenset[str]
_NOTHING: Names = frozenset()


class Decisions:
    """A policy compiled to sets; immutable, so threads share it."""

    def __init__(self, policy: Policy) -> None:
        self._allowed: dict[str, Names] = {role: policy.permissions(role, "allow") for role in Role}
        self._denied: dict[str, Names] = {role: policy.permissions(role, "deny") for role in Role}

    def permissions(self, roles: Iterable[str]) -> Names:
        """All that holders of these roles may do together: one role's denial beats every other's allowance.

        A narrowed role allows less and denies no less; limits leave only what each of them names. Names that are
        neither count for nothing (`app.access.policy.names`).
        """
        held = frozenset(roles)
        names = role_names(held)
        allowed = _NOTHING.union(*(self._allowed[name.base] - name.without for name in names))
        allowed = allowed.difference(*(self._denied[name.base] for name in names))
        return allowed.intersection(*read_limits(held))


@cache
def load_decisions() -> Decisions:
    """The decisions of the committed policy."""
    return Decisions(load_policy())


@lru_cache(maxsize=4096)
def permissions_of(roles: frozenset[str]) -> Names:
    """All permissions of a holder of these roles: for pages that show only what can be done."""
    return load_decisions().permissions(roles)


def can(roles: frozenset[str], permission: str) -> bool:
    """Whether a holder of these roles may do it (DESIGN 16: at most 10 µs)."""
    return permission in permissions_of(roles)


@cache
def limiting_roles() -> frozenset[Role]:
    """Roles that grant nothing and only take away: nothing that narrows somebody's roles may shed them."""
    policy = load_policy()
    denying = (role for role in Role if policy.permissions(role, "deny"))
    return frozenset(role for role in denying if not policy.permissions(role, "allow"))
