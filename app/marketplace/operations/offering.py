"""What a publisher does in its home: offer a version, withdraw it, tell those who have it to use another."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from app.access.permissions import Permission
from app.access.require import require
from app.audit.operations.documents import keep_document, lock_document
from app.audit.queries.documents import find_document
from app.kernel.errors import Conflict, Invalid, Missing
from app.kernel.ids import new_id
from app.kernel.work import Work
from app.marketplace.events import VersionDeprecated, VersionSubmitted, VersionWithdrawn
from app.marketplace.queries.offers import OFFER
from app.marketplace.rules import (
    OfferMovedOn,
    State,
    Visibility,
    check_submission,
    listing_id_of,
    may_become,
    require_reason,
)
from app.templates.lines.chains import find_chain
from app.templates.lines.queries import home_shelves
from app.templates.queries import PinnedDocument, get_pinned
from app.web.translations import mark

LONGEST: Final = 5_000  # characters of a changelog
_WAITS: Final = str(State.IN_REVIEW)  # what has not arrived in control yet
_CHANGELOG = mark("Say in a few words what is in this version; at most 5,000 characters.")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")

SYSTEM_ONLY = {"submissions_of": "part of an operation that has checked its own permission, and of set-up"}


class NotAPublishersHome(Invalid):
    """Templates are offered by organisations, from their homes."""


class ChangelogUnfit(Invalid):
    """Whoever installs a version wants to read what is in it."""


class NotYours(Conflict):
    """What was taken over from somebody else is offered only beneath one's own adaptation of it."""


class OfferUnknown(Missing):
    """It was never submitted from here."""


class EndUnfit(Invalid):
    """The day that a version is to be used until is no day."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What is offered: a published template by its address, adaptations upon it, to whom, and what is new in it."""

    digest: str
    overlays: tuple[str, ...]
    visibility: Visibility
    changelog: str
    vouched: bool = False


def submit(work: Work, offer: Offer, states: Mapping[UUID, str]) -> UUID:
    """Offer a version that this home has published; the checks follow. Returns the submission's id.

    `states` are those that `control` knows of earlier submissions. Raises NotPermitted, TemplateMissing,
    ChangelogUnfit, VersionOffered, VersionBehind.
    """
    require(work, Permission.TEMPLATE_PUBLISH)
    _require_home(work)
    changelog = offer.changelog.strip()
    if not changelog or len(changelog) > LONGEST:
        raise ChangelogUnfit(_CHANGELOG, errors=[("changelog", _CHANGELOG)])
    versions = [get_pinned(work.session, digest) for digest in (offer.digest, *offer.overlays)]
    _require_own(work, versions)
    documents = [each.document for each in versions]
    template, version = str(documents[0].get("id", "")), str(documents[-1]["version"])
    submitted = _held(work, template)
    check_submission(version, [(each["version"], states.get(UUID(each["id"]), _WAITS)) for each in submitted])
    submission = {"id": str(new_id()), "version": version, "digest": offer.digest, "by": str(work.actor.id)}
    submission |= {"visibility": offer.visibility, "at": work.now.isoformat(), "name": work.actor.name}
    keep_document(work, OFFER, template, {"submissions": [*submitted, submission]})
    event = VersionSubmitted(
        subject_id=UUID(submission["id"]),
        listing_id=listing_id_of(work.tenant.organisation_id, template),
        template=template,
        version=version,
        digest=offer.digest,
        overlays=list(offer.overlays),
        visibility=offer.visibility,
        changelog=changelog,
        vouched=offer.vouched,
    )
    work.announce(event)
    return event.subject_id


def withdraw(work: Work, version_id: UUID, *, template: str, state: str, reason: str) -> None:
    """Offer it no longer: nobody can install it any more, and whoever has it keeps it and is told.

    Raises NotPermitted, OfferUnknown, OfferMovedOn, ReasonMissing.
    """
    submission = _own(work, version_id, template, state, State.WITHDRAWN)
    work.announce(
        VersionWithdrawn(
            subject_id=version_id,
            listing_id=listing_id_of(work.tenant.organisation_id, template),
            template=template,
            version=submission["version"],
            reason=require_reason(reason),
        )
    )


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a version is not to be used for long, what to use instead, and until when it is good."""

    reason: str
    replaced_by: str = ""
    ends_on: str = ""


def deprecate(work: Work, version_id: UUID, ending: Ending, *, template: str, state: str) -> None:
    """Tell those who have it to use another.

    Raises NotPermitted, OfferUnknown, OfferMovedOn, ReasonMissing, EndUnfit.
    """
    submission = _own(work, version_id, template, state, State.DEPRECATED)
    work.announce(
        VersionDeprecated(
            subject_id=version_id,
            listing_id=listing_id_of(work.tenant.organisation_id, template),
            template=template,
            version=submission["version"],
            replaced_by=ending.replaced_by.strip(),
            ends_on=_day(ending.ends_on.strip(), work),
            reason=require_reason(ending.reason),
        )
    )


def _require_own(work: Work, versions: Sequence[PinnedDocument]) -> None:
    """The uppermost is this home's own, and comes with all that it stands on: else a lock beneath it would be lost.

    Raises NotYours.
    """
    top = versions[-1]
    whole = find_chain(home_shelves(work.session), top.digest).versions
    if "publisher" in top.origins or [each.digest for each in whole] != [each.digest for each in versions]:
        raise NotYours(mark("This came from somebody else. Adapt it, then offer your adaptation with it."))


def _own(work: Work, version_id: UUID, template: str, state: str, wanted: State) -> dict[str, Any]:
    """A submission of this home that can come into the wanted state."""
    require(work, Permission.TEMPLATE_PUBLISH)
    found = next((each for each in _held(work, template) if each["id"] == str(version_id)), None)
    if found is None:
        raise OfferUnknown(mark("Your organisation has not submitted this."))
    if not may_become(state, wanted):
        raise OfferMovedOn(mark("This can no longer be done: look at how it stands now."))
    return found


def submissions_of(work: Work, template: str) -> list[dict[str, Any]]:
    """What this home has submitted of a template, the first first."""
    kept = find_document(work.session, OFFER, template)
    return list(kept.body["submissions"]) if kept else []


def _held(work: Work, template: str) -> list[dict[str, Any]]:
    """The same, until the commit: two who change the same offer come one after the other."""
    return list(lock_document(work, OFFER, template).body.get("submissions", ()))


def _require_home(work: Work) -> None:
    if work.tenant.kind != "home":
        raise NotAPublishersHome(mark("Templates are offered from the home of an organisation."))


def _day(written: str, work: Work) -> str:
    if not written:
        return ""
    sentence = mark("Write a day that is still to come, as year-month-day.")
    try:
        day = date.fromisoformat(written) if _DATE.fullmatch(written) else None
    except ValueError:
        day = None
    if day is None or day <= work.now.date():
        raise EndUnfit(sentence, errors=[("ends_on", sentence)])
    return written
