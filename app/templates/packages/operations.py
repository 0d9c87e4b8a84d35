"""Drafts, publishes and retires packages in a partner's home. Its copy in `control` follows as a template's does."""

from __future__ import annotations

from typing import Any
from uuid import uuid5

import msgspec

from app.access.permissions import Permission
from app.access.require import require
from app.audit.operations.documents import drop_document, keep_document
from app.audit.queries.documents import find_document
from app.kernel.errors import Conflict
from app.kernel.work import Work
from app.templates.authoring.versions import check_next
from app.templates.events import VersionPublished
from app.templates.models import Definition
from app.templates.packages.document import Content, Package, said
from app.templates.packages.events import PackageDrafted, PackageRetired
from app.templates.packages.queries import (
    DRAFT,
    NO_SUCH,
    STATE,
    PackageMissing,
    find_draft,
    list_releases,
)
from app.web.translations import mark

_MOVED = mark("Somebody has changed this draft meanwhile. Look at it as it is now, then change it.")


class DraftMoved(Conflict):
    """Somebody else has changed the draft since it was read."""


class PackageTaken(Conflict):
    """There is a package of that id already."""


def begin_draft(work: Work, content: Content) -> str:
    """Begin a package. Returns its id. Raises NotPermitted, PackageTaken."""
    require(work, Permission.TEMPLATE_PUBLISH)
    if find_draft(work.session, content.package) or list_releases(work.session, content.package):
        raise PackageTaken(mark("There is a package of this name already. Choose another short name."))
    _keep(work, content)
    return content.package


def revise(work: Work, package_id: str) -> str:
    """Begin a draft of what is published, or go on with the one that there is. Raises NotPermitted, PackageMissing."""
    require(work, Permission.TEMPLATE_PUBLISH)
    if find_draft(work.session, package_id) is None:
        releases = list_releases(work.session, package_id)
        if not releases:
            raise PackageMissing(NO_SUCH)
        _keep(work, without_parts(releases[0].package.content))
    return package_id


def save_draft(work: Work, content: Content, *, seen: int) -> str:
    """Keep what a draft says now, upon the version that was read. Raises NotPermitted, PackageMissing, DraftMoved."""
    require(work, Permission.TEMPLATE_PUBLISH)
    kept = find_document(work.session, DRAFT, content.package, lock=True)
    if kept is None:
        raise PackageMissing(NO_SUCH)
    if kept.version != seen:
        raise DraftMoved(_MOVED)
    _keep(work, content)
    return content.package


def publish_package(work: Work, package: Package, *, seen: int = 0) -> str:
    """Publish a checked package; its draft is done. Returns its content address; repeatable.

    `seen` is the version of the draft that it was made of, 0 for a package that nobody has drafted here. Raises
    NotPermitted, VersionTaken, DraftMoved.
    """
    require(work, Permission.TEMPLATE_PUBLISH)
    if work.session.get(Definition, package.digest) is not None:
        return package.digest
    kept = find_document(work.session, DRAFT, package.id, lock=True)
    if (kept.version if kept else 0) != seen:
        raise DraftMoved(_MOVED)
    content = package.content
    check_next(content.version, [each.package.content.version for each in list_releases(work.session, package.id)])
    row = Definition(
        digest=package.digest,
        template_id=content.template,
        version=content.version,
        title=said(content.title, "en"),
        document=dict(package.document),
        origins={},
        pinned_at=work.now,
    )
    work.session.add(row)
    _tell_state(work, package.id, retired=False)
    drop_document(work, DRAFT, package.id)
    published = VersionPublished(
        subject_id=uuid5(work.tenant.id, package.digest),
        kind="package",
        template=content.template,
        version=content.version,
        digest=package.digest,
    )
    work.announce(published)
    return package.digest


def retire_package(work: Work, package_id: str) -> str:
    """Sell it no more; what was sold goes on. Publishing another version sells it again.

    Raises NotPermitted, PackageMissing.
    """
    require(work, Permission.TEMPLATE_PUBLISH)
    if not list_releases(work.session, package_id):
        raise PackageMissing(NO_SUCH)
    _tell_state(work, package_id, retired=True)
    work.record(PackageRetired(subject_id=uuid5(work.tenant.id, f"package:{package_id}"), package=package_id))
    return package_id


def without_parts(content: Content) -> Content:
    """What a draft of it holds: the choices, without what the library made of them."""
    plain: dict[str, Any] = msgspec.to_builtins(content)
    kept = {name: plain[name] for name in Content.__struct_fields__ if name in plain}
    for holder in (kept, *kept.get("add_ons", ())):
        for addition in holder.get("adds", ()):
            addition.pop("brings", None)
    return msgspec.convert(kept, Content)


def _tell_state(work: Work, package_id: str, *, retired: bool) -> None:
    keep_document(work, STATE, package_id, {"retired": retired})


def _keep(work: Work, content: Content) -> None:
    version = keep_document(work, DRAFT, content.package, msgspec.to_builtins(content))
    subject = uuid5(work.tenant.id, f"package:{content.package}")
    work.record(PackageDrafted(subject_id=subject, package=content.package, version=version))
