"""Published versions in `control` (immutable, by content address) and the documents a tenant has pinned."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from tenants.metadata import ControlRecord, Document, TenantRecord


class TemplateVersion(ControlRecord):
    """One immutable version of a template, or a partner's overlay upon one."""

    __tablename__ = "template_version"

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"), primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]  # template | overlay
    template_id: Mapped[str]
    version: Mapped[str]
    title: Mapped[str]
    document: Mapped[Document]
    published_at: Mapped[datetime]


class Definition(TenantRecord):
    """The effective document that running work is pinned to: base and overlay, already merged."""

    __tablename__ = "definition"

    digest: Mapped[str] = mapped_column(primary_key=True)
    template_id: Mapped[str]
    version: Mapped[str]
    title: Mapped[str]
    document: Mapped[Document]
    origins: Mapped[Document]
    pinned_at: Mapped[datetime]
