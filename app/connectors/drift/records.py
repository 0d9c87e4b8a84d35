"""What is kept of a record that drifted, and what holds writes back because of it: documents of the workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy.orm import Session

from app.audit.queries.documents import find_document, list_documents
from app.connectors.drift.rules import Agreed, Answer, Difference, is_about, is_open

DRIFT: Final = "drift"
HOLD: Final = "write_hold"


@dataclass(frozen=True, slots=True)
class Place:
    """Which record of which connection it is: `source` is the kind, `record` our name of it within the connection."""

    source: str
    connection_id: UUID
    connector: str
    record: str

    @property
    def id(self) -> UUID:
        """The same for the same record, however often it drifts."""
        return uuid5(self.connection_id, f"drift:{self.source}:{self.record}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One record, and every field of it that was not agreed on at some time.

    `agreed`: what fields are by somebody's decision. `names`: how writes name the record. `last`: the last settlement.
    """

    place: Place
    title: str
    salt: str
    found_at: str
    seen_at: str
    onboarding_id: UUID | None = None
    names: tuple[tuple[str, str], ...] = ()
    differences: tuple[Difference, ...] = ()
    agreed: Mapping[str, Agreed] = field(default_factory=dict)
    last: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> UUID:
        """Its place's."""
        return self.place.id

    @property
    def open(self) -> bool:
        """Whether somebody has to decide."""
        return is_open(self.differences)

    @property
    def state(self) -> str:
        """Of the whole record: open, accepted (somebody decided), or corrected."""
        states = {each.state for each in self.differences}
        return next((state for state in ("open", "accepted") if state in states), "corrected")

    def body(self) -> dict[str, Any]:
        """As it is kept."""
        own = asdict(self)
        place = {name: str(value) for name, value in own.pop("place").items()}
        return own | place | {"onboarding_id": str(self.onboarding_id) if self.onboarding_id else None}

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Drift:
        """From what was kept."""
        place = Place(body["source"], UUID(body["connection_id"]), body["connector"], body["record"])
        return cls(
            place=place,
            onboarding_id=UUID(body["onboarding_id"]) if body["onboarding_id"] else None,
            names=tuple((name, value) for name, value in body["names"]),
            differences=tuple(Difference(**each) for each in body["differences"]),
            agreed={name: Agreed(**each) for name, each in body["agreed"].items()},
            **{name: body[name] for name in ("title", "salt", "found_at", "seen_at", "last")},
        )


@dataclass(frozen=True, slots=True)
class Hold:
    """Which writes wait: those about the record by its connection; or, of a sale, all of its onboarding."""

    drift_id: UUID
    connector: str
    connection_id: UUID | None
    onboarding_id: UUID | None
    names: tuple[tuple[str, str], ...]
    since: str
    title: str = ""
    fields: tuple[str, ...] = ()

    def stops(
        self, *, connection_id: UUID | None, connector: str, onboarding_id: UUID, given: Mapping[str, Any]
    ) -> bool:
        """Whether a write with this input waits for it."""
        if self.onboarding_id is not None:
            return onboarding_id == self.onboarding_id
        if connector != self.connector or (connection_id is not None and connection_id != self.connection_id):
            return False
        return is_about(self.names, given)

    def body(self) -> dict[str, Any]:
        """As it is kept."""
        own = asdict(self)
        ids = ("drift_id", "connection_id", "onboarding_id")
        return own | {name: str(own[name]) if own[name] else None for name in ids}

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Hold:
        """From what was kept."""
        ids = {name: UUID(body[name]) if body[name] else None for name in ("connection_id", "onboarding_id")}
        names = tuple((name, value) for name, value in body["names"])
        return cls(
            UUID(body["drift_id"]), body["connector"], **ids, names=names, since=body["since"],
            title=body["title"], fields=tuple(body["fields"]),
        )  # fmt: skip


def hold_of(drift: Drift) -> Hold:
    """What an open drift holds back in the workspace that it is in."""
    place, fields = drift.place, tuple(each.field for each in drift.differences if each.state == "open")
    return Hold(drift.id, place.connector, place.connection_id, None, drift.names, drift.found_at, drift.title, fields)


def settled(drift: Drift, fields: frozenset[str], answer: Answer, *, by: str, at: str, reason: str) -> Drift:
    """The open differences of these fields are decided; none named: all of them."""
    chosen = [each for each in drift.differences if each.state == "open" and (not fields or each.field in fields)]
    said = {each.field: replace(each, state="accepted", answer=answer, by=by, at=at, reason=reason) for each in chosen}
    agreed = dict(drift.agreed)
    if answer == "theirs":
        agreed |= {each.field: Agreed(each.seen, each.theirs) for each in chosen}
    kept = tuple(said.get(each.field, each) if each.state == "open" else each for each in drift.differences)
    last = {"answer": answer, "by": by, "at": at, "reason": reason, "fields": sorted(said)}
    return replace(drift, differences=kept, agreed=agreed, last=last)


def ending_of(drift: Drift) -> tuple[list[str], str]:
    """How what waited ends, now that nothing is open: the fields that are something else, and why it is given up."""
    changed = sorted(each.field for each in drift.differences if each.answer == "theirs")
    gave_up = drift.last.get("answer") == "give_up"
    return changed, str(drift.last.get("reason", "")) if gave_up else ""


def find_drift(session: Session, drift_id: UUID) -> Drift | None:
    """What is known of a record that drifted at some time."""
    found = find_document(session, DRIFT, str(drift_id))
    return Drift.read(found.body) if found and found.version else None


def list_drifts(session: Session) -> list[Drift]:
    """Every record that drifted at some time: those to decide first, then the newest."""
    found = [Drift.read(each.body) for each in list_documents(session, DRIFT) if each.version]
    newest = sorted(found, key=lambda each: each.found_at, reverse=True)
    return sorted(newest, key=lambda each: not each.open)


def list_holds(session: Session) -> list[Hold]:
    """Everything that holds writes back here."""
    return [Hold.read(each.body) for each in list_documents(session, HOLD) if each.version]
