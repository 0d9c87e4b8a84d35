"""Shapes of drifts on the wire. Values of people are not in them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from app.connectors.drift.records import Drift, Hold
from app.connectors.drift.rules import Difference

_PLAIN = r"^[^\u0000-\u001f\u007f]*$"
State = Literal["open", "accepted", "corrected"]
Answer = Literal["theirs", "ours", "give_up"]
_Field = Annotated[str, Meta(min_length=1, max_length=200, pattern=_PLAIN)]


class SettlementWanted(Struct, forbid_unknown_fields=True):
    """What holds of a record from now on, and why; `fields` decides some of its open fields only."""

    answer: Annotated[
        Answer,
        Meta(description="theirs: what they say holds. ours: it may differ. give_up: what waited is not written."),
    ]
    reason: Annotated[str, Meta(min_length=1, max_length=300, pattern=_PLAIN)]
    fields: Annotated[list[_Field], Meta(max_length=200)] = []


class DifferenceOut(Struct):
    """One field that the two do not agree on. Values are cut to 200 letters; those of people read `•••`."""

    field: str
    ours: str
    theirs: str
    since: datetime
    state: State
    answer: Literal["", "theirs", "ours", "give_up"]
    by: str
    at: datetime | None
    reason: str


class DriftOut(Struct):
    """A record that another system says something else of, or did so once. `waiting` counts writes that wait for it."""

    id: UUID
    connection: UUID
    connector: str
    source: str
    title: str
    onboarding: UUID | None
    state: State
    found_at: datetime
    seen_at: datetime
    waiting: int
    differences: list[DifferenceOut]


class HeldOut(Struct):
    """What the partner's CRM says something else of: everything that this onboarding writes waits for it."""

    drift: UUID
    onboarding: UUID
    connector: str
    since: datetime
    waiting: int
    fields: list[str]


class DriftsOut(Struct):
    """Records that drifted, those to decide first, at most 200; and sales that are disputed at the partner's."""

    drifts: list[DriftOut]
    held: list[HeldOut]


class LookOut(Struct):
    """A look that was asked for."""

    asked: bool


def drift_out(drift: Drift, waiting: int) -> DriftOut:
    """A record that drifted, as its reader may see it."""
    return DriftOut(
        id=drift.id,
        connection=drift.place.connection_id,
        connector=drift.place.connector,
        source=drift.place.source,
        title=drift.title,
        onboarding=drift.onboarding_id,
        state=drift.state,  # type: ignore[arg-type]  # one of the three words
        found_at=datetime.fromisoformat(drift.found_at),
        seen_at=datetime.fromisoformat(drift.seen_at),
        waiting=waiting,
        differences=[_difference(each) for each in drift.differences],
    )


def drifts_out(drifts: list[Drift], holds: list[Hold], waiting: Mapping[UUID, int]) -> DriftsOut:
    """All of a workspace."""
    held = [
        HeldOut(
            each.drift_id,
            each.onboarding_id,
            each.connector,
            datetime.fromisoformat(each.since),
            waiting.get(each.drift_id, 0),
            list(each.fields),
        )
        for each in holds
        if each.onboarding_id is not None
    ]
    return DriftsOut([drift_out(each, waiting.get(each.id, 0)) for each in drifts], held)


def _difference(each: Difference) -> DifferenceOut:
    return DifferenceOut(
        field=each.field,
        ours=each.ours,
        theirs=each.theirs,
        since=datetime.fromisoformat(each.since),
        state=each.state,
        answer=each.answer,  # type: ignore[arg-type]  # one of the words
        by=each.by,
        at=datetime.fromisoformat(each.at) if each.at else None,
        reason=each.reason,
    )
