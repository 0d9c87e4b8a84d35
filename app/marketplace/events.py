"""What happened in a home: to what a publisher offers, to what the operator decides, to what a partner has taken."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from app.kernel.events import Event


class _OfVersion(Event, frozen=True, kw_only=True):
    """A fact about one submission of a version."""

    subject_kind: ClassVar[str] = "listing"

    listing_id: UUID
    template: str
    version: str


class VersionSubmitted(_OfVersion, frozen=True, kw_only=True):
    """A version was offered. The documents are the home's own, named by their addresses."""

    type: ClassVar[str] = "marketplace.version.submitted"

    digest: str
    overlays: list[str]
    visibility: str
    changelog: str
    vouched: bool


class VersionWithdrawn(_OfVersion, frozen=True, kw_only=True):
    """The publisher offers it no longer."""

    type: ClassVar[str] = "marketplace.version.withdrawn"


class VersionDeprecated(_OfVersion, frozen=True, kw_only=True):
    """The publisher asks those who have it to use another: which, and until when."""

    type: ClassVar[str] = "marketplace.version.deprecated"

    replaced_by: str
    ends_on: str


class VersionApproved(_OfVersion, frozen=True, kw_only=True):
    """The operator has reviewed it and lets it be listed: exactly this package."""

    type: ClassVar[str] = "marketplace.version.approved"

    package: str


class VersionDeclined(_OfVersion, frozen=True, kw_only=True):
    """The operator has reviewed it and does not list it."""

    type: ClassVar[str] = "marketplace.version.declined"


class VersionTakenDown(_OfVersion, frozen=True, kw_only=True):
    """The operator lets nobody install it any more."""

    type: ClassVar[str] = "marketplace.version.taken_down"


class VersionInstalled(_OfVersion, frozen=True, kw_only=True):
    """A partner has taken a version: its template and adaptations are published here now, as they were signed."""

    type: ClassVar[str] = "marketplace.version.installed"

    publisher: str
    key: str
    digest: str
    overlays: list[str]


class PackageImported(Event, frozen=True, kw_only=True):
    """A partner has taken in a signed file."""

    type: ClassVar[str] = "marketplace.package.imported"
    subject_kind: ClassVar[str] = "template"

    template: str
    version: str
    publisher: str
    key: str
    digest: str
    overlays: list[str]


class KeyTrusted(Event, frozen=True, kw_only=True):
    """A partner has decided to trust a publisher's key; files that it signed may be imported."""

    type: ClassVar[str] = "marketplace.key.trusted"
    subject_kind: ClassVar[str] = "template"

    publisher: str
    key: str


class ListingRated(Event, frozen=True, kw_only=True):
    """A partner has said what it thinks of a listing that it has."""

    type: ClassVar[str] = "marketplace.listing.rated"
    subject_kind: ClassVar[str] = "listing"

    stars: int
    said: str


class ListingReported(Event, frozen=True, kw_only=True):
    """A partner has told the operator that something is wrong with a listing."""

    type: ClassVar[str] = "marketplace.listing.reported"
    subject_kind: ClassVar[str] = "listing"


class NoticeReceived(_OfVersion, frozen=True, kw_only=True):
    """A version that is in use here was deprecated, withdrawn or taken down; administrators are told by mail."""

    type: ClassVar[str] = "marketplace.notice.received"

    state: str
    replaced_by: str
    ends_on: str


class ReviewWanted(_OfVersion, frozen=True, kw_only=True):
    """A version waits for a review; the operator's people are told by mail."""

    type: ClassVar[str] = "marketplace.review.wanted"

    publisher: str


class ReviewHeard(_OfVersion, frozen=True, kw_only=True):
    """The operator has decided about a version of this home; administrators are told by mail."""

    type: ClassVar[str] = "marketplace.review.heard"

    state: str
