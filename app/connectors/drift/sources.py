"""Kinds of records that another system holds as well. Each registers how its records are found, ours and theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import select

from app.connectors.drift.records import Place
from app.connectors.models import Connection
from app.connectors.operations import ConnectionView
from app.connectors.tokens.operations import ACTIVE
from app.kernel.outcomes import GiveUp, NeedsPerson, TryAgain
from app.kernel.queue.jobs import JobRun
from app.kernel.work import Work
from app.vault.operations import SealedSecrets


@dataclass(frozen=True, slots=True)
class Ours:
    """What we hold of a record: its fields, its title for people, how writes name it."""

    title: str
    fields: Mapping[str, Any]
    asked: Mapping[str, Any] = field(default_factory=dict)  # what the source needs to ask the other system for it
    names: tuple[tuple[str, str], ...] = ()
    onboarding_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Theirs:
    """What the other system said: the record's fields, or None where it has no such record any more."""

    fields: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Asking:
    """What the part of the job needs that leaves the building: no session."""

    place: Place
    connection: ConnectionView
    sealed: SealedSecrets
    ours: Ours


# A record as they have it, or why it cannot be told now. What cannot be read is never a difference.
Heard = Theirs | TryAgain | GiveUp | NeedsPerson


class Source(Protocol):
    """One kind of records."""

    name: str

    def list_places(self, work: Work, *, after: str, limit: int) -> Sequence[tuple[str, Place]]:
        """Records to compare, each with its place in an order that does not change; those behind `after`."""

    def find_ours(self, work: Work, place: Place) -> Ours | None:
        """What we hold of it; None where we hold nothing of it any more, or it is not to be compared."""

    def ask(self, run: JobRun, asking: Asking) -> Heard:
        """What they hold of it. Holds no session."""


_sources: dict[str, Source] = {}


def has_records(source: Source) -> None:
    """Register a kind of records, when its code is read."""
    _sources[source.name] = source


def find_source(name: str) -> Source | None:
    """The kind of that name; None where its capability is not installed any more."""
    return _sources.get(name)


def working_connections(work: Work) -> dict[str, UUID]:
    """The connection that works, by connector: what can be asked now."""
    found = select(Connection.connector, Connection.id).where(Connection.state == ACTIVE)
    return {row.connector: row.id for row in work.session.execute(found.order_by(Connection.changed_at.desc()))}


def source_names() -> list[str]:
    """Every kind, in an order that does not change."""
    return sorted(_sources)
