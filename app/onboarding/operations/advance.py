"""One event into one onboarding: lock, decide, write state, journal entry and what follows, in one commit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any
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
from app.flow.state import State
from app.flow.steps.holds import OnHold
from app.kernel.marks import as_json
from app.kernel.trail import find_actor
from app.kernel.work import Work
from app.onboarding.events import OnboardingHeld
from app.onboarding.migration.rows import change_rows, replace_rows
from app.onboarding.models import Onboarding
from app.onboarding.operations.ball import pass_the_ball
from app.onboarding.operations.effects import carry_out
from app.onboarding.outside.stopping import stop_runs_of
from app.onboarding.queries.stored import OnboardingMissing, definition_of, state_of
from app.onboarding.talk.watching import follow_event
from app.onboarding.telling import Told, tell

SYSTEM_ONLY = {
    "lock_onboarding": "part of an operation that has checked its own permission",
    "lock_onboardings": "part of what the jobs of due timers do",
    "lock_ahead": "part of what ends a connector run",
    "advance": "part of an operation that has checked its own permission",
    "write_states": "part of `advance`, and of what the jobs of due timers do",
}

_COLUMNS = tuple(column.key for column in inspect(Onboarding).columns)
_ID = _COLUMNS.index("id")
_ROWS = f"SELECT {', '.join(_COLUMNS)} FROM onboarding"  # noqa: S608 - our own names
_LOCK = f"{_ROWS} WHERE id = $1 FOR UPDATE".encode()
_LOCK_AHEAD = b"SELECT FROM onboarding WHERE id = $1 FOR UPDATE"
_LOCK_ALL = f"{_ROWS} WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE".encode()


def lock_onboarding(work: Work, onboarding_id: UUID) -> Onboarding:
    """The onboarding as it is now, locked: events of one onboarding happen one after the other.

    Whoever had read it before has the same object, brought up to date. Raises OnboardingMissing.
    """
    work.session.flush()
    row = work.line.ask(_LOCK, onboarding_id)
    if row is None:
        raise _missing()
    onboarding = _as_it_is(work, row)
    work.trace_id = onboarding.trace_id  # one trace from closed-won to first value, whoever acts (DESIGN 10)
    return onboarding


def lock_ahead(work: Work, onboarding_id: UUID) -> None:
    """Lock it before a run of it: whoever stops runs has the onboarding first. Nothing is waited for here."""
    work.line.send_ahead(_LOCK_AHEAD, onboarding_id)


def lock_onboardings(work: Work, ids: frozenset[UUID] | set[UUID]) -> dict[UUID, Onboarding]:
    """As `lock_onboarding`, all of these by one statement, in the order of their ids: no two wait for each other.

    The trace is still to be said by whoever goes from one to the next. Raises OnboardingMissing where one is.
    """
    work.session.flush()
    rows = work.line.ask_all(_LOCK_ALL, "{" + ",".join(map(str, ids)) + "}")
    if len(rows) < len(ids):
        raise _missing()
    return {onboarding.id: onboarding for onboarding in (_as_it_is(work, row) for row in rows)}


def _missing() -> OnboardingMissing:
    return OnboardingMissing("This onboarding is not here. It may belong to another workspace.")


def _as_it_is(work: Work, row: Sequence[Any]) -> Onboarding:
    """The object of a row that has just been read."""
    known = work.session.identity_map.get(identity_key(Onboarding, row[_ID]))
    onboarding = known or Onboarding()
    if known is None:  # each step of each onboarding comes through here, and the ORM's own way is twice as long
        instance_dict(onboarding).update(zip(_COLUMNS, row, strict=True))
        make_transient_to_detached(onboarding)
        work.session.add(onboarding)
    else:
        for name, value in zip(_COLUMNS, row, strict=True):
            set_committed_value(onboarding, name, value)
    return onboarding


class Unwritten(dict[UUID, set[str]]):
    """Onboardings whose new state is to be written with that of others, and which of their items have changed."""


def advance(work: Work, onboarding: Onboarding, event: FlowEvent, *, unwritten: Unwritten | None = None) -> Decision:
    """Apply one event to a locked onboarding. Raises what `decide` refuses; then nothing has changed.

    With `unwritten` the state is only noted there: `write_states` writes all of them in one statement.
    """
    before = state_of(onboarding)
    with _naming_the_holder(work, onboarding):
        decision = decide_by(partial(definition_of, work), before, event, work.now)
    if decision.state.seq == before.seq:
        return decision  # an old timer or a known result: nothing happened, nothing is written
    plan = unfold(definition_of(work, decision.state.definition), decision.state.parts)
    _store(work, onboarding, event, decision, plan, unwritten)
    pass_the_ball(work, onboarding, before, decision.state)
    stop_runs_of(work, onboarding, before, event, decision)
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


def write_states(work: Work, onboardings: Mapping[UUID, Onboarding], unwritten: Unwritten) -> None:
    """Write all that has been noted in one statement, before anything of it is read."""
    states = [
        {
            "onboarding": one,
            "seq": onboardings[one].seq,
            "state": onboardings[one].state,
            "snapshot": onboardings[one].snapshot,
            "changed": sorted(changed),
        }
        for one, changed in unwritten.items()
    ]
    if states:
        work.session.flush()
        work.line.send_ahead(_WRITE_ALL, as_json(states))


def _write_state(work: Work, onboarding: Onboarding, changed: set[str]) -> None:
    """The new state, and what it says of every item that changed: in one statement, the ORM would send one for each."""
    work.session.flush()
    state, items = as_json(onboarding.snapshot), as_json(sorted(changed))
    work.line.send_ahead(_WRITE, onboarding.id, onboarding.seq, onboarding.state, state, items)


def _store(  # an entry is all of this
    work: Work,
    onboarding: Onboarding,
    event: FlowEvent,
    decision: Decision,
    plan: Definition,
    unwritten: Unwritten | None,
) -> None:
    """State, rows and the journal's entry with the dates that moved, each with the one cause that the engine found."""
    changed = _change_rows(work, onboarding, decision, plan)
    _set_state(onboarding, decision.state)
    if unwritten is None:
        _write_state(work, onboarding, changed)
    else:
        unwritten.setdefault(onboarding.id, set()).update(changed)
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


def _change_rows(work: Work, onboarding: Onboarding, decision: Decision, plan: Definition) -> set[str]:
    """Rows of items that are new, none of those that are gone; the keys of the others that have changed.

    Only the start, a part that happens more or fewer times, and another version make rows or take them away.
    """
    state, changed = decision.state, {change.item for change in decision.changes}
    if onboarding.definition_digest != state.definition:
        onboarding.definition_digest = state.definition
        replace_rows(work, onboarding, plan, state)
        return set()
    known = onboarding.snapshot.get("items", {})
    added = [plan.items[key] for key in state.items if key not in known]
    return changed - change_rows(work, onboarding, added, decision)


def _set_state(onboarding: Onboarding, state: State) -> None:
    """The object as the row will be: the ORM has nothing to write."""
    columns = {"snapshot": msgspec.to_builtins(state), "seq": state.seq, "state": state.phase}
    for name, value in columns.items():
        set_committed_value(onboarding, name, value)


_WRITE = b"SELECT cell.write_state(NULL::item, $1::uuid, $2::int, $3::text, $4::jsonb, $5::jsonb)"
_WRITE_ALL = b"SELECT cell.write_states(NULL::item, $1::jsonb)"
