"""What a partner says of a listing: a rating of what it has, or a report to the operator."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from app.access.permissions import Permission
from app.access.require import require
from app.audit.queries.documents import list_documents
from app.kernel.errors import Conflict, Invalid
from app.kernel.work import Work
from app.marketplace.events import ListingRated, ListingReported
from app.marketplace.operations.installing import INSTALLED
from app.marketplace.rules import require_reason
from app.web.translations import mark

STARS: Final = range(1, 6)
LONGEST: Final = 1_000  # characters
_LONG = mark("Use at most 1,000 characters.")


class NotInstalledHere(Conflict):
    """Only who has it knows what it is worth."""


class WordUnfit(Invalid):
    """No number of stars, or too many words."""


def rate(work: Work, listing_id: UUID, *, stars: int, said: str) -> None:
    """Say what a listing is worth to those who run it; a later word replaces an earlier one.

    Raises NotPermitted, NotInstalledHere, WordUnfit.
    """
    require(work, Permission.TEMPLATE_PUBLISH)
    if stars not in STARS:
        sentence = mark("Give one to five stars.")
        raise WordUnfit(sentence, errors=[("stars", sentence)])
    taken = {each.body["listing"] for each in list_documents(work.session, INSTALLED)}
    if str(listing_id) not in taken:
        raise NotInstalledHere(mark("Install it first: only those who run it rate it."))
    work.announce(ListingRated(subject_id=listing_id, stars=stars, said=_short(said)))


def report(work: Work, listing_id: UUID, *, reason: str) -> None:
    """Tell the operator that something is wrong with it. Raises NotPermitted, ReasonMissing, WordUnfit."""
    require(work, Permission.TEMPLATE_PUBLISH)
    work.announce(ListingReported(subject_id=listing_id, reason=_short(require_reason(reason))))


def _short(said: str) -> str:
    if len(said.strip()) > LONGEST:
        raise WordUnfit(_LONG, errors=[("said", _LONG)])
    return said.strip()
