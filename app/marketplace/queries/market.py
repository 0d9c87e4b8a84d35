"""What an organisation may see of all listings; in its scope, through the lookup functions that decide it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.kernel.errors import Missing
from app.marketplace.rules import OFFERED, State, newest
from app.templates.overlays.versions import precedence
from app.web.translations import mark

MOST: Final = 500  # versions that one search looks at
MOST_WORDS: Final = 12
_SEARCH = text("SELECT * FROM control.search_listings(:words, :most)")
_READ = text("SELECT * FROM control.read_listing(:listing)")
_INSTALLED = text("SELECT * FROM control.list_installed()")
_HELD = text("SELECT * FROM control.list_held()")
_PACKAGE = text("SELECT * FROM control.listing_package(:version)")
_CHECKS = text("SELECT control.listing_checks(:version)")
_WORDS = text("SELECT * FROM control.listing_words(:listing)")
NO_SUCH = mark("Nothing on offer to you has this address. It may have been withdrawn, or the address be mistyped.")


class ListingMissing(Missing):
    """There is no such listing, or it is none of this organisation's business."""


@dataclass(frozen=True, slots=True)
class Card:
    """A version as an organisation sees it. `publisher` is empty for the operator; `notice` tells of its end."""

    listing_id: UUID
    version_id: UUID
    organisation_id: UUID
    publisher: str
    template_id: str
    version: str
    visibility: str
    state: str
    changelog: str
    facts: Mapping[str, Any]
    digest: str
    submitted_at: datetime
    notice: Mapping[str, Any] | None
    reviewed: bool
    key: str
    installs: int
    installed: bool
    stars: float | None
    ratings: int

    @property
    def offered(self) -> bool:
        """Whether it can be installed."""
        return self.state in OFFERED


@dataclass(frozen=True, slots=True)
class StoredPackage:
    """A package as `control` holds it, and the keys that it must be signed with. Nothing of it is believed yet."""

    version_id: UUID
    listing_id: UUID
    state: str
    visibility: str
    package: bytes
    key: str
    countersigned: str | None
    operator_key: str | None
    version: str
    template_id: str
    notice: Mapping[str, Any] | None
    owner: UUID


@dataclass(frozen=True, slots=True)
class Rating:
    """What somebody thinks of a listing; whose word it is only they themselves are told."""

    stars: int
    said: str
    organisation: str | None
    said_at: datetime
    mine: bool


def search_listings(session: Session, words: str = "") -> list[Card]:
    """Each listing that holds all the words, by its newest version on offer; the last offered first."""
    asked = words.replace("\x00", " ").casefold().split()[:MOST_WORDS]
    return _newest_of_each(_cards(session.execute(_SEARCH, {"words": asked, "most": MOST})))


def read_listing(session: Session, listing_id: UUID) -> list[Card]:
    """All versions of a listing that one may see, the newest first. Raises ListingMissing."""
    found = _cards(session.execute(_READ, {"listing": listing_id}))
    if not found:
        raise ListingMissing(NO_SUCH)
    return sorted(found, key=lambda each: precedence(each.version), reverse=True)


def list_installed(session: Session) -> list[Card]:
    """Every version that the organisation has taken, with what has become of it."""
    return _cards(session.execute(_INSTALLED))


def get_package(session: Session, version_id: UUID) -> StoredPackage:
    """The signed package of a version that one may see. Raises ListingMissing."""
    row = session.execute(_PACKAGE, {"version": version_id}).one_or_none()
    if row is None:
        raise ListingMissing(NO_SUCH)
    return StoredPackage(version_id, *row)


def get_checks(session: Session, version_id: UUID) -> list[dict[str, Any]]:
    """What the automatic checks said of a version that one may see. Raises ListingMissing."""
    found = session.execute(_CHECKS, {"version": version_id}).scalar_one_or_none()
    if found is None:
        raise ListingMissing(NO_SUCH)
    return list(found["results"])


def get_card(session: Session, version_id: UUID) -> tuple[Card, StoredPackage]:
    """One version that one may see, with its package. Raises ListingMissing."""
    stored = get_package(session, version_id)
    return next(card for card in read_listing(session, stored.listing_id) if card.version_id == version_id), stored


def list_held(session: Session) -> list[tuple[Card, Card | None]]:
    """Every version that the organisation has taken, each with the newest that comes after it and is on offer."""
    cards = _cards(session.execute(_HELD))
    return [(card, _later(card, cards)) for card in cards if card.installed]


def _later(held: Card, cards: Iterable[Card]) -> Card | None:
    later = [card for card in cards if card.listing_id == held.listing_id and card.state == State.LISTED]
    later = [card for card in later if precedence(card.version) > precedence(held.version)]
    return max(later, key=lambda card: precedence(card.version), default=None)


def list_ratings(session: Session, listing_id: UUID) -> list[Rating]:
    """The last ratings of a listing."""
    return [Rating(*row) for row in session.execute(_WORDS, {"listing": listing_id})]


def _cards(rows: Iterable[Sequence[Any]]) -> list[Card]:
    return [Card(*row) for row in rows]


def _newest_of_each(cards: Iterable[Card]) -> list[Card]:
    """One card a listing: its newest version, and rather one that is not deprecated."""
    found: dict[UUID, list[Card]] = {}
    for each in cards:
        found.setdefault(each.listing_id, []).append(each)
    chosen = []
    for versions in found.values():
        good = [each for each in versions if each.state == "listed"] or versions
        last = newest([each.version for each in good])
        chosen.append(next(each for each in good if each.version == last))
    return chosen
