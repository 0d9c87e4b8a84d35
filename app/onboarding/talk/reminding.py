"""Reminding the owners of an open step by hand: at most once a day, with a personal line, and never oneself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from app.access.permissions import Permission
from app.access.require import require
from app.flow.decide import UnknownItem
from app.flow.definition import Item
from app.kernel.errors import Conflict, Forbidden, Invalid
from app.kernel.trail import find_last
from app.kernel.work import Work
from app.notifications.operations import Letter, queue_letter
from app.onboarding.models import Onboarding
from app.onboarding.operations.advance import lock_onboarding
from app.onboarding.people import Holder, acting, find_holder, holders
from app.onboarding.queries.stored import plan_of, state_of
from app.onboarding.talk.events import OwnerReminded
from app.web.translations import mark

EVERY = timedelta(days=1)
LONGEST = 500  # characters
_WAITS = frozenset({"open", "blocked"})


class StaffRemind(Forbidden):
    """Reminders come from the partner's staff."""


class NothingToRemind(Conflict):
    """The step waits for nobody: it is not open, the onboarding is over or on hold, or it is one's own."""


class RemindedAlready(Conflict):
    """Its owners were reminded less than a day ago."""


class NoteUnfit(Invalid):
    """The personal line is too long."""


def remind(work: Work, *, onboarding_id: UUID, item: str, note: str = "") -> list[Holder]:
    """Send the owners of an open task or gate a letter now; `note` is a line of one's own. Returns who is reminded.

    Raises NotPermitted, OnboardingMissing, UnknownItem, StaffRemind, NothingToRemind, RemindedAlready, NoteUnfit.
    """
    require(work, Permission.TASK_COMPLETE)
    onboarding = lock_onboarding(work, onboarding_id)
    definition, note = plan_of(work, onboarding), note.strip()
    found = definition.items.get(item)
    if found is None:
        raise UnknownItem("There is no such step in this onboarding.")
    if acting(work, onboarding).side != "partner":
        raise StaffRemind(mark("Reminders come from the partner's staff. Write a comment instead."))
    if len(note) > LONGEST:
        message = mark("This is too long.")
        raise NoteUnfit(message, errors=[("/note", message)])
    people = _owners(work, onboarding, found)
    last = find_last(work.session, OwnerReminded.type, onboarding.id, item=item)
    if last is not None and work.now < last + EVERY:
        raise RemindedAlready(mark("Its owners were reminded less than a day ago. Give them a little time."))
    names = [person.name for person in people]
    about = {"subject_id": onboarding.id, "onboarding_id": onboarding.id}
    work.announce(OwnerReminded(item=item, people=names, reason=note or None, **about), lane_seq=onboarding.seq)
    due_at = state_of(onboarding).items[item].due_at
    facts: dict[str, Any] = {
        "item": item,
        "title": dict(found.title),
        "text": {"en": note},
        "onboarding": onboarding.name,
    }
    facts |= {"due_at": due_at.isoformat() if due_at else None, "by": work.actor.name, "page": _page(found)}
    for person in people:
        queue_letter(work, Letter("reminded", person, facts, onboarding.id))
    return people


def _owners(work: Work, onboarding: Onboarding, item: Item) -> list[Holder]:
    """Whom the step waits for, but for who asks. Raises NothingToRemind."""
    state = state_of(onboarding)
    now = state.items[item.key]
    if item.kind not in {"task", "gate"} or now.state not in _WAITS or state.phase != "running":
        raise NothingToRemind(mark("This step waits for nobody now."))
    if state.hold is not None:
        raise NothingToRemind(mark("The onboarding is on hold: nobody is waited for."))
    taken = find_holder(onboarding, UUID(now.assignee)) if now.assignee else None
    owners = [taken] if taken else [each for each in holders(onboarding, state.acts(item)) if each.side == item.side]
    others = [each for each in owners if each.id != work.actor.id]
    if not others:
        message = (
            mark("This step is your own.") if owners else mark("Nobody owns this step. Give it to somebody first.")
        )
        raise NothingToRemind(message)
    return others


def _page(item: Item) -> str:
    """Where the step is done, below the onboarding's address."""
    if item.kind == "gate":
        return f"/gates/{item.key}"
    return f"/tasks/{item.key}" if item.side == "customer" else f"#{item.key}"
