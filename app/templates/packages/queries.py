"""Reads packages: drafts and published versions in a partner's home, copies in `control`, how many have them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.audit.queries.documents import Kept, find_document, list_documents
from app.kernel.errors import Missing
from app.templates.models import Definition
from app.templates.packages.document import PACKAGE_ID, Content, Package, read_content, read_package
from app.templates.packages.matching import Offer
from app.web.translations import mark
from tenants.models import TenantEntry

DRAFT, STATE = "package.draft", "package.state"  # kinds of records in a home
NO_SUCH = mark("There is no such package. It may have been mistyped.")


class PackageMissing(Missing):
    """The home has neither published nor drafted a package of that name."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A package under way; `version` grows with each change."""

    content: Content
    version: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Release:
    """A published version of a package."""

    package: Package
    published_at: datetime


def list_releases(session: Session, package_id: str | None = None) -> list[Release]:
    """Published versions of one package or of all, the last first; in the home's scope."""
    if package_id is not None and not re.fullmatch(PACKAGE_ID, package_id):
        return []
    named = Definition.document["package"].astext
    query = select(Definition).where(named == package_id if package_id else named.is_not(None))
    rows = session.scalars(query.order_by(Definition.pinned_at.desc(), Definition.digest))
    return [Release(read_package(row.document), row.pinned_at) for row in rows]


def list_offers(session: Session) -> list[Offer]:
    """The newest version of each package of the home, also of those that are not sold any more."""
    retired = list_retired(session)
    newest: dict[str, Package] = {}
    for each in list_releases(session):
        newest.setdefault(each.package.id, each.package)
    return [Offer(package, package.id in retired) for package in newest.values()]


def list_retired(session: Session) -> frozenset[str]:
    """The packages that are not sold any more, by id."""
    return frozenset(each.key for each in list_documents(session, STATE) if each.body["retired"])


def list_drafts(session: Session) -> list[Draft]:
    """Every package under way, the last changed first; in the home's scope."""
    kept = list_documents(session, DRAFT)
    return [_draft(each) for each in sorted(kept, key=lambda each: each.changed_at, reverse=True)]


def find_draft(session: Session, package_id: str) -> Draft | None:
    """The package under way of that id; in the home's scope."""
    kept = find_document(session, DRAFT, package_id) if re.fullmatch(PACKAGE_ID, package_id) else None
    return _draft(kept) if kept else None


def get_draft(session: Session, package_id: str) -> Draft:
    """The same. Raises PackageMissing."""
    draft = find_draft(session, package_id)
    if draft is None:
        raise PackageMissing(NO_SUCH)
    return draft


def find_template(session: Session, digest: str) -> str | None:
    """The id of the template that a home has published under that address."""
    return session.scalars(select(Definition.template_id).where(Definition.digest == digest)).one_or_none()


def count_sold(session: Session, organisation_id: UUID) -> Mapping[str, int]:
    """How many customers' workspaces were made with each package; in the organisation's scope, in `control`."""
    sold = (TenantEntry.organisation_id == organisation_id, TenantEntry.kind == "customer")
    living = TenantEntry.state.not_in(("shredded", "dropped"))
    query = select(TenantEntry.service_package, func.count()).where(*sold, living)
    rows = session.execute(query.group_by(TenantEntry.service_package))
    return {name: count for name, count in rows if name is not None}


def _draft(kept: Kept) -> Draft:
    return Draft(read_content(kept.body), kept.version, kept.changed_at)
