"""Whether a package that `control` gave is what its publisher signed and the operator approved. Believes no row."""

from __future__ import annotations

from dataclasses import dataclass

from app.audit.note import NoteBroken, NoteKey, read_key
from app.kernel.errors import Conflict
from app.marketplace.queries.market import StoredPackage
from app.marketplace.rules import OFFERED
from app.marketplace.signing import is_countersigned
from app.templates.packing.reading import Package, PackageAltered, read_package
from app.web.translations import mark

_ALTERED = mark("This package is not what its publisher submitted. It is not installed; the operator can look into it.")
_NOT_REVIEWED = mark("This package is not the one that the operator has approved. It is not installed.")
_ENDED = mark("This version is not on offer any more, so it cannot be installed. Those who have it keep it.")


class NotOnOffer(Conflict):
    """It was withdrawn or taken down."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A version on offer whose package holds what it says, signed by whom it says."""

    stored: StoredPackage
    package: Package


def verify(stored: StoredPackage) -> Verified:
    """Check state, keys, addresses, signatures and soundness of what `control` gave; no database.

    Raises NotOnOffer, PackageAltered, PackageUnreadable, TemplateRefused.
    """
    if stored.state not in OFFERED:
        raise NotOnOffer(_ENDED)
    package = read_package(stored.package, trusted=_key(stored.key))
    if (package.template.id, version_of(package)) != (stored.template_id, stored.version):
        raise PackageAltered(_ALTERED)
    if stored.visibility == "public":
        word = stored.countersigned or ""
        operator = _key(stored.operator_key or "")
        if not is_countersigned(stored.version_id, stored.package, word, operator):
            raise PackageAltered(_NOT_REVIEWED)
    return Verified(stored, package)


def version_of(package: Package) -> str:
    """An adapted template is called by the version of its last adaptation."""
    return str(package.chain[-1].document["version"])


def _key(written: str) -> NoteKey:
    try:
        return read_key(written)
    except NoteBroken:
        raise PackageAltered(_ALTERED) from None
