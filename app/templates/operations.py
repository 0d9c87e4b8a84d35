"""Publishes versions in a partner's home, copies them to `control` by content address, pins effective ones in tenants.

Flow "publish template" (DESIGN 4): the home's commit is the authority; the copy follows by job, at least once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy.dialects.postgresql import insert

from app.access.permissions import Permission
from app.access.require import require
from app.kernel.events import plain
from app.kernel.runtime import Runtime
from app.kernel.work import Work
from app.templates.authoring.versions import check_next
from app.templates.document import Source
from app.templates.events import VersionPublished
from app.templates.language import Template
from app.templates.models import Definition, TemplateVersion
from app.templates.overlay import Effective, Overlay, apply_overlays
from app.templates.overlays.checked import Checked
from app.templates.queries import get_pinned, get_published, list_versions
from tenants.sessions import partner_session
from tenants.tenant import Tenant

_CHECKED = Checked()  # what this process has instantiated before
SYSTEM_ONLY = {
    "copy_to_control": "called by the job that follows a publication",
    "effective_document": "called by the job that starts an onboarding",
    "pin": "called by the job that starts an onboarding",
}


def publish(work: Work, version: Template | Overlay) -> str:
    """Publish a checked template or overlay in the partner's home. Returns its content address; repeatable.

    Raises NotPermitted, VersionTaken.
    """
    require(work, Permission.TEMPLATE_PUBLISH)
    if work.session.get(Definition, version.digest) is not None:
        return version.digest
    document = dict(version.document)
    name = str(document["overlay"] if isinstance(version, Overlay) else document["id"])
    check_next(str(document["version"]), list_versions(work.session, name))
    kind = "overlay" if isinstance(version, Overlay) else "template"
    row = Definition(
        digest=version.digest,
        template_id=str(document["base"]["id"] if kind == "overlay" else document["id"]),
        version=str(document["version"]),
        title=_title(document),
        document=document,
        origins={},
        pinned_at=work.now,
    )
    work.session.add(row)
    work.announce(
        VersionPublished(
            subject_id=uuid5(work.tenant.id, version.digest),
            kind=kind,
            template=row.template_id,
            version=row.version,
            digest=version.digest,
        )
    )
    return version.digest


def adopt(work: Work, chain: Sequence[Template | Overlay], *, publisher: str) -> str:
    """Store versions that `publisher` made, as they are, and publish them here. Returns the last one's address.

    Repeatable: what is here already stays. Raises NotPermitted.
    """
    require(work, Permission.TEMPLATE_PUBLISH)
    for version in chain:
        if work.session.get(Definition, version.digest) is None:
            _keep(work, version, publisher=publisher)
    return chain[-1].digest


def _keep(work: Work, version: Template | Overlay, *, publisher: str) -> None:
    """One version as a row of the home, and word of it."""
    document = dict(version.document)
    kind = "overlay" if isinstance(version, Overlay) else "template"
    row = Definition(
        digest=version.digest,
        template_id=str(document["base"]["id"] if kind == "overlay" else document["id"]),
        version=str(document["version"]),
        title=_title(document),
        document=document,
        origins={"publisher": publisher},
        pinned_at=work.now,
    )
    work.session.add(row)
    work.announce(
        VersionPublished(
            subject_id=uuid5(work.tenant.id, version.digest),
            kind=kind,
            template=row.template_id,
            version=row.version,
            digest=version.digest,
        )
    )


def copy_to_control(runtime: Runtime, home: Tenant, event: dict[str, Any], document: dict[str, Any]) -> None:
    """Put the immutable copy where every tenant's start can read it. Repeatable: the address is the key."""
    with partner_session(runtime.databases, home.organisation_id, actor="templates") as (session, now):
        row = {
            "organisation_id": home.organisation_id,
            "digest": event["digest"],
            "kind": event["kind"],
            "template_id": event["template"],
            "version": event["version"],
            "title": _title(document),
            "document": document,
            "published_at": now,
        }
        session.connection().execute(insert(TemplateVersion).values(**row).on_conflict_do_nothing())


def effective_document(
    runtime: Runtime, organisation_id: UUID, *, template_digest: str, overlay_digest: str | None
) -> Effective:
    """The published template with its overlay applied, read from `control` before any tenant's transaction begins.

    Raises TemplateMissing, and TemplateRefused where the two do not fit.
    """
    with partner_session(runtime.databases, organisation_id, actor="templates") as (session, _now):
        base = get_published(session, template_digest)
        overlay = get_published(session, overlay_digest) if overlay_digest else None
    template = Template(base, template_digest, _source(base))
    overlays = [Overlay(overlay, overlay_digest, _source(overlay))] if overlay and overlay_digest else []
    return apply_overlays(template, overlays, checked=_CHECKED)


def pin(work: Work, effective: Effective) -> str:
    """Store the effective document in the tenant: running work never reads `control`. Returns its content address."""
    if work.session.get(Definition, effective.digest) is None:
        document = dict(effective.document)
        work.session.add(
            Definition(
                digest=effective.digest,
                template_id=str(document["id"]),
                version=str(document["version"]),
                title=_title(document),
                document=document,
                origins={path: plain(origin.id) for path, origin in effective.origin.items()},
                pinned_at=work.now,
            )
        )
        work.session.flush()
    return get_pinned(work.session, effective.digest).digest


def _title(document: dict[str, Any]) -> str:
    title = document.get("title") or document.get("patch", {}).get("title") or {}
    return str(title.get("en") or next(iter(title.values()), document.get("overlay", "")))


def _source(document: dict[str, Any]) -> Source:
    return Source(file="published", document=document, places={}, key_places={})
