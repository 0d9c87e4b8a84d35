"""Shapes of the marketplace's API: listings with their versions and plans, installations, offers, reviews."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

Visible = Literal["private", "sub_partners", "public"]
Words = Annotated[str, Meta(max_length=200)]
Cursor = Annotated[str, Meta(min_length=1, max_length=4096, description="`next` of the page before.")]
Limit = Annotated[int, Meta(ge=1, le=200, description="How many on a page.")]
Reason = Annotated[str, Meta(max_length=5_000, description="Why: whoever is concerned reads it.")]


class MarketQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which listings: those that hold all the words and fit every choice; "" leaves one open."""

    q: Annotated[Words, Meta(description="Words of titles, descriptions, systems and publishers.")] = ""
    audience: Literal["", "msp", "saas", "erp", "integrator"] = ""
    lifecycle: Annotated[str, Meta(max_length=40)] = ""
    language: Annotated[str, Meta(max_length=40)] = ""
    publisher: Annotated[Words, Meta(description="A publisher's name; `operator` for the standard templates.")] = ""
    length: Annotated[
        Literal["", "month", "quarter", "longer"], Meta(description="At most 22 or 66 working days, or longer.")
    ] = ""
    rating: Annotated[Literal["", "good", "other"], Meta(description="Four stars and more, or fewer.")] = ""
    cursor: Cursor | UnsetType = UNSET
    limit: Limit = 50


class NoticeOut(Struct, frozen=True):
    """That a version is not to be used for long, or not any more: why, since when, what instead, and until when."""

    reason: str
    at: datetime
    replaced_by: str
    ends_on: str


class VersionOut(Struct, frozen=True, kw_only=True):
    """A version on offer. `publisher` is "" for the operator; `installed`: whether your organisation has taken it.

    Words of `state`: listed, deprecated, withdrawn, taken_down. Titles and descriptions are by language.
    """

    id: UUID
    listing_id: UUID
    template: str
    version: str
    title: dict[str, str]
    description: dict[str, str]
    publisher: str
    visibility: str
    state: str
    changelog: str
    audience: str
    lifecycle: str
    languages: list[str]
    days: int
    counts: dict[str, int]
    systems: list[str]
    people: int
    adaptations: int
    installs: int
    installed: bool
    reviewed: bool
    stars: float | None
    ratings: int
    digest: str
    submitted_at: datetime
    notice: NoticeOut | None


class FacetOut(Struct, frozen=True):
    """A value of a choice, and how many listings it would find beside the other choices."""

    value: str
    count: int


class ListingPage(Struct, frozen=True):
    """Listings by their newest version, the last offered first."""

    items: list[VersionOut]
    next: str | None
    total: int
    facets: dict[str, list[FacetOut]]


class RatingOut(Struct, frozen=True):
    """What somebody thinks of it. Whose word it is only they themselves are told."""

    stars: int
    said: str
    said_at: datetime
    mine: bool


class ListingOut(Struct, frozen=True):
    """A listing: all its versions that you may see, the newest first, and the last ratings."""

    id: UUID
    template: str
    publisher: str
    versions: list[VersionOut]
    ratings: list[RatingOut]


class CheckProblem(Struct, frozen=True):
    """One thing that a check found."""

    place: str
    message: str
    fix: str


class CheckOut(Struct, frozen=True):
    """One of the automatic checks: form, sound, tests, histories, texts."""

    name: str
    passed: bool
    figures: dict[str, int]
    problems: list[CheckProblem]


class ReviewedBy(Struct, frozen=True):
    """The operator's word: a signature over the version's id and the package's hash."""

    key: str
    fingerprint: str
    signature: str


class SignatureOut(Struct, frozen=True):
    """Who answers for the package; all of it was verified again for this answer."""

    key: str
    fingerprint: str
    package: str
    reviewed: ReviewedBy | None


class PlanOut(Struct, frozen=True):
    """The plan as an onboarding would run it, with the publisher's adaptations; texts in one language."""

    language: str
    board: list[dict[str, Any]]
    timeline: dict[str, Any]
    forms: list[dict[str, Any]]
    needs: dict[str, Any]


class VersionFull(VersionOut, frozen=True, kw_only=True):
    """A version with what the checks said, its plan and its signature."""

    checks: list[CheckOut]
    plan: PlanOut
    signature: SignatureOut


class VersionQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """In which language its plan is read; without one in yours, else in the template's own."""

    language: Annotated[str, Meta(max_length=40)] = ""


class InstallationOut(Struct, frozen=True):
    """That your organisation has the version; `new`: since this request."""

    version_id: UUID
    listing_id: UUID
    template: str
    version: str
    new: bool


class NewerOut(Struct, frozen=True):
    """A later version that is on offer to you."""

    version_id: UUID
    version: str


class InstalledOut(VersionOut, frozen=True, kw_only=True):
    """What your organisation has taken, and what has become of it; `newer` where there is something to go to."""

    newer: NewerOut | None


class InstalledList(Struct, frozen=True):
    """All that your organisation has taken, the last offered first."""

    items: list[InstalledOut]


class ImportedOut(Struct, frozen=True):
    """A signed file that is here now; `new`: since this request."""

    template: str
    version: str
    digest: str
    publisher: str
    fingerprint: str
    new: bool


class RatingWish(Struct, frozen=True, forbid_unknown_fields=True):
    """What a listing is worth to you, who run it. A later word replaces an earlier one."""

    stars: Annotated[int, Meta(ge=1, le=5)]
    said: Annotated[str, Meta(max_length=1_000)] = ""


class ReportWish(Struct, frozen=True, forbid_unknown_fields=True):
    """What is wrong with a listing, for the operator."""

    reason: Annotated[str, Meta(max_length=1_000)]


class Accepted(Struct, frozen=True):
    """It is decided, and stands in the trail; everybody sees it within seconds."""

    id: UUID


class OfferWish(Struct, frozen=True, forbid_unknown_fields=True):
    """What is offered: a template that you have published, with your adaptations upon it if `adapted`."""

    template: Annotated[str, Meta(pattern="^sha256:[0-9a-f]{64}$", description="The address of a published template.")]
    visibility: Visible
    changelog: Annotated[str, Meta(max_length=5_000, description="What is in this version, for who installs it.")]
    adapted: bool = False


class DecisionOut(Struct, frozen=True):
    """What the operator's person decided, why and when."""

    by: str
    reason: str
    at: datetime


class OfferOut(Struct, frozen=True, kw_only=True):
    """A version that your organisation has submitted.

    Words of `state`: checking (the automatic checks run), failed, in_review, declined, listed, deprecated, withdrawn,
    taken_down.
    """

    id: UUID
    listing_id: UUID
    template: str
    version: str
    digest: str
    visibility: str
    state: str
    changelog: str
    publisher: str
    checks: list[CheckOut]
    submitted_by: str
    submitted_at: datetime
    decision: DecisionOut | None
    notice: NoticeOut | None
    installs: int


class OfferPage(Struct, frozen=True):
    """What was submitted, the last first."""

    items: list[OfferOut]
    next: str | None


class OfferQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which of your submissions: all, or those in one state."""

    state: Annotated[str, Meta(max_length=20, description="Only those in this state.")] = ""
    cursor: Cursor | UnsetType = UNSET
    limit: Limit = 50


class EndWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Why nobody is to begin with it any more."""

    reason: Reason


class DeprecationWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Why, what to use instead, and the day until which it is good (year-month-day, or "" for none)."""

    reason: Reason
    replaced_by: Annotated[str, Meta(max_length=100)] = ""
    ends_on: Annotated[str, Meta(max_length=10)] = ""


class ReviewQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which: what waits, the oldest first, or what everybody can install, the last first."""

    state: Literal["in_review", "listed"] = "in_review"


class ReviewList(Struct, frozen=True):
    """Submissions that the operator decides about."""

    items: list[OfferOut]


class ReviewOut(OfferOut, frozen=True, kw_only=True):
    """One submission for who decides: `package` is the hash that an approval names, `fingerprint` the publisher's."""

    package: str
    fingerprint: str
    package_bytes: int


class ReviewWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Approve exactly the package with this hash, or do not list it and say why."""

    approved: bool
    package: Annotated[str, Meta(max_length=100, description="`package` of what you looked at.")] = ""
    reason: Reason = ""


class ReportOut(Struct, frozen=True):
    """What a partner has told the operator of a listing."""

    listing_id: UUID
    template: str
    said: str
    by: str
    organisation: str
    said_at: datetime


class ReportList(Struct, frozen=True):
    """What partners have told, the last first."""

    items: list[ReportOut]
