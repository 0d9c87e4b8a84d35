"""Reads published versions in `control` and pinned documents in a tenant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.kernel.errors import Missing
from app.templates.models import Definition, TemplateVersion


class TemplateMissing(Missing):
    """No such version is published for this organisation."""


@dataclass(frozen=True, slots=True)
class PinnedDocument:
    """The effective document that running work is pinned to."""

    digest: str
    title: str
    document: Mapping[str, Any]
    origins: Mapping[str, Any]


def get_published(session: Session, digest: str) -> dict[str, Any]:
    """A published document by its content address; in an organisation's scope. Raises TemplateMissing."""
    document = session.scalars(select(TemplateVersion.document).where(TemplateVersion.digest == digest)).one_or_none()
    if document is None:
        raise TemplateMissing(f"No published template has the address {digest}.")
    return document


@dataclass(frozen=True, slots=True)
class Offered:
    """A published template, and the newest overlay upon it, if there is one."""

    template_digest: str
    overlay_digest: str | None


def find_newest(session: Session, organisation_id: UUID, template_id: str | None = None) -> Offered | None:
    """What the organisation published last, of that template or of all, in its scope; None where there is nothing."""
    own = select(TemplateVersion.digest).where(TemplateVersion.organisation_id == organisation_id)
    if template_id is not None:
        own = own.where(TemplateVersion.template_id == template_id)
    newest = own.order_by(TemplateVersion.published_at.desc(), TemplateVersion.digest)
    template = session.scalars(newest.where(TemplateVersion.kind == "template").limit(1)).one_or_none()
    if template is None:
        return None
    upon = TemplateVersion.document["base"]["digest"].astext == template
    overlay = session.scalars(newest.where(TemplateVersion.kind == "overlay", upon).limit(1)).one_or_none()
    return Offered(template, overlay)


def get_pinned(session: Session, digest: str) -> PinnedDocument:
    """A pinned document; in the tenant's scope. Raises TemplateMissing."""
    row = session.get(Definition, digest)
    if row is None:
        raise TemplateMissing(f"This workspace has pinned no template with the address {digest}.")
    return PinnedDocument(digest=row.digest, title=row.title, document=row.document, origins=row.origins)
