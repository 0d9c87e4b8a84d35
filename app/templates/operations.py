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
from app.kernel.errors import Conflict
from app.kernel.events import plain
from app.kernel.runtime import Runtime
from app.kernel.work import Work
from app.templates.authoring.versions import check_next
from app.templates.events import VersionPublished
from app.templates.language import Template
from app.templates.lines.chains import Chain, ChainBroken, find_beneath, find_chain
from app.templates.lines.operations import follow, hold
from app.templates.lines.queries import home_shelves, published_shelves
from app.templates.models import Definition, TemplateVersion
from app.templates.overlay import Effective, Overlay
from app.templates.queries import PinnedDocument, TemplateMissing, find_named, get_pinned, list_named, list_versions
from tenants.sessions import partner_session
from tenants.tenant import Tenant

SYSTEM_ONLY = {
    "copy_to_control": "called by the job that follows a publication",
    "effective_document": "called by the job that starts an onboarding",
    "pin": "called by the job that starts an onboarding",
}


class AdoptionRefused(Conflict):
    """What is to be taken over is nothing, or has the name and number of something else."""


def publish(work: Work, version: Template | Overlay) -> str:
    """Publish a checked template or overlay in the partner's home, and offer it. Returns its address; repeatable.

    Raises NotPermitted, VersionTaken, ChainBroken and TemplateRefused for an overlay without what it stands on.
    """
    chain = bring_out(work, version)
    if chain is not None:
        follow(work, chain, "published")
    return version.digest


def bring_out(work: Work, version: Template | Overlay) -> Chain | None:
    """Publish without offering it: what is offered is another decision. None where it was published before.

    Raises as `publish`.
    """
    require(work, Permission.TEMPLATE_PUBLISH)
    if work.session.get(Definition, version.digest) is not None:
        return None
    _check_new(work, version)
    chain = _stood_up(work, version)
    _store(work, version, chain, {})
    return chain


def adopt(work: Work, versions: Sequence[Template | Overlay], *, publisher: str) -> str:
    """Take over what somebody else has published: a template and the overlays upon it, the lowest first. Repeatable.

    The partner's own adaptation stays what it offers until it is upgraded. Returns the uppermost address. Raises
    NotPermitted, ChainBroken, TemplateRefused, and AdoptionRefused for a version that exists with other content.
    """
    require(work, Permission.TEMPLATE_PUBLISH)
    chain = None
    if versions and isinstance(versions[0], Template):
        hold(work, versions[0].id)
    for version in versions:
        _check_same(work, version)
        chain = _stood_up(work, version, inside=True)
        _take_over(work, version, chain, publisher, whole=version is versions[-1])
    if chain is None:
        raise AdoptionRefused("There is nothing in it to take over.")
    follow(work, chain, "adopted")
    return versions[-1].digest


def copy_to_control(runtime: Runtime, home: Tenant, event: dict[str, Any], published: PinnedDocument) -> None:
    """Put the immutable copy where every tenant's start can read it. Repeatable: the address is the key."""
    with partner_session(runtime.databases, home.organisation_id, actor="templates") as (session, _now):
        row = {
            "organisation_id": home.organisation_id,
            "digest": event["digest"],
            "kind": event["kind"],
            "template_id": event["template"],
            "version": event["version"],
            "title": published.title,
            "document": dict(published.document),
            "published_at": published.pinned_at,
            "template_digest": published.origins.get("template"),
            "below": published.origins.get("below"),
            "result": published.origins.get("result"),
        }
        wanted = insert(TemplateVersion).values(**row)
        # What a version stands on was not written down before there were lines; it follows from its content.
        known = {name: wanted.excluded[name] for name in ("template_digest", "below", "result")}
        key = ["organisation_id", "digest"]
        session.connection().execute(
            wanted.on_conflict_do_update(index_elements=key, set_=known, where=wanted.excluded.result.is_not(None))
        )


def effective_document(
    runtime: Runtime, organisation_id: UUID, *, template_digest: str, overlay_digest: str | None
) -> Effective:
    """The published template with the overlay and all that it stands on, read from `control` before any tenant's BEGIN.

    Raises TemplateMissing, and TemplateRefused where they do not fit.
    """
    with partner_session(runtime.databases, organisation_id, actor="templates") as (session, _now):
        try:
            chain = find_chain(published_shelves(session), overlay_digest or template_digest)
        except ChainBroken as error:
            raise TemplateMissing(error.message) from None
    if chain.template.digest != template_digest:
        raise TemplateMissing(f"The overlay {overlay_digest} does not stand on {template_digest}.")
    return chain.effective()


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


def _check_new(work: Work, version: Template | Overlay) -> None:
    """Whether it may be the next of its line. Raises VersionTaken, and AdoptionRefused for somebody else's template."""
    document = version.document
    line = str(document["base"]["id"] if isinstance(version, Overlay) else document["id"])
    hold(work, line)
    theirs = {each.publisher for each in list_named(work.session, line) if each.publisher and not each.is_overlay}
    if theirs and isinstance(version, Template):
        raise AdoptionRefused(f"“{line}” came from {', '.join(sorted(filter(None, theirs)))}. Adapt it by an overlay.")
    check_next(str(document["version"]), list_versions(work.session, str(document.get("overlay") or line)))


def _check_same(work: Work, version: Template | Overlay) -> None:
    name = str(version.document["overlay" if isinstance(version, Overlay) else "id"])
    number = str(version.document["version"])
    if find_named(work.session, name, number) not in {None, version.digest}:
        raise AdoptionRefused(f"“{name}” {number} is published here already, with other content.")


def _stood_up(work: Work, version: Template | Overlay, *, inside: bool = False) -> Chain:
    """The version upon what it was written for. Raises ChainBroken.

    What was taken over only as the ground of somebody's overlay is no ground for another one: that would be a way
    around what the overlay locks.
    """
    if isinstance(version, Template):
        return Chain(version)
    below = find_beneath(home_shelves(work.session), version.written_for)
    top = work.session.get_one(Definition, below.versions[-1].digest)
    if top.origins.get("part") and not inside:
        raise ChainBroken(f"“{top.title}” came from {top.origins['publisher']} with an adaptation; stand on that.")
    return Chain(below.template, (*below.overlays, version))


def _take_over(work: Work, version: Template | Overlay, chain: Chain, publisher: str, *, whole: bool) -> None:
    row = work.session.get(Definition, version.digest)
    if row is None:
        _store(work, version, chain, {"publisher": publisher} | ({} if whole else {"part": True}))
    elif whole and "part" in row.origins:
        row.origins = {name: value for name, value in row.origins.items() if name != "part"}


def _store(work: Work, version: Template | Overlay, chain: Chain, origins: dict[str, Any]) -> None:
    document = dict(version.document)
    kind = "overlay" if isinstance(version, Overlay) else "template"
    if kind == "overlay":
        below = chain.versions[-2].digest
        origins = {**origins, "template": chain.template.digest, "below": below, "result": chain.effective().digest}
    row = Definition(
        digest=version.digest,
        template_id=chain.template.id,
        version=str(document["version"]),
        title=_title(document),
        document=document,
        origins=origins,
        pinned_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    work.announce(
        VersionPublished(
            subject_id=uuid5(work.tenant.id, version.digest),
            kind=kind,
            template=row.template_id,
            version=row.version,
            digest=version.digest,
        )
    )


def _title(document: dict[str, Any]) -> str:
    title = document.get("title") or document.get("patch", {}).get("title") or {}
    return str(title.get("en") or next(iter(title.values()), document.get("overlay", "")))
