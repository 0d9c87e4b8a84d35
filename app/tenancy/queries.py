"""Reads tenants of an organisation and of those below it, as software sees them. No tenant is opened for it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET
from sqlalchemy import Select, column, func, select, table, tuple_
from sqlalchemy.orm import Session

from app.access.permissions import Permission
from app.access.require import require
from app.kernel.actor import Actor
from app.kernel.errors import Invalid
from app.kernel.paging import CursorKey, Listing, Position, make_cursor, page_limit, read_cursor
from app.kernel.runtime import Runtime
from app.tenancy.rules import UNKNOWN, Staff, TenantUnknown, effective
from app.tenancy.schemas import TenantLinks, TenantOut, TenantPage, TenantQuery
from app.web.security import Front
from app.web.translations import mark
from tenants.models import Plan, TenantEntry
from tenants.sessions import partner_session


class OrganisationUnknown(Invalid):
    """There is no partner of that short name below yours."""


# Organisations and hosts are the partners' rows; by name, since their models are theirs alone.
_ORGANISATION = table("organisation", column("id"), column("slug"), column("kind"), schema="control")
_HOST = table("host", column("name"), column("organisation_id"), schema="control")


def scope_of(actor: Actor) -> UUID:
    """The organisation whose tenants the actor may see, with all below it. Raises TenantUnknown for who has none."""
    if actor.organisation_id is None:
        raise TenantUnknown(UNKNOWN)
    return actor.organisation_id


def read_tenant(runtime: Runtime, actor: Actor, tenant_id: UUID) -> TenantOut:
    """One tenant. Raises NotPermitted, TenantUnknown."""
    require(Staff.of(actor), Permission.TENANT_READ)
    with partner_session(runtime.databases, scope_of(actor), actor=actor.label) as (session, _now):
        return show(session, runtime.service(Front), tenant_id)


def list_tenants(runtime: Runtime, actor: Actor, asked: TenantQuery) -> TenantPage:
    """One page of tenants, the newest first, in one query. Raises NotPermitted, CursorForeign, CursorExpired."""
    require(Staff.of(actor), Permission.TENANT_READ)
    organisation_id, key = scope_of(actor), runtime.service(CursorKey).value
    limit, listing = page_limit(asked.limit), _listing(organisation_id, asked)
    with partner_session(runtime.databases, organisation_id, actor=actor.label) as (session, now):
        query = _filtered(_shown(), asked)
        if asked.cursor is not UNSET:
            place = read_cursor(key, listing, str(asked.cursor), now=now)
            at = datetime.fromisoformat(str(place.sort[0]))
            query = query.where(tuple_(TenantEntry.requested_at, TenantEntry.id) < tuple_(at, place.id))
        newest = query.order_by(TenantEntry.requested_at.desc(), TenantEntry.id.desc())
        rows = session.execute(newest.limit(limit + 1)).all()
        more, front = len(rows) > limit, runtime.service(Front)
        last = rows[limit - 1][0] if more else None
        behind = last and make_cursor(key, listing, Position((last.requested_at.isoformat(),), last.id), now=now)
        return TenantPage(items=[_out(front, *row) for row in rows[:limit]], next=behind)


def show(session: Session, front: Front, tenant_id: UUID) -> TenantOut:
    """One tenant, in the transaction of an organisation's scope. Raises TenantUnknown."""
    row = session.execute(_shown().where(TenantEntry.id == tenant_id)).one_or_none()
    if row is None:
        raise TenantUnknown(UNKNOWN)
    return _out(front, *row)


def find_entry(session: Session, tenant_id: UUID, *, lock: bool = False) -> TenantEntry:
    """The tenant's row as far as this organisation's scope sees it. Raises TenantUnknown."""
    query = select(TenantEntry).where(TenantEntry.id == tenant_id)
    entry = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if entry is None:
        raise TenantUnknown(UNKNOWN)
    return entry


def find_requested(session: Session, organisation_id: UUID, key: str) -> UUID | None:
    """The tenant that a request key stands for, in whatever state."""
    query = select(TenantEntry.id).where(TenantEntry.organisation_id == organisation_id, TenantEntry.request_key == key)
    return session.scalar(query)


def find_organisation(session: Session, organisation_id: UUID, slug: str | None) -> tuple[UUID, str]:
    """Id and kind of the partner of that short name below the organisation; without one, of the organisation itself.

    Raises OrganisationUnknown.
    """
    mine = _ORGANISATION.c.id == organisation_id if slug is None else _ORGANISATION.c.slug == slug
    row = session.execute(select(_ORGANISATION.c.id, _ORGANISATION.c.kind).where(mine)).one_or_none()
    if row is None:
        told = mark("There is no such partner below your organisation.")
        raise OrganisationUnknown(told, errors=[("/organisation", told)])
    return UUID(str(row.id)), str(row.kind)


def _shown() -> Select[Any]:
    """A tenant with all that its representation needs. The host is chosen as `control.find_main_host` does."""
    own = _HOST.c.name.like("%.localhost")
    host = (
        select(_HOST.c.name)
        .where(_HOST.c.organisation_id == TenantEntry.organisation_id)
        .order_by(own, func.length(_HOST.c.name), _HOST.c.name.collate("C"))
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(TenantEntry, Plan.limits, _ORGANISATION.c.slug, host)
        .join(_ORGANISATION, _ORGANISATION.c.id == TenantEntry.organisation_id)
        .outerjoin(Plan, Plan.key == TenantEntry.plan_key)
    )


def _filtered(query: Select[Any], asked: TenantQuery) -> Select[Any]:
    columns = {
        TenantEntry.kind: _kind(asked),
        TenantEntry.state: asked.state,
        TenantEntry.plan_key: asked.plan,
        TenantEntry.region: asked.region,
        TenantEntry.service_package: asked.service_package,
        TenantEntry.external_id: asked.external_id,
        _ORGANISATION.c.slug: asked.organisation,
    }
    query = query.where(*(name == value for name, value in columns.items() if value is not UNSET))
    return query if asked.q is UNSET else query.where(TenantEntry.name.icontains(asked.q, autoescape=True))


def _kind(asked: TenantQuery) -> Any:
    """Sandboxes and homes only for who asks for them, or for one by its own name."""
    return "customer" if asked.kind is UNSET and asked.external_id is UNSET else asked.kind


def _listing(organisation_id: UUID, asked: TenantQuery) -> Listing:
    """What a cursor belongs to: the reader's organisation and every filter; not the page's length."""
    filters = {name: str(value) for name, value in msgspec.to_builtins(asked).items() if name not in _OF_THE_PAGE}
    return Listing("tenants", filters=(("scope", str(organisation_id)), *filters.items()))


def _out(front: Front, entry: TenantEntry, plans: dict[str, int] | None, slug: str, host: str | None) -> TenantOut:
    api = f"/api/v1/tenants/{entry.id}"
    return TenantOut(
        id=entry.id,
        organisation=slug,
        name=entry.name,
        kind=entry.kind,  # type: ignore[arg-type]  # the column holds no other words
        state=entry.state,  # type: ignore[arg-type]  # likewise
        external_id=entry.external_id,
        plan=entry.plan_key,
        region=entry.region,
        service_package=entry.service_package,
        limits=entry.limits or {},
        effective_limits=effective(plans, entry.limits),
        requested_at=entry.requested_at,
        active_at=entry.active_at,
        links=TenantLinks(portal=front.url(host, f"/t/{entry.id}") if host else "", api=api),
    )


_OF_THE_PAGE = {"limit", "cursor"}
