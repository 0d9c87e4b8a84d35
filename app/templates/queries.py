"""Reads published versions in `control` and pinned documents in a tenant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.kernel.errors import Missing
from app.templates.lines.queries import Offered, current_lines, find_published
from app.templates.models import Definition, TemplateVersion
from app.web.translations import mark

NO_SUCH = mark("No template of yours has this address. It may have been mistyped.")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")
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
    pinned_at: datetime


def get_published(session: Session, digest: str) -> Mapping[str, Any]:
    """A published document of the organisation by its content address; in its scope. Raises TemplateMissing."""
    document = find_published(session, digest)
    if document is None:
        raise TemplateMissing(f"No published template has the address {digest}.")
    return document


def list_versions(session: Session, name: str) -> list[str]:
    """The versions that a home has published of a template, or of an overlay, by its name; in the home's scope."""
    named = func.coalesce(Definition.document["overlay"].astext, Definition.document["id"].astext)
    return list(session.scalars(select(Definition.version).where(named == name)))


def find_named(session: Session, name: str, version: str) -> str | None:
    """The address of what a home has published under a name and number, or None; in the home's scope."""
    named = func.coalesce(Definition.document["overlay"].astext, Definition.document["id"].astext)
    return session.scalars(select(Definition.digest).where(named == name, Definition.version == version)).first()


def check_name(template_id: str) -> None:
    """Raises TemplateMissing for what is no template's name: no database is asked for it."""
    if not _NAME.fullmatch(template_id):
        raise TemplateMissing(NO_SUCH)


@dataclass(frozen=True, slots=True)
class Named:
    """One version that a home has: an overlay by its own name, a template by its id."""

    digest: str
    name: str
    version: str
    is_overlay: bool
    publisher: str | None


def list_named(session: Session, template_id: str) -> list[Named]:
    """Every version of a line that a home has, published here or taken over; in the home's scope."""
    overlay, own = Definition.document["overlay"].astext, Definition.document["id"].astext
    found = select(Definition.digest, overlay, own, Definition.version, Definition.origins["publisher"].astext)
    rows = session.execute(found.where(Definition.template_id == template_id, func.coalesce(overlay, own).is_not(None)))
    return [
        Named(digest, named or itself, version, named is not None, by) for digest, named, itself, version, by in rows
    ]


def list_grounds(session: Session, template_id: str) -> list[str]:
    """The addresses of what a home's own overlays of a template can stand on, the last first; in the home's scope.

    Its versions, and what was taken over from others: not what came only as the ground of somebody's overlay.
    """
    itself = Definition.document["id"].astext == template_id
    taken_over = Definition.origins.has_key("publisher") & Definition.origins.has_key("result")
    found = select(Definition.digest).where(Definition.template_id == template_id, itself | taken_over)
    found = found.where(~Definition.origins.has_key("part")).order_by(Definition.pinned_at.desc(), Definition.digest)
    return list(session.scalars(found.limit(MOST_VERSIONS)))


def list_publishers(session: Session, template_id: str) -> dict[str, str]:
    """Who published what a home took over from others, by its address; in the home's scope."""
    publisher = Definition.origins["publisher"].astext
    found = select(Definition.digest, publisher).where(Definition.template_id == template_id, publisher.is_not(None))
    return {digest: str(name) for digest, name in session.execute(found)}


def name_versions(session: Session, template_id: str) -> dict[str, str]:
    """What each published version of a line is called, by its address: id and number; in the home's scope."""
    named = func.coalesce(Definition.document["overlay"].astext, Definition.document["id"].astext)
    found = select(Definition.digest, named, Definition.version).where(Definition.template_id == template_id)
    return {digest: f"{name} {version}" for digest, name, version in session.execute(found)}


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
    """A template of a catalogue: the version on offer with its overlay, how many there are, and a newer that waits."""

    template_id: str
    newest: PublishedVersion
    versions: int
    overlay: PublishedVersion | None
    waiting: PublishedVersion | None


def list_catalogue(session: Session, organisation_id: UUID) -> list[CatalogueEntry]:
    """What the organisation has published, by template, the last published first; in its scope."""
    columns = (TemplateVersion.digest, TemplateVersion.version, TemplateVersion.title, TemplateVersion.published_at)
    own = select(TemplateVersion.template_id, TemplateVersion.kind, *columns).where(
        TemplateVersion.organisation_id == organisation_id
    )
    templates: dict[str, list[PublishedVersion]] = {}
    overlays: dict[str, PublishedVersion] = {}
    for row in session.execute(own.order_by(TemplateVersion.published_at.desc(), TemplateVersion.digest)):
        version = PublishedVersion(row.digest, row.version, row.title, row.published_at)
        if row.kind == "template":
            templates.setdefault(row.template_id, []).append(version)
        else:
            overlays[row.digest] = version
    lines = current_lines(session)
    return [_entry(template_id, found, lines.get(template_id), overlays) for template_id, found in templates.items()]


def _entry(
    template_id: str,
    found: list[PublishedVersion],
    line: Offered | None,
    overlays: Mapping[str, PublishedVersion],
) -> CatalogueEntry:
    """What is offered stands for the template; a newer version that waits for the overlay's upgrade is told beside."""
    offered = next((each for each in found if line and each.digest == line.template_digest), found[0])
    return CatalogueEntry(
        template_id=template_id,
        newest=offered,
        versions=len(found),
        overlay=overlays.get(line.overlay_digest or "") if line else None,
        waiting=found[0] if found[0].digest != offered.digest else None,
    )


def list_pinned(session: Session, template_id: str) -> list[PinnedDocument]:
    """The documents of one template that the tenant has pinned, the last first; in the tenant's scope."""
    query = select(Definition).where(Definition.template_id == template_id, ~Definition.document.has_key("package"))
    query = query.order_by(Definition.pinned_at.desc())
    return [_pinned(row) for row in session.scalars(query.limit(MOST_VERSIONS))]


def get_pinned(session: Session, digest: str) -> PinnedDocument:
    """A pinned document; in the tenant's scope. Raises TemplateMissing."""
    row = session.get(Definition, digest)
    if row is None:
        raise TemplateMissing(f"This workspace has pinned no template with the address {digest}.")
    return _pinned(row)


def _pinned(row: Definition) -> PinnedDocument:
    return PinnedDocument(row.digest, row.title, row.document, row.origins, row.pinned_at)
