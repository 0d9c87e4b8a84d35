"""Published versions in `control` (immutable, by content address) and the documents a tenant has pinned."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from tenants.metadata import ControlRecord, Document, TenantRecord


class TemplateVersion(ControlRecord):
    """One immutable version of a template, or a partner's overlay upon one.

    Of an overlay, `template_digest` is the template at the bottom of its chain, `below` the version that it stands on
    and `result` the address of the document that the whole chain makes, on which a further overlay can stand; None for
    a template. An overlay of before (no `below`) stands on the template.
    """

    __tablename__ = "template_version"

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"), primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]  # template | overlay
    template_id: Mapped[str]
    version: Mapped[str]
    title: Mapped[str]
    document: Mapped[Document]
    published_at: Mapped[datetime]
    template_digest: Mapped[str | None]
    below: Mapped[str | None]
    result: Mapped[str | None]


class TemplateLine(ControlRecord):
    """What an organisation offers of a template from one moment on: the highest `seq` is what it offers now."""

    __tablename__ = "template_line"
    __table_args__ = {"info": {"rights": "SELECT, INSERT"}}

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"), primary_key=True)
    template_id: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    template_digest: Mapped[str]
    overlay_digest: Mapped[str | None]  # the uppermost; each names what it stands on
    why: Mapped[str]
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]


class Definition(TenantRecord):
    """In a customer's workspace the effective document that running work is pinned to; in a home what it published.

    `origins` says who set each value of an effective document; of a published overlay, `template`, `below` and
    `result` as above; of what was taken over from somebody else, `publisher`.
    """

    __tablename__ = "definition"

    digest: Mapped[str] = mapped_column(primary_key=True)
    template_id: Mapped[str]
    version: Mapped[str]
    title: Mapped[str]
    document: Mapped[Document]
    origins: Mapped[Document]
    pinned_at: Mapped[datetime]
