"""Reads connections: for sign-in by lookup functions, for the pages in the scope of the organisation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.identity.sso.models import SsoConnection, SsoDomain
from app.identity.sso.rules import Settings, domain_of
from tenants.engines import Databases
from tenants.models import TenantEntry
from tenants.sessions import lookup_session, partner_session

_FIND = text("SELECT * FROM control.find_sso_connection(:connection, :organisation)")
_BY_CLIENT = text("SELECT * FROM control.find_sso_by_client(:organisation, :issuer, :client)")
_OFFERS = text("SELECT * FROM control.list_sso_offers(:organisation, :domain)")


@dataclass(frozen=True, slots=True)
class Connection:
    """An active connection as sign-in needs it."""

    id: UUID
    organisation_id: UUID
    tenant_id: UUID
    staff: bool
    name: str
    issuer: str
    client_id: str
    has_secret: bool
    required: bool
    settings: Settings
    ceiling: frozenset[str]
    domains: frozenset[str]


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """A connection as its page shows it; `domains` says of each claim whether it counts."""

    id: UUID
    tenant_id: UUID
    name: str
    issuer: str
    client_id: str
    has_secret: bool
    state: str
    required: bool
    settings: Settings
    domains: dict[str, bool]
    tested: dict[str, Any] | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """A customer's claim of a mail domain that waits for the partner's word."""

    connection_id: UUID
    domain: str
    tenant_id: UUID
    tenant_name: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A provider that somebody may sign in with."""

    id: UUID
    name: str


def find_connection(databases: Databases, organisation_id: UUID, connection_id: UUID) -> Connection | None:
    """An active connection that signs in on the organisation's host."""
    values = {"connection": connection_id, "organisation": organisation_id}
    with lookup_session(databases) as (session, _now):
        row = session.execute(_FIND, values).one_or_none()
    return _connection(row) if row else None


def list_by_client(databases: Databases, organisation_id: UUID, issuer: str, client_id: str) -> list[Connection]:
    """Active connections of a host that are this client of this issuer."""
    values = {"organisation": organisation_id, "issuer": issuer, "client": client_id}
    with lookup_session(databases) as (session, _now):
        return [_connection(row) for row in session.execute(_BY_CLIENT, values)]


def list_staff_offers(databases: Databases, organisation_id: UUID) -> list[Offer]:
    """The providers of the organisation's own people: shown to everybody who comes to sign in."""
    return _offers(databases, organisation_id, None)


def list_domain_offers(databases: Databases, organisation_id: UUID, address: str) -> list[Offer]:
    """The providers for this address. Only its domain is looked at: who exists is not told."""
    return _offers(databases, organisation_id, domain_of(address))


def list_connections(databases: Databases, organisation_id: UUID, tenant_id: UUID) -> list[ConnectionView]:
    """Every connection of one tenant or home, oldest first."""
    with partner_session(databases, organisation_id, actor="identity.sso") as (session, _now):
        query = select(SsoConnection).where(SsoConnection.tenant_id == tenant_id).order_by(SsoConnection.id)
        return [_view(session, row) for row in session.scalars(query)]


def list_claims(databases: Databases, organisation_id: UUID) -> list[Claim]:
    """What customers of this organisation claim and nobody has confirmed; oldest first, at most 100."""
    query = (
        select(SsoDomain.connection_id, SsoDomain.domain, TenantEntry.id, TenantEntry.name)
        .join(SsoConnection, SsoConnection.id == SsoDomain.connection_id)
        .join(TenantEntry, TenantEntry.id == SsoConnection.tenant_id)
        .where(SsoDomain.organisation_id == organisation_id, SsoDomain.confirmed_at.is_(None))
        .order_by(SsoDomain.connection_id, SsoDomain.domain)
        .limit(100)
    )
    with partner_session(databases, organisation_id, actor="identity.sso") as (session, _now):
        return [Claim(*row) for row in session.execute(query)]


def _offers(databases: Databases, organisation_id: UUID, domain: str | None) -> list[Offer]:
    with lookup_session(databases) as (session, _now):
        rows = session.execute(_OFFERS, {"organisation": organisation_id, "domain": domain})
        return [Offer(row.id, row.name) for row in rows]


def _connection(row: Any) -> Connection:  # Any: a row of a function
    return Connection(
        id=row.id,
        organisation_id=row.organisation_id,
        tenant_id=row.tenant_id,
        staff=row.staff,
        name=row.name,
        issuer=row.issuer,
        client_id=row.client_id,
        has_secret=row.has_secret,
        required=row.required,
        settings=msgspec.convert(row.settings, Settings),
        ceiling=frozenset(row.ceiling),
        domains=frozenset(row.domains),
    )


def _view(session: Session, row: SsoConnection) -> ConnectionView:
    query = select(SsoDomain).where(SsoDomain.connection_id == row.id).order_by(SsoDomain.domain)
    return ConnectionView(
        id=row.id,
        tenant_id=row.tenant_id,
        name=row.name,
        issuer=row.issuer,
        client_id=row.client_id,
        has_secret=row.has_secret,
        state=row.state,
        required=row.required,
        settings=msgspec.convert(row.settings, Settings),
        domains={claim.domain: claim.confirmed_at is not None for claim in session.scalars(query)},
        tested=row.tested,
        changed_at=row.changed_at,
    )
