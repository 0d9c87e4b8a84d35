"""Whose move it is, written down whenever the ball changes hands: the ledger of the court clock."""

from __future__ import annotations

from sqlalchemy import select

from app.flow.definition import Definition
from app.flow.parts.unfolding import unfold
from app.flow.state import State
from app.kernel.work import Work
from app.onboarding.models import CourtInterval, Onboarding
from app.onboarding.queries.stored import definition_of

SYSTEM_ONLY = {"holder_of": "part of `advance`", "pass_the_ball": "part of `advance`"}
_MOVING = frozenset({"open", "running", "blocked"})


def holder_of(definition: Definition, state: State) -> str | None:
    """Whose move it is: the partner's while anything of theirs is open, else the customer's; None when it has ended.

    An action under way is the system's only when nobody else could move. While it is held nobody can.
    """
    if state.phase != "running":
        return None
    definition = unfold(definition, state.parts)
    moving = [item for item in definition.items.values() if item.kind in {"task", "gate"}]
    moving = [item for item in moving if state.items[item.key].state in _MOVING]
    moving = [item for item in moving if not definition.is_optional(item.key)]  # nobody waits for what is optional
    people = [item for item in moving if state.items[item.key].state != "running"]
    if not people:
        return "system" if moving else "partner"
    return "customer" if all(item.side == "customer" for item in people) else "partner"


def pass_the_ball(work: Work, onboarding: Onboarding, before: State, after: State) -> None:
    """Close the running interval and open the next one, if the ball has changed hands.

    Most steps leave it where it was, which the two states tell without a query.
    """
    holder = holder_of(definition_of(work, after.definition), after)
    if holder == holder_of(definition_of(work, before.definition), before):
        return
    query = select(CourtInterval).where(CourtInterval.onboarding_id == onboarding.id, CourtInterval.ended_at.is_(None))
    running = work.session.scalars(query).one_or_none()
    if running is not None and running.holder == holder:
        return
    if running is not None and running.began_at == work.now:
        work.session.delete(running)  # held for no time at all
        work.session.flush()
    elif running is not None:
        running.ended_at = work.now
    if holder is not None:
        work.session.add(CourtInterval(onboarding_id=onboarding.id, began_at=work.now, holder=holder))
