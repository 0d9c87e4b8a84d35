"""What each door of the marketplace does first: who may come in, and the organisation's scope in `control`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Request

from app.access.decisions import can
from app.access.permissions import Permission
from app.access.require import require
from app.access.rights import AtWork, staff_rights
from app.audit.note import NoteKey
from app.audit.queries.documents import find_document
from app.kernel.errors import SlipwayError
from app.kernel.work import Work
from app.marketplace.checking.verifying import Verified, verify
from app.marketplace.operations.installing import TRUSTED, PublisherUnknown, import_package, install
from app.marketplace.queries.counting import REFUSED
from app.marketplace.queries.market import StoredPackage, get_package, read_listing
from app.templates.packing.reading import Package, read_package, read_signed
from app.web.begin import begin_work, home_of, runtime_of, site_of, visit_of
from tenants.sessions import partner_session

PageRequest = Request[Any, Any, Any]


def let_in(request: PageRequest, permission: Permission = Permission.TEMPLATE_READ) -> None:
    """Go on only for staff who may. Raises NotPermitted."""
    actor = visit_of(request).actor
    require(AtWork(staff_rights(actor), actor), permission)


def may(request: PageRequest, permission: Permission) -> bool:
    """Whether the reader may do it in their home: for pages that show only what can be done."""
    return can(staff_rights(visit_of(request).actor), permission)


def scope(request: PageRequest) -> Any:
    """One transaction in `control`, as the organisation whose host this is."""
    organisation_id = site_of(request).organisation_id
    return partner_session(runtime_of(request).databases, organisation_id, actor=visit_of(request).actor.label)


@dataclass(frozen=True, slots=True)
class Taking:
    """A version that is about to be installed; `trouble` is what stands against it, told once nobody did it before."""

    stored: StoredPackage
    known: frozenset[str]
    verified: Verified | None
    trouble: SlipwayError | None


def fetch(request: PageRequest, version_id: UUID) -> Taking:
    """A version that one may see, verified; outside of any transaction in the home. Raises ListingMissing."""
    with scope(request) as (session, _now):
        stored = get_package(session, version_id)
        known = frozenset(card.digest for card in read_listing(session, stored.listing_id))
    try:
        return Taking(stored, known, verify(stored), None)
    except SlipwayError as trouble:
        return Taking(stored, known, None, trouble)


def install_here(work: Work, taking: Taking) -> bool:
    """Install what was fetched; whether it is new here. Raises what `verify` and `install` do."""
    try:
        if taking.verified is None:
            assert taking.trouble is not None  # noqa: S101 - one of both
            raise taking.trouble
        return install(work, taking.verified, taking.known)
    except SlipwayError as trouble:
        REFUSED.labels(trouble.slug).inc()
        raise


def receive(request: PageRequest, raw: bytes) -> tuple[Package, Callable[[Work], bool]]:
    """A signed file of a publisher who is trusted here, and what takes it in.

    Raises PackageUnreadable, PackageAltered, PublisherUnknown, TemplateRefused.
    """
    _document, key = read_signed(raw)
    _require_trusted(request, key)
    package = read_package(raw, trusted=key)
    return package, lambda work: import_package(work, package)


def _require_trusted(request: PageRequest, key: NoteKey) -> None:
    """Before anything in the file is run: a package brings tests of its own. Raises PublisherUnknown."""
    with begin_work(request, home_of(request).id) as work:
        found = find_document(work.session, TRUSTED, key.fingerprint)
    if found is None or found.body["key"] != key.written:
        raise PublisherUnknown(key)
