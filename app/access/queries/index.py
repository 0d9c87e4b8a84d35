"""Reads the index of delegations: "my tenants", a page at a time. For lists only: no decision ever asks it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType
from sqlalchemy import ColumnElement, Select, and_, func, select, text, tuple_

from app.access.models import DelegationIndex
from app.access.permissions import Permission
from app.access.policy.delegations import ANSWERED_WITHIN, NOTICES
from app.access.require import require
from app.access.rights import AtWork, staff_rights
from app.kernel.actor import Actor
from app.kernel.paging import USUAL, CursorKey, Listing, Position, make_cursor, page_limit, read_cursor
from app.kernel.runtime import Runtime
from tenants.models import TenantEntry
from tenants.sessions import lookup_session, partner_session

Wanted = Literal["open", "requested", "expiring", "over"]
_GONE = ("exporting", "shredded", "dropped")


class IndexQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which part of the list: access that is open, asked for, about to end, or over; by the beginning of a name."""

    state: Annotated[Wanted, Meta(description="Open access, unless another part of the list is asked for.")] = "open"
    q: Annotated[str, Meta(max_length=120, description="How the customer's name begins.", examples=["acme"])] = ""
    cursor: (
        Annotated[str, Meta(min_length=1, max_length=4096, description="`next` of the page before.")] | UnsetType
    ) = UNSET
    limit: Annotated[int, Meta(ge=1, le=200, description="How many, 1 to 200.")] = USUAL


class IndexLine(Struct, frozen=True):
    """One delegation of one of the partner's customers."""

    id: UUID
    tenant_id: UUID
    tenant_name: str
    organisation_id: UUID
    kind: str
    state: str
    roles: list[str]
    reason: str
    starts_at: datetime
    ends_at: datetime


class IndexPage(Struct, frozen=True):
    """A page of the list, by the customers' names; `next` leads on."""

    items: list[IndexLine]
    next: str | None


def list_index(runtime: Runtime, actor: Actor, asked: IndexQuery) -> IndexPage:
    """One page of the organisation's access to customers, and of those below it, in one query.

    Raises NotPermitted, LimitOutOfRange, CursorForeign, CursorExpired.
    """
    require(AtWork(staff_rights(actor), actor), Permission.TENANT_READ)
    organisation_id, key, limit = (
        actor.organisation_id or UUID(int=0),
        runtime.service(CursorKey).value,
        page_limit(asked.limit),
    )
    listing = Listing("delegations", filters=(("scope", str(organisation_id)), ("state", asked.state), ("q", asked.q)))
    with partner_session(runtime.databases, organisation_id, actor=actor.label) as (session, now):
        query = _filtered(asked, now)
        if asked.cursor is not UNSET:
            place = read_cursor(key, listing, str(asked.cursor), now=now)
            query = query.where(tuple_(_NAME, DelegationIndex.id) > tuple_(str(place.sort[0]), place.id))
        rows = session.execute(query.order_by(_NAME, DelegationIndex.id).limit(limit + 1)).all()
        behind = None
        if len(rows) > limit:
            last = rows[limit - 1]
            behind = make_cursor(key, listing, Position((last.sort,), last[0].id), now=now)
    return IndexPage([_line(row[0], row.name, now) for row in rows[:limit]], behind)


_NAME = func.lower(TenantEntry.name).collate("C")  # the same order on every server, whatever its language


def _filtered(asked: IndexQuery, now: datetime) -> Select[DelegationIndex, str, str]:
    query = (
        select(DelegationIndex, TenantEntry.name, _NAME.label("sort"))
        .join(TenantEntry, TenantEntry.id == DelegationIndex.tenant_id)
        .where(TenantEntry.state.not_in(_GONE), _of_state(asked.state, now))
    )
    if asked.q.strip():
        query = query.where(func.lower(TenantEntry.name).startswith(asked.q.strip().lower(), autoescape=True))
    return query


def _of_state(state: Wanted, now: datetime) -> ColumnElement[bool]:
    """What the words mean at this moment: the index holds what was decided, the clock says what holds still."""
    line = DelegationIndex
    still = and_(line.state == "active", line.ends_at > now)
    waiting = and_(line.state == "requested", line.requested_at > now - ANSWERED_WITHIN)
    soon = line.ends_at <= now + timedelta(days=max(NOTICES))
    parts = {"open": still, "requested": waiting, "expiring": and_(still, soon), "over": ~(still | waiting)}
    return parts[state]


def _line(row: DelegationIndex, name: str, now: datetime) -> IndexLine:
    over = (row.state == "active" and row.ends_at <= now) or (
        row.state == "requested" and row.requested_at is not None and row.requested_at + ANSWERED_WITHIN <= now
    )
    return IndexLine(
        id=row.id,
        tenant_id=row.tenant_id,
        tenant_name=name,
        organisation_id=row.organisation_id,
        kind=row.kind,
        state="expired" if over else row.state,
        roles=list(row.roles),
        reason=row.reason,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
    )


def name_all(runtime: Runtime, ids: set[UUID]) -> dict[UUID, str]:
    """What the organisations are called: a tenant knows them by id alone."""
    with lookup_session(runtime.databases) as (session, _now):
        return {row.id: row.name for row in session.execute(_NAMES, {"ids": sorted(ids)})}


_NAMES = text("SELECT * FROM control.name_organisations(CAST(:ids AS uuid[]))")
