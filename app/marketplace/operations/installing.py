"""What a partner does in its own home: take a version that is on offer, or a signed file of a publisher it trusts.

Everything is verified again here, whatever `control` holds: which key, every address, every byte, the operator's word.
Afterwards nothing depends on the publisher: template and adaptations are versions of the partner's own home.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final
from uuid import uuid5

from app.access.permissions import Permission
from app.access.require import require
from app.audit.note import NoteKey
from app.audit.operations.documents import add_document, keep_document
from app.audit.queries.documents import find_document
from app.kernel.errors import Conflict, Forbidden
from app.kernel.work import Work
from app.marketplace.checking.verifying import Verified, version_of
from app.marketplace.events import KeyTrusted, PackageImported, VersionInstalled
from app.marketplace.rules import require_forward
from app.templates.lines.operations import hold
from app.templates.operations import adopt
from app.templates.packing.reading import Package
from app.templates.queries import list_named
from app.web.translations import mark

INSTALLED: Final = "listing_install"  # of the home's documents: what was taken, by submission
SOURCE: Final = "template_source"  # where each template that others made came from, by its name
TRUSTED: Final = "publisher_key"  # whose files may be imported, by the key's fingerprint
_NAME = mark(
    "You have a template of this name that comes from elsewhere. Two sources under one name would be taken for versions"
    " of each other."
)
_OTHER = mark("You have this version already, with other content. A version never changes, so one of them is not true.")
_UNKNOWN = mark(
    "Whoever packed this is unknown here. Compare the fingerprint with your publisher by another way, by telephone for"
    " example. Trust the key if it is theirs, then import the file again."
)


class NameTaken(Conflict):
    """A template of that name is here and comes from elsewhere."""


class VersionDiffers(Conflict):
    """The same version is here with other content."""


class PublisherUnknown(Forbidden):
    """Nobody here has decided to trust the key."""

    def __init__(self, key: NoteKey) -> None:
        super().__init__(_UNKNOWN)
        self.key = key


def install(work: Work, verified: Verified, known: Collection[str]) -> bool:
    """Publish the package's versions in this home. Whether anything was new; again it is not.

    `known` are the addresses of the listing's templates, in every version. Raises NotPermitted, NameTaken,
    VersionDiffers, VersionBehind.
    """
    require(work, Permission.TEMPLATE_PUBLISH)
    stored, package = verified.stored, verified.package
    hold(work, package.template.id)  # as whoever publishes for it: what is looked at stays until the commit
    body = {"listing": str(stored.listing_id), "version": stored.version, "digest": package.address}
    own = stored.owner == work.tenant.organisation_id  # its home has had it all along
    if own or find_document(work.session, INSTALLED, str(stored.version_id)) is not None:
        return False
    _require_room(work, package, source=f"listing:{stored.listing_id}", known=known)
    adopt(work, package.chain, publisher=package.key.name)
    add_document(work, INSTALLED, str(stored.version_id), body)
    work.announce(
        VersionInstalled(
            subject_id=stored.version_id,
            listing_id=stored.listing_id,
            template=package.template.id,
            version=stored.version,
            publisher=package.key.name,
            key=package.key.fingerprint,
            digest=package.address,
            overlays=[each.digest for each in package.overlays],
        )
    )
    return True


def trust_key(work: Work, key: NoteKey) -> bool:
    """Decide that files signed with this key may be imported; whether that is new. Raises NotPermitted."""
    require(work, Permission.TEMPLATE_PUBLISH)
    body = {"publisher": key.name, "key": key.written, "by": work.actor.name, "at": work.now.isoformat()}
    new = add_document(work, TRUSTED, key.fingerprint, body)
    if new:
        work.record(KeyTrusted(subject_id=uuid5(work.tenant.id, key.written), publisher=key.name, key=key.fingerprint))
    return new


def import_package(work: Work, package: Package) -> bool:
    """Publish a signed file's versions in this home. Whether anything was new.

    Raises NotPermitted, PublisherUnknown, NameTaken, VersionDiffers, VersionBehind.
    """
    require(work, Permission.TEMPLATE_PUBLISH)
    trusted = find_document(work.session, TRUSTED, package.key.fingerprint)
    if trusted is None or trusted.body["key"] != package.key.written:
        raise PublisherUnknown(package.key)
    hold(work, package.template.id)
    here = {each.digest for each in list_named(work.session, package.template.id)}
    if all(each.digest in here for each in package.chain):
        return False
    _require_room(work, package, source=f"key:{package.key.fingerprint}", known=())
    adopt(work, package.chain, publisher=package.key.name)
    work.record(
        PackageImported(
            subject_id=uuid5(work.tenant.id, package.address),
            template=package.template.id,
            version=version_of(package),
            publisher=package.key.name,
            key=package.key.fingerprint,
            digest=package.address,
            overlays=[each.digest for each in package.overlays],
        )
    )
    return True


def _require_room(work: Work, package: Package, *, source: str, known: Collection[str]) -> None:
    """No second source under one name, no second content of one version, no way back."""
    template = package.template.id
    here = list_named(work.session, template)
    kept = find_document(work.session, SOURCE, template)
    if kept and kept.body["source"] != source:
        raise NameTaken(_NAME)
    came = {*known, *(each.digest for each in package.chain), *(kept.body["digests"] if kept else ())}
    if any(not each.is_overlay for each in here if each.digest not in came):
        raise NameTaken(_NAME)
    for version in package.chain:
        name, number = _named(version.document)
        if any(each.digest != version.digest for each in here if (each.name, each.version) == (name, number)):
            raise VersionDiffers(_OTHER)
        require_forward(number, [each.version for each in here if each.name == name])
    keep_document(work, SOURCE, template, {"source": source, "publisher": package.key.name, "digests": sorted(came)})


def _named(document: Any) -> tuple[str, str]:
    """What a version is called: an overlay by its own name."""
    return str(document.get("overlay") or document.get("id")), str(document["version"])
