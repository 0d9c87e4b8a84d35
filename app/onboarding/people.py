"""Who holds which role in one onboarding, and on which side someone acts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from app.access.roles import CUSTOMER_ROLES
from app.flow.definition import Role, Side
from app.flow.events import By
from app.kernel.work import Work
from app.onboarding.models import Onboarding


@dataclass(frozen=True, slots=True)
class Holder:
    """A person who holds a role in an onboarding."""

    id: UUID
    name: str
    email: str
    locale: str
    side: Side


def holders(onboarding: Onboarding, role: str) -> list[Holder]:
    """Everyone who holds the role; where nobody does, whoever leads the onboarding for the partner."""
    named = onboarding.people.get(role) or onboarding.people.get("onboarding_lead") or []
    return [msgspec.convert(entry, Holder) for entry in named]


def find_answering(onboarding: Onboarding, role: str) -> Holder | None:
    """Who gets the answers to a message: the first who holds the role, else whoever leads."""
    return next(iter(holders(onboarding, role)), None)


def with_fallbacks(roles: Mapping[str, Role], people: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """The people of each role; where nobody holds one, those of the role that stands in for it, or for that one."""
    found = {role: list(named) for role, named in people.items()}
    for name, role in roles.items():
        seen, stands_in = {name}, role.fallback
        while stands_in is not None and not found.get(name) and stands_in not in seen:
            found[name] = list(people.get(stands_in, ()))
            seen.add(stands_in)
            stands_in = roles[stands_in].fallback if stands_in in roles else None
    return {role: named for role, named in found.items() if named}


def acting_role(onboarding: Onboarding, key: str, owner: str) -> str:
    """The role that has to act on an item of that owner, as `State.acts`, for the lines of lists."""
    approvals: dict[str, str] = onboarding.snapshot.get("approvals", {})
    return approvals.get(key, owner)


def find_holder(onboarding: Onboarding, person: UUID) -> Holder | None:
    """The person, if they hold a role in this onboarding."""
    entries = (entry for people in onboarding.people.values() for entry in people)
    return next((msgspec.convert(entry, Holder) for entry in entries if entry["id"] == str(person)), None)


def people_of(onboarding: Onboarding, side: Side) -> list[Holder]:
    """Everyone of that side who holds a role here, each once, by name."""
    found = {person.id: person for role in onboarding.people for person in holders(onboarding, role)}
    return sorted((each for each in found.values() if each.side == side), key=lambda each: each.name)


def acting(work: Work, onboarding: Onboarding) -> By:
    """The one who acts now, as the engine needs to know: side, and the roles held in this onboarding."""
    own = tuple(
        role for role, people in onboarding.people.items() if any(entry["id"] == str(work.actor.id) for entry in people)
    )
    side: Side = "customer" if work.rights & CUSTOMER_ROLES else "partner"
    if work.tenant.kind == "sandbox" and side == "partner":  # its own staff is made up: who tries it plays them all
        own = tuple(onboarding.people)
    return By(actor=work.actor.label, side=side, roles=own)
