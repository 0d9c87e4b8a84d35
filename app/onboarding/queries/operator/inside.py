"""One onboarding from the inside: who holds the ball, what is open and why, what went wrong, its journal in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.connectors.lookups import RunLine, runs_of_onboarding
from app.flow.definition import Definition
from app.flow.state import SETTLED, ItemState, State
from app.kernel.trail import list_of_onboarding
from app.kernel.work import Work
from app.onboarding.models import CourtInterval, Journal, Onboarding
from app.onboarding.people import holders
from app.onboarding.queries.stored import find_onboarding, plan_of, state_of

_MOST_EVENTS = 10_000
# What an event says about itself, in the order it is read; the rest is in the journal.
_SAID = ("task", "gate", "milestone", "item", "exception", "timer", "rung", "decision", "resolution", "error", "reason")


@dataclass(frozen=True, slots=True)
class Inside:
    """What an operator asks about one onboarding. `names`: every id under which jobs know it."""

    onboarding: Onboarding
    definition: Definition
    state: State
    ball: CourtInterval | None
    runs: list[RunLine]
    journal: list[Journal]
    names: list[str]

    @property
    def open_items(self) -> Iterator[tuple[str, ItemState, str]]:
        """Items that are neither settled nor waiting their turn, and why each is open still."""
        for key, item in self.state.items.items():
            if item.state not in SETTLED | {"waiting", "cancelled"}:
                yield key, item, self._why(key, item)

    def _why(self, key: str, item: ItemState) -> str:
        raised = [f"{each.type} ({each.reason_code}): {each.note}" for each in self.state.open_exceptions(key)]
        if raised:
            return "; ".join(raised)
        if item.state == "running":
            run = next((run for run in reversed(self.runs) if run.item_key == key), None)
            return f"run {run.id} of {run.connector}.{run.action} is {run.state}" if run else "its action is asked for"
        plan = self.definition.items[key]
        role = self.state.acts(plan)
        people = ", ".join(person.name for person in holders(self.onboarding, role))
        return f"{plan.side} {role}{f' ({people})' if people else ''} has to act"

    def told(self) -> Iterator[str]:
        """The journal as a story, oldest first: when, who, what."""
        named = {person.id: person.name for role in self.onboarding.people for person in holders(self.onboarding, role)}
        for entry in self.journal:
            who = named.get(entry.actor_id, entry.actor_kind)
            yield f"#{entry.seq} {entry.at:%Y-%m-%d %H:%M:%S} {who}: {in_words(entry.event)}"


def look_inside(work: Work, onboarding_id: UUID, *, item: str | None = None) -> Inside:
    """All that the tenant's schema holds of it; `item`: only ids that concern this item. Raises OnboardingMissing."""
    onboarding = find_onboarding(work.session, onboarding_id)
    definition = plan_of(work, onboarding)
    held = CourtInterval.onboarding_id == onboarding_id, CourtInterval.ended_at.is_(None)
    runs = runs_of_onboarding(work.session, onboarding_id)
    entries = select(Journal).where(Journal.onboarding_id == onboarding_id).order_by(Journal.seq)
    told = list_of_onboarding(work.session, onboarding_id, limit=_MOST_EVENTS)
    names = [str(run.id) for run in runs if item in {None, run.item_key}]
    names += [str(line.id) for line in told if item is None or item in _about(line.body)]
    return Inside(
        onboarding=onboarding,
        definition=definition,
        state=state_of(onboarding),
        ball=work.session.scalars(select(CourtInterval).where(*held)).one_or_none(),
        runs=runs,
        journal=list(work.session.scalars(entries)),
        names=names if item else [str(onboarding_id), *names],
    )


def in_words(event: Mapping[str, Any]) -> str:
    """A journal's event in few words."""
    facts = [f"{name} {event[name]}" for name in _SAID if event.get(name) not in (None, "", [])]
    given = [f"{len(event[name])} {name}" for name in ("facts", "answers", "packet") if event.get(name)]
    return " · ".join([str(event["event"]).replace("_", " "), *facts, *given])


def _about(body: Mapping[str, Any]) -> set[str]:
    return {str(body[name]) for name in ("item_key", "task", "item", "gate", "milestone") if body.get(name)}
