"""Reads published versions in `control` and pinned documents in a tenant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.kernel.errors import Missing
from app.templates.models import Definition, TemplateVersion
from app.web.translations import mark

NO_SUCH = mark("No template of yours has this address. It may have been mistyped.")
MOST_VERSIONS = 20  # that are offered; older ones are asked for by their address


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
    document = find_published(session, digest)
    if document is None:
        raise TemplateMissing(f"No published template has the address {digest}.")
    return document


def find_published(session: Session, digest: str) -> dict[str, Any] | None:
    """The same, or None where there is none."""
    return session.scalars(select(TemplateVersion.document).where(TemplateVersion.digest == digest)).one_or_none()


def list_versions(session: Session, name: str) -> list[str]:
    """The versions that a home has published of a template, or of an overlay, by its name; in the home's scope."""
    named = func.coalesce(Definition.document["overlay"].astext, Definition.document["id"].astext)
    return list(session.scalars(select(Definition.version).where(named == name)))


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
    return Offered(template, find_overlay(session, organisation_id, template))


def find_overlay(session: Session, organisation_id: UUID, template_digest: str) -> str | None:
    """The overlay upon a published template that the organisation published last; in its scope."""
    own = select(TemplateVersion.digest).where(TemplateVersion.organisation_id == organisation_id)
    newest = own.order_by(TemplateVersion.published_at.desc(), TemplateVersion.digest)
    upon = TemplateVersion.document["base"]["digest"].astext == template_digest
    return session.scalars(newest.where(TemplateVersion.kind == "overlay", upon).limit(1)).one_or_none()


@dataclass(frozen=True, slots=True)
class PublishedVersion:
    """One version of a template that its organisation has published."""

    digest: str
    version: str
    title: str
    published_at: datetime


def list_published(session: Session, organisation_id: UUID, template_id: str) -> list[PublishedVersion]:
    """The versions of one template, the last published first; in the organisation's scope."""
    columns = (TemplateVersion.digest, TemplateVersion.version, TemplateVersion.title, TemplateVersion.published_at)
    query = select(*columns).where(
        TemplateVersion.organisation_id == organisation_id,
        TemplateVersion.template_id == template_id,
        TemplateVersion.kind == "template",
    )
    newest = query.order_by(TemplateVersion.published_at.desc(), TemplateVersion.digest)
    return [PublishedVersion(*row) for row in session.execute(newest.limit(MOST_VERSIONS))]


def list_versions_beside(session: Session, organisation_id: UUID, digest: str) -> list[PublishedVersion]:
    """All versions of the template with that address. Raises TemplateMissing: an overlay has no page of its own."""
    template_id = str((find_published(session, digest) or {}).get("id", ""))
    versions = list_published(session, organisation_id, template_id)
    if not any(each.digest == digest for each in versions):
        raise TemplateMissing(NO_SUCH)
    return versions


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A template of a catalogue: its newest version, how many there are, and the newest overlay on it."""

    template_id: str
    newest: PublishedVersion
    versions: int
    overlay: PublishedVersion | None


def list_catalogue(session: Session, organisation_id: UUID) -> list[CatalogueEntry]:
    """What the organisation has published, by template, the last published first; in its scope."""
    columns = (TemplateVersion.digest, TemplateVersion.version, TemplateVersion.title, TemplateVersion.published_at)
    named = select(TemplateVersion.template_id, TemplateVersion.kind, *columns)
    own = named.where(TemplateVersion.organisation_id == organisation_id)
    found: dict[str, dict[str, list[PublishedVersion]]] = {}
    for row in session.execute(own.order_by(TemplateVersion.published_at.desc(), TemplateVersion.digest)):
        version = PublishedVersion(row.digest, row.version, row.title, row.published_at)
        found.setdefault(row.template_id, {}).setdefault(row.kind, []).append(version)
    return [
        CatalogueEntry(
            template_id=template_id,
            newest=kinds["template"][0],
            versions=len(kinds["template"]),
            overlay=next(iter(kinds.get("overlay", ())), None),
        )
        for template_id, kinds in found.items()
        if "template" in kinds
    ]


def list_pinned(session: Session, template_id: str) -> list[PinnedDocument]:
    """The documents of one template that the tenant has pinned, the last first; in the tenant's scope."""
    query = select(Definition).where(Definition.template_id == template_id).order_by(Definition.pinned_at.desc())
    return [
        PinnedDocument(digest=row.digest, title=row.title, document=row.document, origins=row.origins)
        for row in session.scalars(query.limit(MOST_VERSIONS))
    ]


def get_pinned(session: Session, digest: str) -> PinnedDocument:
    """A pinned document; in the tenant's scope. Raises TemplateMissing."""
    row = session.get(Definition, digest)
    if row is None:
        raise TemplateMissing(f"This workspace has pinned no template with the address {digest}.")
    return PinnedDocument(digest=row.digest, title=row.title, document=row.document, origins=row.origins)
