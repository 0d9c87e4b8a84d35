"""What all may look for, in `control`: listings, their versions, who has them, words on them, publishers' keys."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.metadata import ControlRecord, Document


class PublisherKey(ControlRecord):
    """The public key with which an organisation signs; the private one is sealed in its home."""

    __tablename__ = "publisher_key"

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"), primary_key=True)
    key: Mapped[str]  # name+id+key
    made_at: Mapped[datetime]


class Listing(ControlRecord):
    """One template that an organisation offers, whatever its version."""

    __tablename__ = "listing"
    __table_args__ = (UniqueConstraint("organisation_id", "template_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"))
    template_id: Mapped[str]
    made_at: Mapped[datetime]


class ListingVersion(ControlRecord):
    """One submission: a signed package, what was found in it, and what became of it. The package never changes."""

    __tablename__ = "listing_version"
    __table_args__ = (
        Index(
            "uq_listing_version_offered",
            "listing_id",
            "version",
            unique=True,
            postgresql_where=text("state NOT IN ('failed', 'declined', 'withdrawn')"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    listing_id: Mapped[UUID] = mapped_column(ForeignKey("control.listing.id"), index=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"), index=True)
    version: Mapped[str]
    digest: Mapped[str]  # of the template
    package: Mapped[bytes]
    visibility: Mapped[str]  # private | sub_partners | public
    state: Mapped[str] = mapped_column(index=True)  # `app.marketplace.rules.State`
    changelog: Mapped[str]
    facts: Mapped[Document]  # what cards and facets show, computed from the package
    search: Mapped[str]  # the words that are looked through, in lower case
    checks: Mapped[Document]
    submitted_at: Mapped[datetime]
    submitted_by: Mapped[Document]  # id and name
    decision: Mapped[Document | None]  # who approved or declined, when and why
    countersigned: Mapped[str | None]  # the operator's word for exactly this package
    notice: Mapped[Document | None]  # of a deprecation or a take-down: when, why, what to use instead


class ListingInstall(ControlRecord):
    """That an organisation has taken a version: what usage is counted by, and who is told of its end."""

    __tablename__ = "listing_install"

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"), primary_key=True)
    version_id: Mapped[UUID] = mapped_column(ForeignKey("control.listing_version.id"), primary_key=True, index=True)
    listing_id: Mapped[UUID] = mapped_column(ForeignKey("control.listing.id"))
    installed_at: Mapped[datetime]
    heard: Mapped[str | None]  # the state of the version that its administrators were told of last


class ListingWord(ControlRecord):
    """What an organisation says of a listing: its rating, of which there is one, or a report to the operator."""

    __tablename__ = "listing_word"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"))
    listing_id: Mapped[UUID] = mapped_column(ForeignKey("control.listing.id"), index=True)
    kind: Mapped[str]  # rating | report
    stars: Mapped[int | None]
    said: Mapped[str]
    by_name: Mapped[str]
    said_at: Mapped[datetime]
