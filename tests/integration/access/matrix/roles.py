"""Too small a role, from the policy: what a door demands, everybody is refused whose role does not hold it.

What each door demands is what it really asks, listened to while the smallest role knocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from app.access import require as asking
from app.access.decisions import can
from tests.integration.access.matrix.routes import Route, fill, knock, new_key, things
from tests.integration.access.matrix.standing import Standing
from tests.integration.access.matrix.town import Someone, Town

Demands = list[tuple[Route, str]]
_MEMBER = "UPDATE {}.member SET role = %s WHERE email LIKE 'vera@%%'"
_STAFF = """
    UPDATE control.assignment SET role = %s
    WHERE person_id = (SELECT id FROM control.person WHERE email = 'tim@northwind.example')"""
_SHARED = "UPDATE {}.delegation SET roles = jsonb_build_array(%s::text) WHERE id = %s"


@dataclass
class Listener:
    """Every permission that was asked for and not held, since it was last cleared."""

    refused: list[str] = field(default_factory=list)

    def can(self, roles: frozenset[str], permission: str) -> bool:
        """The product's own decision, noted."""
        allowed = can(roles, permission)
        if not allowed:
            self.refused.append(str(permission))
        return allowed


def demanded(town: Town, routes: Iterable[Route], who: Someone) -> Demands:
    """What each of the routes refuses the smallest role for; a refusal that no permission explains is none."""
    found, listener = [], Listener()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asking, "can", listener.can)
        for route in routes:
            listener.refused.clear()
            answer = knock(route, fill(route, things(town, route)), who, key=new_key())
            assert answer.status == 403, f"{route.name}: {answer.status}"
            assert listener.refused, f"{route.name} refuses {who.name} for no permission of the policy"
            found.append((route, listener.refused[0]))
    return found


def closed(town: Town, demands: Iterable[tuple[Route, str]], who: Someone, held: frozenset[str]) -> list[str]:
    """Knock wherever these permissions do not suffice; what is not refused, or led to a proof first."""
    found, before = [], Standing(town)
    for route, permission in demands:
        if permission not in held:
            answer = knock(route, fill(route, things(town, route)), who, key=new_key())
            if answer.status != 403 and not answer.headers.get("location", "").startswith("/step-up"):
                found.append(f"{route.name} by {who.name}: {answer.status} without {permission}")
    return found + before.differences()


@contextmanager
def member_as(town: Town, role: str) -> Iterator[Someone]:
    """The viewer with another role in Acme, for a while."""
    town.installation.rows(town.acme, _MEMBER, role)
    try:
        yield town.viewer
    finally:
        town.installation.rows(town.acme, _MEMBER, "viewer")


@contextmanager
def staff_as(town: Town, role: str, *, shared: bool = False) -> Iterator[Someone]:
    """The CSM with another role at Northwind, for a while; `shared`: Acme's delegation shares that very role."""
    delegation = town.things("tenant")["delegation_id"]
    town.installation.control(_STAFF, role)
    town.installation.rows(town.acme, _SHARED, role if shared else "technical", delegation)
    try:
        yield town.late
    finally:
        town.installation.control(_STAFF, "csm")
        town.installation.rows(town.acme, _SHARED, "technical", delegation)
