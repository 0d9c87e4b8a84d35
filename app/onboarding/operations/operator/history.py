"""Replays an onboarding's journal with the definitions that it ran by, and says where what is stored differs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from uuid import UUID

import msgspec
from sqlalchemy import select

from app.flow.decide import Recorded, decide_by, new_state
from app.flow.events import Event
from app.flow.state import ItemState, State
from app.kernel.errors import SlipwayError
from app.kernel.work import Work
from app.onboarding.migration.rows import item_columns
from app.onboarding.models import Item, Journal, Onboarding
from app.onboarding.queries.stored import OnboardingMissing, definition_of, state_of

SYSTEM_ONLY = {
    "verify_history": "an operator's command: whoever holds the installation's databases",
    "list_histories": "an operator's command: whoever holds the installation's databases",
}


class ReplayStopped(Exception):
    """The journal cannot be replayed to its end; the text says at which entry and why."""


def list_histories(work: Work) -> list[UUID]:
    """The ids of all onboardings of the tenant, oldest first."""
    return list(work.session.scalars(select(Onboarding.id).order_by(Onboarding.id)))


def verify_history(work: Work, onboarding_id: UUID) -> list[str]:
    """Every difference between the replayed journal and the stored state and items, in words; none where all is well.

    Raises OnboardingMissing.
    """
    held = select(Onboarding).where(Onboarding.id == onboarding_id).with_for_update(read=True)
    onboarding = work.session.scalars(held).one_or_none()  # held, so that nobody goes on while it is read
    if onboarding is None:
        raise OnboardingMissing("This onboarding is not here. It may belong to another workspace.")
    try:
        replayed = _replay(work, onboarding)
    except ReplayStopped as stopped:
        return [str(stopped)]
    return [*_snapshot(onboarding, replayed), *_items(work, onboarding, replayed)]


def _replay(work: Work, onboarding: Onboarding) -> State:
    find = partial(definition_of, work)
    query = select(Journal).where(Journal.onboarding_id == onboarding.id).order_by(Journal.seq)
    entries = work.session.scalars(query).all()
    migrated = (entry.event["before"] for entry in entries if entry.event.get("event") == "migrated")
    try:
        state = new_state(find(str(next(migrated, onboarding.definition_digest))))
    except SlipwayError as error:
        raise ReplayStopped(f"the definition it began with is not here: {error}") from error
    for number, entry in enumerate(entries, start=1):
        if entry.seq != number:
            raise ReplayStopped(f"entry {number} of the journal is missing")
        try:
            read = Recorded(at=entry.at, event=msgspec.convert(entry.event, Event))
            state = decide_by(find, state, read.event, read.at).state
        except (SlipwayError, msgspec.ValidationError) as error:
            raise ReplayStopped(f"entry {number} of the journal is refused: {error}") from error
    return state


def _snapshot(onboarding: Onboarding, replayed: State) -> Iterator[str]:
    stored = state_of(onboarding)
    for name in State.__struct_fields__:
        if name != "items" and getattr(stored, name) != getattr(replayed, name):
            yield f"snapshot {name}: {_differ(getattr(stored, name), getattr(replayed, name))}"
    for key in sorted(stored.items.keys() | replayed.items.keys()):
        if stored.items.get(key) != replayed.items.get(key):
            yield f"snapshot item {key}: {_differ(stored.items.get(key), replayed.items.get(key))}"
    rows: dict[str, object] = {"seq": replayed.seq, "state": replayed.phase, "first_value_at": replayed.first_value_at}
    rows["definition_digest"] = replayed.definition
    for name, value in rows.items():
        if getattr(onboarding, name) != value:
            yield f"onboarding {name}: {_differ(getattr(onboarding, name), value)}"


def _items(work: Work, onboarding: Onboarding, replayed: State) -> Iterator[str]:
    rows = {row.key: row for row in work.session.scalars(select(Item).where(Item.onboarding_id == onboarding.id))}
    for key in sorted(rows.keys() ^ replayed.items.keys() if replayed.items else set()):
        yield f"item {key}: {'has no row' if key in replayed.items else 'has a row of its own'}"
    for key, row in sorted(rows.items()):
        wanted = item_columns(replayed.items.get(key, ItemState()))
        for name, value in wanted.items():
            if getattr(row, name) != value:
                yield f"item {key} {name}: {_differ(getattr(row, name), value)}"


def _differ(stored: object, replayed: object) -> str:
    return f"stored {stored!r}, replayed {replayed!r}"
