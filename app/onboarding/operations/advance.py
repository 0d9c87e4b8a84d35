"""One event into one onboarding: lock, decide, write state, journal entry and what follows, in one commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from uuid import UUID

import msgspec
from sqlalchemy import inspect
from sqlalchemy.orm import make_transient_to_detached
from sqlalchemy.orm.attributes import instance_dict, set_committed_value
from sqlalchemy.orm.util import identity_key

from app.flow.commands import Decision
from app.flow.decide import decide_by
from app.flow.definition import Definition
from app.flow.events import Event as FlowEvent
from app.flow.parts.unfolding import unfold
from app.flow.steps.holds import OnHold
from app.kernel.marks import as_json
from app.kernel.trail import find_actor
from app.kernel.work import Work
from app.onboarding.events import OnboardingHeld
from app.onboarding.migration.rows import change_rows, replace_rows
from app.onboarding.models import Onboarding
from app.onboarding.operations.ball import pass_the_ball
from app.onboarding.operations.effects import carry_out
from app.onboarding.queries.stored import OnboardingMissing, definition_of, state_of
from app.onboarding.talk.watching import follow_event
from app.onboarding.telling import Told, tell

SYSTEM_ONLY = {
    "lock_onboarding": "part of an operation that has checked its own permission",
    "advance": "part of an operation that has checked its own permission",
}

_COLUMNS = tuple(column.key for column in inspect(Onboarding).columns)
_LOCK = f"SELECT {', '.join(_COLUMNS)} FROM onboarding WHERE id = $1 FOR UPDATE".encode()  # noqa: S608 - our own names


def lock_onboarding(work: Work, onboarding_id: UUID) -> Onboarding:
    """The onboarding as it is now, locked: events of one onboarding happen one after the other.

    Whoever had read it before has the same object, brought up to date. Raises OnboardingMissing.
    """
    work.session.flush()
    row = work.line.ask(_LOCK, onboarding_id)
    if row is None:
        raise OnboardingMissing("This onboarding is not here. It may belong to another workspace.")
    known = work.session.identity_map.get(identity_key(Onboarding, onboarding_id))
    onboarding = known or Onboarding()
    if known is None:  # each step of each onboarding comes through here, and the ORM's own way is twice as long
        instance_dict(onboarding).update(zip(_COLUMNS, row, strict=True))
        make_transient_to_detached(onboarding)
        work.session.add(onboarding)
    else:
        for name, value in zip(_COLUMNS, row, strict=True):
            set_committed_value(onboarding, name, value)
    work.trace_id = onboarding.trace_id  # one trace from closed-won to first value, whoever acts (DESIGN 10)
    return onboarding


def advance(work: Work, onboarding: Onboarding, event: FlowEvent) -> Decision:
    """Apply one event to a locked onboarding. Raises what `decide` refuses; then nothing has changed."""
    before = state_of(onboarding)
    with _naming_the_holder(work, onboarding):
        decision = decide_by(partial(definition_of, work), before, event, work.now)
    if decision.state.seq == before.seq:
        return decision  # an old timer or a known result: nothing happened, nothing is written
    plan = unfold(definition_of(work, decision.state.definition), decision.state.parts)
    _store(work, onboarding, event, decision, plan)
    pass_the_ball(work, onboarding, before, decision.state)
    runs = carry_out(work, onboarding, plan, decision)
    told = tell(work, onboarding, Told(plan, before, event, decision, runs))
    follow_event(work, onboarding, event, told)
    card = f"card:{onboarding.id}"
    work.enqueue(
        "onboarding.project_card",
        args={"onboarding_id": onboarding.id},
        dedupe_key=f"{card}:{onboarding.seq}",
        lane=card,
        gathered=True,
    )
    return decision


def _store(work: Work, onboarding: Onboarding, event: FlowEvent, decision: Decision, plan: Definition) -> None:
    """State, rows and the journal's entry with the dates that moved, each with the one cause that the engine found."""
    _write_state(work, onboarding, decision, plan)
    work.write_journal(
        {
            "onboarding_id": onboarding.id,
            "seq": decision.state.seq,
            "at": work.now,
            "actor_kind": work.actor.kind,
            "actor_id": work.actor.id,
            "event": event,
            "commands": decision.commands,
            "moves": decision.moves or None,
        }
    )


@contextmanager
def _naming_the_holder(work: Work, onboarding: Onboarding) -> Iterator[None]:
    """The engine knows labels only; whoever is refused because of a hold is told whose it is."""
    try:
        yield
    except OnHold as refused:
        name = find_actor(work.session, OnboardingHeld.type, onboarding.id)
        raise OnHold(f"{refused} Put on hold by {name}.") from refused


def _write_state(work: Work, onboarding: Onboarding, decision: Decision, plan: Definition) -> None:
    """The new state, and what it says of every item that changed: in one statement, the ORM would send one for each.

    Only the start, a part that happens more or fewer times, and another version make rows or take them away.
    """
    state, changed = decision.state, {change.item for change in decision.changes}
    if onboarding.definition_digest != state.definition:
        onboarding.definition_digest, changed = state.definition, set()
        replace_rows(work, onboarding, plan, state)
    else:
        known = onboarding.snapshot.get("items", {})
        changed -= change_rows(work, onboarding, [plan.items[key] for key in state.items if key not in known], decision)
    work.session.flush()
    work.line.send_ahead(_WRITE, onboarding.id, state.seq, state.phase, as_json(state), as_json(sorted(changed)))
    columns = {"snapshot": msgspec.to_builtins(state), "seq": state.seq, "state": state.phase}
    for name, value in columns.items():
        set_committed_value(onboarding, name, value)


_WRITE = b"SELECT cell.write_state(NULL::item, $1::uuid, $2::int, $3::text, $4::jsonb, $5::jsonb)"
