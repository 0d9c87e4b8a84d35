"""What the OpenAPI document says of the doors of the marketplace."""

from __future__ import annotations

from typing import Any

from app.access.duties import PersonNeeded, SecondPersonNeeded
from app.access.permissions import Permission
from app.access.require import NotPermitted
from app.kernel.commands import CommandKeyReused
from app.kernel.errors import SlipwayError
from app.kernel.paging import CursorExpired, CursorForeign
from app.kernel.work import TenantNotActive, TenantUpgrading
from app.marketplace.checking.verifying import NotOnOffer
from app.marketplace.operations.installing import NameTaken, PublisherUnknown, VersionDiffers
from app.marketplace.operations.offering import ChangelogUnfit, EndUnfit, NotYours, OfferUnknown
from app.marketplace.operations.speaking import NotInstalledHere, WordUnfit
from app.marketplace.queries.market import ListingMissing
from app.marketplace.queries.offers import SubmissionMissing
from app.marketplace.rules import OfferMovedOn, ReasonMissing, VersionBehind, VersionOffered
from app.marketplace.schemas import (
    Accepted,
    DeprecationWish,
    EndWish,
    ImportedOut,
    InstallationOut,
    InstalledList,
    ListingOut,
    ListingPage,
    MarketQuery,
    OfferOut,
    OfferPage,
    OfferQuery,
    OfferWish,
    RatingWish,
    ReportList,
    ReportWish,
    ReviewList,
    ReviewOut,
    ReviewQuery,
    ReviewWish,
    VersionFull,
    VersionQuery,
)
from app.templates.lines.chains import ChainBroken
from app.templates.operations import AdoptionRefused
from app.templates.packing.reading import PackageAltered, PackageUnreadable
from app.templates.queries import TemplateMissing
from app.templates.rules import TemplateRefused
from app.web.begin import NothingHere, NotSignedIn
from app.web.security import NotFromHere
from app.web.wire.openapi import Described, Told
from app.web.wire.reading import (
    BodyUnfit,
    BodyUnreadable,
    IdempotencyKeyMissing,
    IdempotencyKeyUnfit,
    MediaTypeUnknown,
    QueryUnfit,
)

_ID = "01969c3b-7a10-7b52-b1de-0c9a8f7e6d5c"
_LISTING = "8f6b2f0e-6d1b-5c55-9f0a-1d9c6e2f7a31"
_HASH = f"sha256:{'2f1c9d07' * 8}"
_KEY = "northwind+7c1e2b90+AbCdEf0123456789AbCdEf0123456789AbCdEf012345"
_PRINT = "7c1e 2b90 11d4 88a0"
_AT = "2026-11-25T10:12:00Z"
_CARD: dict[str, Any] = {
    "id": _ID,
    "listing_id": _LISTING,
    "template": "msp-renewal",
    "version": "1.1.0",
    "title": {"en": "Renewal"},
    "description": {"en": "From the end of a term to the next one."},
    "publisher": "Northwind",
    "visibility": "public",
    "state": "listed",
    "changelog": "A reminder before the term ends.",
    "audience": "msp",
    "lifecycle": "renewal",
    "languages": ["en"],
    "days": 20,
    "counts": {"stage": 2, "milestone": 3, "task": 6, "gate": 1},
    "systems": [],
    "people": 4,
    "adaptations": 0,
    "installs": 3,
    "installed": False,
    "reviewed": True,
    "stars": 4.5,
    "ratings": 2,
    "digest": _HASH,
    "submitted_at": _AT,
    "notice": None,
}
_NOTICE = {"reason": "The next one asks less.", "at": _AT, "replaced_by": "1.1.0", "ends_on": "2027-01-31"}
_OLD = _CARD | {"version": "1.0.0", "state": "deprecated", "installed": True, "notice": _NOTICE}
_CHECK = {"name": "histories", "passed": True, "figures": {"histories": 20, "finished": 20}, "problems": []}
_PLAN = {"language": "en", "board": [], "timeline": {"days": 20, "scale": 1000, "rows": []}, "forms": [], "needs": {}}
_REVIEWED = {"key": _KEY, "fingerprint": _PRINT, "signature": "bm90IGEgc2lnbmF0dXJl"}
_SIGNATURE = {"key": _KEY, "fingerprint": _PRINT, "package": _HASH, "reviewed": _REVIEWED}
_OFFER: dict[str, Any] = {
    "id": _ID,
    "listing_id": _LISTING,
    "template": "msp-renewal",
    "version": "1.1.0",
    "digest": _HASH,
    "visibility": "public",
    "state": "in_review",
    "changelog": "A reminder before the term ends.",
    "publisher": "Northwind",
    "checks": [_CHECK],
    "submitted_by": "Dana Weber",
    "submitted_at": _AT,
    "decision": None,
    "notice": None,
    "installs": 0,
}
_INSTALLED = {"version_id": _ID, "listing_id": _LISTING, "template": "msp-renewal", "version": "1.1.0", "new": True}
_IMPORTED = {
    "template": "msp-renewal",
    "version": "1.1.0",
    "digest": _HASH,
    "publisher": "northwind",
    "fingerprint": _PRINT,
    "new": True,
}
_REPORT = {
    "listing_id": _LISTING,
    "template": "msp-renewal",
    "said": "It asks for passwords.",
    "by": "Dana Weber",
    "organisation": "Contoso",
    "said_at": _AT,
}
_READ, _PUBLISH = (Permission.TEMPLATE_READ,), (Permission.TEMPLATE_PUBLISH,)
_REVIEW = (Permission.LISTING_REVIEW,)
_HERE: tuple[type[SlipwayError], ...] = (NotSignedIn, NotPermitted)
_HOME = (*_HERE, NothingHere, TenantNotActive, TenantUpgrading)
_ONCE = (NotFromHere, IdempotencyKeyMissing, IdempotencyKeyUnfit, CommandKeyReused)
_SENT = (*_HOME, *_ONCE, BodyUnreadable, BodyUnfit, MediaTypeUnknown)
_SIGNED = (PackageUnreadable, PackageAltered)
_ROOM = (NameTaken, VersionDiffers, VersionBehind, AdoptionRefused, ChainBroken, TemplateRefused)
_PAGED = (QueryUnfit, CursorForeign, CursorExpired)


def _accepted(
    takes: type, example: dict[str, Any], *problems: type[SlipwayError], scopes: tuple[str, ...] = _PUBLISH
) -> Described:
    """A decision that everybody sees within seconds."""
    told = Told("Decided.", Accepted, headers=("Idempotency-Replayed",), example={"id": _ID})
    asked = ("Idempotency-Key",)
    return Described(
        {202: told}, takes=takes, example=example, headers=asked, problems=(*_SENT, *problems), scopes=scopes
    )


def _shown(means: str, body: type, example: dict[str, Any], *problems: type[SlipwayError], **more: Any) -> Described:
    told = Told(means, body, headers=more.pop("headers", ("ETag",)), example=example)
    return Described({200: told}, problems=problems, **more)


SEARCH = _shown(
    "A page of listings.",
    ListingPage,
    {"items": [_CARD], "next": None, "total": 1, "facets": {"audience": [{"value": "msp", "count": 1}]}},
    *_HERE,
    *_PAGED,
    headers=("ETag", "Link"),
    query=MarketQuery,
    scopes=_READ,
)
READ = _shown(
    "The listing.",
    ListingOut,
    {"id": _LISTING, "template": "msp-renewal", "publisher": "Northwind", "versions": [_CARD, _OLD], "ratings": []},
    *_HERE,
    ListingMissing,
    scopes=_READ,
)
READ_VERSION = _shown(
    "The version.",
    VersionFull,
    _CARD | {"checks": [_CHECK], "plan": _PLAN, "signature": _SIGNATURE},
    *(*_HERE, ListingMissing, QueryUnfit, *_SIGNED, TemplateRefused),
    query=VersionQuery,
    scopes=_READ,
)
PACKAGE = Described(
    {200: Told("The signed file.", binary=True, headers=("ETag",))}, problems=(*_HERE, ListingMissing), scopes=_READ
)
INSTALL = Described(
    {200: Told("It is here.", InstallationOut, headers=("Idempotency-Replayed",), example=_INSTALLED)},
    headers=("Idempotency-Key",),
    problems=(*_HOME, *_ONCE, ListingMissing, NotOnOffer, *_SIGNED, *_ROOM),
    scopes=_PUBLISH,
)
INSTALLED = _shown(
    "What your organisation has taken.",
    InstalledList,
    {"items": [_OLD | {"newer": {"version_id": _ID, "version": "1.1.0"}}]},
    *_HERE,
    scopes=_READ,
)
IMPORT = Described(
    {200: Told("It is here.", ImportedOut, headers=("Idempotency-Replayed",), example=_IMPORTED)},
    binary="The signed file, at most 2,000,000 bytes.",
    headers=("Idempotency-Key",),
    problems=(*_HOME, *_ONCE, MediaTypeUnknown, PublisherUnknown, *_SIGNED, *_ROOM),
    scopes=_PUBLISH,
)
RATE = _accepted(RatingWish, {"stars": 5, "said": "It fits."}, ListingMissing, NotInstalledHere, WordUnfit)
REPORT = _accepted(ReportWish, {"reason": "It asks for passwords."}, ListingMissing, ReasonMissing, WordUnfit)

OFFERS = _shown(
    "What was submitted.",
    OfferPage,
    {"items": [_OFFER], "next": None},
    *_HOME,
    *_PAGED,
    headers=("ETag", "Link"),
    query=OfferQuery,
    scopes=_PUBLISH,
)
OFFER = Described(
    {201: Told("Submitted.", Accepted, headers=("Location", "Idempotency-Replayed"), example={"id": _ID})},
    takes=OfferWish,
    example={"template": _HASH, "visibility": "private", "changelog": "A reminder before the term ends."},
    headers=("Idempotency-Key",),
    problems=(*_SENT, TemplateMissing, ChangelogUnfit, NotYours, ChainBroken, VersionOffered, VersionBehind),
    scopes=_PUBLISH,
)
OFFER_READ = _shown("The offer.", OfferOut, _OFFER, *_HOME, SubmissionMissing, scopes=_PUBLISH)
WITHDRAW = _accepted(
    EndWish,
    {"reason": "It was a draft."},
    *(SubmissionMissing, OfferUnknown, OfferMovedOn, ReasonMissing),
)
DEPRECATE = _accepted(
    DeprecationWish,
    {"reason": "The next one asks less.", "replaced_by": "1.1.0", "ends_on": "2027-01-31"},
    *(SubmissionMissing, OfferUnknown, OfferMovedOn, ReasonMissing, EndUnfit),
)

REVIEWS = _shown(
    "The submissions.", ReviewList, {"items": [_OFFER]}, *_HERE, QueryUnfit, query=ReviewQuery, scopes=_REVIEW
)
REPORTS = _shown("The reports.", ReportList, {"items": [_REPORT]}, *_HERE, scopes=_REVIEW)
REVIEW_READ = _shown(
    "The submission.",
    ReviewOut,
    _OFFER | {"package": _HASH, "package_bytes": 48_213, "fingerprint": _PRINT},
    *(*_HERE, SubmissionMissing),
    scopes=_REVIEW,
)
DECIDE = _accepted(
    ReviewWish,
    {"approved": True, "package": _HASH, "reason": ""},
    *(PersonNeeded, SecondPersonNeeded, SubmissionMissing, OfferMovedOn, ReasonMissing),
    scopes=(),
)
TAKE_DOWN = _accepted(
    EndWish,
    {"reason": "It asks for passwords."},
    *(PersonNeeded, SubmissionMissing, OfferMovedOn, ReasonMissing),
    scopes=(),
)
