"""One event into one onboarding: lock, decide, write state, journal entry and what follows, in one commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid5

import msgspec
from sqlalchemy import bindparam, delete, select, update

from app.flow.commands import Decision
from app.flow.decide import decide
from app.flow.definition import Definition
from app.flow.definition import Item as FlowItem
from app.flow.events import Event as FlowEvent
from app.flow.parts.unfolding import unfold
from app.flow.state import ItemState
from app.flow.steps.holds import OnHold
from app.kernel.trail import find_actor
from app.kernel.work import Work
from app.onboarding.events import OnboardingHeld
from app.onboarding.models import Item, Onboarding
from app.onboarding.operations.ball import pass_the_ball
from app.onboarding.operations.effects import carry_out
from app.onboarding.queries.stored import OnboardingMissing, definition_of, state_of
from app.onboarding.telling import Told, tell

SYSTEM_ONLY = {
    "lock_onboarding": "part of an operation that has checked its own permission",
    "advance": "part of an operation that has checked its own permission",
    "column_value": "part of `advance`",
    "item_columns": "part of `advance`",
}


def lock_onboarding(work: Work, onboarding_id: UUID) -> Onboarding:
    """The onboarding, locked: events of one onboarding happen one after the other. Raises OnboardingMissing."""
    query = select(Onboarding).where(Onboarding.id == onboarding_id).with_for_update()
    onboarding = work.session.scalars(query).one_or_none()
    if onboarding is None:
        raise OnboardingMissing("This onboarding is not here. It may belong to another workspace.")
    work.trace_id = onboarding.trace_id  # one trace from closed-won to first value, whoever acts (DESIGN 10)
    return onboarding


def advance(work: Work, onboarding: Onboarding, event: FlowEvent) -> Decision:
    """Apply one event to a locked onboarding. Raises what `decide` refuses; then nothing has changed."""
    definition = definition_of(work, onboarding.definition_digest)
    before = state_of(onboarding)
    with _naming_the_holder(work, onboarding):
        decision = decide(definition, before, event, work.now)
    if decision.state.seq == before.seq:
        return decision  # an old timer or a known result: nothing happened, nothing is written
    definition = unfold(definition, decision.state.parts)
    _store(work, onboarding, event, decision, definition)
    pass_the_ball(work, onboarding, definition, before, decision.state)
    runs = carry_out(work, onboarding, definition, decision)
    tell(work, onboarding, Told(definition, before, event, decision, runs))
    card = f"card:{onboarding.id}"
    work.enqueue(
        "onboarding.project_card",
        args={"onboarding_id": onboarding.id},
        dedupe_key=f"{card}:{onboarding.seq}",
        lane=card,
    )
    return decision


def _store(work: Work, onboarding: Onboarding, event: FlowEvent, decision: Decision, plan: Definition) -> None:
    """State, rows and the journal's entry."""
    known = _state_items(onboarding)
    onboarding.snapshot = msgspec.to_builtins(decision.state)
    onboarding.seq = decision.state.seq
    onboarding.state = decision.state.phase
    _add_items(work, onboarding, [plan.items[key] for key in decision.state.items if key not in known])
    _change_items(work, onboarding, decision)
    if decision.removed:
        gone = delete(Item).where(Item.onboarding_id == onboarding.id, Item.key.in_(decision.removed))
        work.session.execute(gone)
    work.write_journal(
        {
            "onboarding_id": onboarding.id,
            "seq": decision.state.seq,
            "at": work.now,
            "actor_kind": work.actor.kind,
            "actor_id": work.actor.id,
            "event": msgspec.to_builtins(event),
            "commands": msgspec.to_builtins(decision.commands),
        }
    )
    _write_moves(work, onboarding, decision)


def _state_items(onboarding: Onboarding) -> frozenset[str]:
    """The items that have their rows already."""
    return frozenset(onboarding.snapshot.get("items", ()))


def _add_items(work: Work, onboarding: Onboarding, items: list[FlowItem]) -> None:
    """Rows of the plan at the start, and of a part that happens once more."""
    for item in items:
        row = Item(
            id=uuid5(onboarding.id, item.key),
            onboarding_id=onboarding.id,
            position=item.position,
            kind=item.kind,
            key=item.key,
            parent=item.parent,
            side=item.side,
            owner_role=item.owner,
        )
        for name, value in item_columns(ItemState()).items():
            setattr(row, name, value)
        work.session.add(row)


def _write_moves(work: Work, onboarding: Onboarding, decision: Decision) -> None:
    """Each date that moved, with the one cause that the engine found."""
    for move in decision.moves:
        columns = {"item_key": move.item, "was": move.was, "becomes": move.becomes}
        columns |= {"cause": move.cause, "cause_item": move.cause_item}
        work.write_move({"onboarding_id": onboarding.id, "seq": decision.state.seq, **columns})


@contextmanager
def _naming_the_holder(work: Work, onboarding: Onboarding) -> Iterator[None]:
    """The engine knows labels only; whoever is refused because of a hold is told whose it is."""
    try:
        yield
    except OnHold as refused:
        name = find_actor(work.session, OnboardingHeld.type, onboarding.id)
        raise OnHold(f"{refused} Put on hold by {name}.") from refused


def _change_items(work: Work, onboarding: Onboarding, decision: Decision) -> None:
    """Each change of the engine is a change of one row; all of them are sent at once, and no row is read for it."""
    if not decision.changes:
        return
    rows = [
        {"of": onboarding.id, "item": change.item}
        | {f"to_{name}": value for name, value in item_columns(decision.state.items[change.item]).items()}
        for change in decision.changes
    ]
    work.session.flush()  # at the start the rows are new
    work.session.connection().execute(_CHANGE, rows)


def column_value(name: str, value: Any) -> Any:
    """The engine's value as its column keeps it: documents as plain JSON, everything else as it is."""
    if name in {"answers", "result", "evidence"} and value is not None:
        return msgspec.to_builtins(value)
    return value


def item_columns(state: ItemState) -> dict[str, Any]:
    """All engine attributes of an item, as columns of its row."""
    return {name: column_value(name, getattr(state, name)) for name in ItemState.__struct_fields__}


_CHANGE = (
    update(Item.__table__)  # type: ignore[arg-type]  # a mapped class has a Table there
    .where(Item.onboarding_id == bindparam("of"), Item.key == bindparam("item"))
    .values({name: bindparam(f"to_{name}") for name in ItemState.__struct_fields__})
)
