"""What an organisation offers, and for the operator what waits for a review; in the organisation's own scope."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, func, select, text, tuple_
from sqlalchemy.orm import Session

from app.audit.queries.documents import list_documents
from app.kernel.errors import Missing
from app.marketplace.models import Listing, ListingVersion, ListingWord, PublisherKey
from app.marketplace.rules import OFFERED, State
from app.templates.lines.chains import find_chain
from app.templates.lines.queries import find_overlay, find_published, published_shelves
from app.templates.overlays.versions import precedence
from app.templates.queries import NO_SUCH, TemplateMissing
from app.web.translations import mark

MOST: Final = 200
OFFER: Final = "listing_offer"  # of a home's documents: one for each template on offer, by its name
_NAME = text("SELECT name FROM control.organisation WHERE id = :id")
_KIND = text("SELECT kind FROM control.organisation WHERE id = :id")
_HOLDERS = text("SELECT * FROM control.listing_holders(:version)")
_ADDRESS = re.compile(r"sha256:[0-9a-f]{64}")
SUBMISSION_MISSING = mark("No submission has this address.")
_WITHOUT_PACKAGE = [column for column in ListingVersion.__table__.c if column.name != "package"]


class SubmissionMissing(Missing):
    """There is no such submission in this organisation's reach."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A submitted version as its publisher and the operator see it."""

    id: UUID
    listing_id: UUID
    organisation_id: UUID
    template_id: str
    version: str
    digest: str
    visibility: str
    state: str
    changelog: str
    facts: Mapping[str, Any]
    checks: Mapping[str, Any]
    submitted_at: datetime
    submitted_by: Mapping[str, Any]
    decision: Mapping[str, Any] | None
    notice: Mapping[str, Any] | None
    installs: int
    publisher: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a partner has told the operator of a listing."""

    listing_id: UUID
    template_id: str
    said: str
    by_name: str
    organisation: str
    said_at: datetime


def list_submissions(
    session: Session,
    organisation_id: UUID,
    *,
    state: str = "",
    behind: tuple[datetime, UUID] | None = None,
    most: int = MOST,
) -> list[Submission]:
    """What the organisation has submitted, the last first; of one state, and behind one of them, if these are named."""
    at, number = ListingVersion.submitted_at, ListingVersion.id
    own = _submissions().where(ListingVersion.organisation_id == organisation_id)
    if state:
        own = own.where(ListingVersion.state == state)
    if behind is not None:
        own = own.where(tuple_(at, number) < tuple_(*behind))
    return _read(session, own.order_by(at.desc(), number.desc()).limit(most))


@dataclass(frozen=True, slots=True)
class Arriving:
    """A submission that its home has and `control` has not yet: its checks run."""

    id: UUID
    template_id: str
    version: str
    digest: str
    visibility: str
    submitted_at: datetime
    submitted_by: str


def list_arriving(session: Session, known: Collection[UUID]) -> list[Arriving]:
    """What a home has submitted beside what is known, the last first; in the home's scope."""
    found = [
        Arriving(UUID(each["id"]), kept.key, each["version"], each["digest"], each["visibility"], at, each["name"])
        for kept in list_documents(session, OFFER)
        for each in kept.body["submissions"]
        if "at" in each and UUID(each["id"]) not in known  # those of before have arrived long ago
        for at in (datetime.fromisoformat(each["at"]),)
    ]
    return sorted(found, key=lambda each: each.submitted_at, reverse=True)


def list_in_review(session: Session) -> list[Submission]:
    """What waits for a person of the operator, the oldest first; in the operator's scope."""
    waiting = _submissions().where(ListingVersion.state == State.IN_REVIEW)
    return _read(session, waiting.order_by(ListingVersion.submitted_at, ListingVersion.id).limit(MOST))


def list_reviewed(session: Session) -> list[Submission]:
    """What everybody can install now, the last first; in the operator's scope."""
    public = _submissions().where(ListingVersion.state.in_(OFFERED), ListingVersion.visibility == "public")
    return _read(session, public.order_by(ListingVersion.submitted_at.desc(), ListingVersion.id).limit(MOST))


def get_submission(session: Session, version_id: UUID) -> Submission:
    """One submission. Raises SubmissionMissing."""
    found = _read(session, _submissions().where(ListingVersion.id == version_id))
    if not found:
        raise SubmissionMissing(SUBMISSION_MISSING)
    return found[0]


def get_package_bytes(session: Session, version_id: UUID) -> bytes:
    """The signed package of a submission in reach. Raises SubmissionMissing."""
    package = session.scalars(select(ListingVersion.package).where(ListingVersion.id == version_id)).one_or_none()
    if package is None:
        raise SubmissionMissing(SUBMISSION_MISSING)
    return package


def find_version_before(session: Session, submission: Submission) -> UUID | None:
    """The newest listed version of the same listing that comes before this one."""
    query = select(ListingVersion.id, ListingVersion.version).where(
        ListingVersion.listing_id == submission.listing_id, ListingVersion.state.in_(OFFERED)
    )
    earlier = [row for row in session.execute(query) if precedence(row.version) < precedence(submission.version)]
    return max(earlier, key=lambda row: precedence(row.version)).id if earlier else None


def find_offerable(session: Session, digest: str) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """A published template by its address, and the adaptations that are offered upon it. Raises TemplateMissing."""
    document = find_published(session, digest) if _ADDRESS.fullmatch(digest) else None
    overlay = find_overlay(session, digest) if document else None
    chain = find_chain(published_shelves(session), overlay) if overlay else None
    if document is None or "id" not in document:
        raise TemplateMissing(NO_SUCH)
    return document, tuple(each.digest for each in chain.overlays) if chain else ()


def states_of(session: Session, organisation_id: UUID) -> dict[UUID, str]:
    """The state of each submission of the organisation that has arrived."""
    query = select(ListingVersion.id, ListingVersion.state).where(ListingVersion.organisation_id == organisation_id)
    return {row.id: row.state for row in session.execute(query)}


def list_reports(session: Session) -> list[Report]:
    """What partners have told of listings, the last first; in the operator's scope."""
    query = (
        select(ListingWord, Listing.template_id)
        .join(Listing, Listing.id == ListingWord.listing_id)
        .where(ListingWord.kind == "report")
        .order_by(ListingWord.said_at.desc())
    )
    found = session.execute(query.limit(MOST)).all()
    names = _names(session, (row.ListingWord.organisation_id for row in found))
    return [
        Report(word.listing_id, template_id, word.said, word.by_name, names[word.organisation_id], word.said_at)
        for word, template_id in found
    ]


def find_key(session: Session, organisation_id: UUID) -> str | None:
    """The public key that the organisation signs with; None before its first submission."""
    return session.scalars(
        select(PublisherKey.key).where(PublisherKey.organisation_id == organisation_id)
    ).one_or_none()


def is_operator(session: Session, organisation_id: UUID) -> bool:
    """Whether the organisation runs the installation."""
    return session.execute(_KIND, {"id": organisation_id}).scalar_one_or_none() == "platform"


def list_holders(session: Session, version_id: UUID) -> list[UUID]:
    """The organisations that have a version which this one, or one below it, has published."""
    return [row[0] for row in session.execute(_HOLDERS, {"version": version_id})]


def _submissions() -> Select[Any]:
    installs = func.control.count_installs(ListingVersion.id)  # its own rows alone do not say who else has it
    return select(*_WITHOUT_PACKAGE, Listing.template_id, installs.label("installs")).join(
        Listing, Listing.id == ListingVersion.listing_id
    )


def _read(session: Session, query: Select[Any]) -> list[Submission]:
    rows = session.execute(query).all()
    names = _names(session, (row.organisation_id for row in rows))
    return [
        Submission(
            id=row.id,
            listing_id=row.listing_id,
            organisation_id=row.organisation_id,
            template_id=row.template_id,
            version=row.version,
            digest=row.digest,
            visibility=row.visibility,
            state=row.state,
            changelog=row.changelog,
            facts=row.facts,
            checks=row.checks,
            submitted_at=row.submitted_at,
            submitted_by=row.submitted_by,
            decision=row.decision,
            notice=row.notice,
            installs=row.installs,
            publisher=names[row.organisation_id],
        )
        for row in rows
    ]


def _names(session: Session, organisations: Iterable[UUID]) -> dict[UUID, str]:
    return {each: session.execute(_NAME, {"id": each}).scalar_one_or_none() or "" for each in set(organisations)}
