"""Who an item belongs to: taking it, handing it over, giving it back to its role."""

from __future__ import annotations

from uuid import UUID

from app.access.permissions import Permission
from app.access.require import require
from app.flow import events as flow
from app.flow.commands import Decision
from app.flow.decide import UnknownItem
from app.flow.definition import Side
from app.kernel.errors import Forbidden, Invalid
from app.kernel.work import Work
from app.onboarding.models import Onboarding
from app.onboarding.operations.advance import advance, lock_onboarding
from app.onboarding.people import acting, find_holder
from app.onboarding.queries.stored import plan_of, state_of

SYSTEM_ONLY = {"require_holder": "part of an operation that has checked its own permission"}


class OtherSide(Forbidden):
    """An item is given to and taken by people of its own side."""


class NoRoleHere(Invalid):
    """Only who holds a role of the item's side in this onboarding can own it."""


def assign_item(work: Work, *, onboarding_id: UUID, item: str, person: UUID | None, reason: str = "") -> Decision:
    """Give an item to a person of its side, or (None) back to its role.

    One's own item everybody may hand on, and everybody may take one; to take an item from somebody else's hands for a
    third person is the right of who changes owners. Raises NotPermitted, OnboardingMissing, UnknownItem, OtherSide,
    NoRoleHere, and what the engine refuses. An owner who is given the item again changes nothing.
    """
    require(work, Permission.TASK_COMPLETE)
    onboarding = lock_onboarding(work, onboarding_id)
    definition = plan_of(work, onboarding)
    found, me = definition.items.get(item), str(work.actor.id)
    if found is None:
        raise UnknownItem("There is no such step in this onboarding.")
    state = state_of(onboarding)
    before = state.items[item].assignee
    if acting(work, onboarding).side != found.side:
        raise OtherSide(f"This step belongs to the {found.side}; only they say whose it is.")
    if before != me and str(person) != me:
        require(work, Permission.ONBOARDING_WRITE)
    if work.tenant.kind != "sandbox" or str(person) != me:  # who tries a sandbox plays all of its staff
        require_holder(onboarding, found.side, person)
    wanted = str(person) if person else None
    if wanted == before:
        return Decision(state=state, changes=(), commands=())
    event = flow.OwnerAssigned(by=acting(work, onboarding), item=item, person=wanted, reason=reason)
    return advance(work, onboarding, event)


def claim_item(work: Work, *, onboarding_id: UUID, item: str) -> Decision:
    """Take an item oneself. Raises as `assign_item`."""
    require(work, Permission.TASK_COMPLETE)
    return assign_item(work, onboarding_id=onboarding_id, item=item, person=work.actor.id)


def require_holder(onboarding: Onboarding, side: Side, person: UUID | None) -> None:
    """Only who works on this onboarding for that side owns something in it. Raises NoRoleHere."""
    if person is None:
        return
    holder = find_holder(onboarding, person)
    if holder is None or holder.side != side:
        message = f"Only people of the {side} who hold a role in this onboarding can own this."
        raise NoRoleHere(message, errors=[("/person", "This person holds no role of that side here.")])
