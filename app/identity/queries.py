"""Reads about people and how they are signed in; each is one call of a lookup function in `control`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.identity.rules import SESSION_IDLE, token_digest
from app.identity.step_up.rules import is_stepped_up
from app.kernel.actor import Actor
from app.web.hosts import Site
from app.web.visit import Visit
from tenants.engines import Databases
from tenants.sessions import lookup_session
from tenants.tenant import Tenant


@dataclass(frozen=True, slots=True)
class Person:
    """A human being, as far as a mail to them needs it."""

    id: UUID
    email: str
    name: str
    locale: str


@dataclass(frozen=True, slots=True)
class Assigned:
    """A role held in an organisation."""

    organisation_id: UUID
    role: str


@dataclass(frozen=True, slots=True)
class Workspace:
    """A tenant that a person is a member of."""

    tenant_id: UUID
    name: str
    kind: str


_VISIT = text("SELECT * FROM control.find_visit(:token, :organisation, :tenant, :idle)")
_READ_LINK = text("SELECT * FROM control.read_link(:token, :organisation)")
_ASSIGNMENTS = text("SELECT * FROM control.list_assignments(:person, :organisation)")
_READER = text("SELECT * FROM control.find_reader(:person)")
_MEMBERSHIPS = text("SELECT * FROM control.list_memberships(:person, :organisation)")


def find_visit(databases: Databases, site: Site, session_token: str, tenant_id: UUID | None) -> Visit | None:
    """Who holds this session on this site and, if asked, the tenant: None in it when they have nothing to do with it.

    The roles are those held in the tenant's organisation (the site's where no tenant is asked for) or above it, read
    now: what was taken away a moment ago is gone. One round trip. Raises DatabaseAway.
    """
    values = {"token": token_digest(session_token), "organisation": site.organisation_id}
    with lookup_session(databases) as (session, _now):
        row = session.execute(_VISIT, values | {"tenant": tenant_id, "idle": SESSION_IDLE}).one_or_none()
    if row is None:
        return None
    stepped_up = is_stepped_up(row.proof, enrolled=row.enrolled, staff=bool(row.roles))
    return replace(visit_from(row, site, stepped_up=stepped_up), proof=row.proof, reach=row.reach_tenant_id)


def visit_from(row: Any, site: Site, *, stepped_up: bool) -> Visit:
    """The visit in a row of what a token says: who holds it, with the roles that count now, and the tenant."""
    organisation_id = (row.tenant_organisation or site.organisation_id) if row.roles else None
    actor = Actor(
        "person",
        row.person_id,
        row.name,
        organisation_id=organisation_id,
        roles=frozenset(row.roles),
        groups=frozenset(row.groups),
        stepped_up=stepped_up,
    )
    tenant = row.tenant_id and Tenant(
        id=row.tenant_id,
        organisation_id=row.tenant_organisation,
        kind=row.kind,
        name=row.tenant_name,
        cell=row.cell_name,
        schema=row.schema_name,
        role=row.role_name,
        gateway=row.gateway,
        state=row.state,
    )
    return Visit(actor=actor, email=row.email, locale=row.locale, tenant=tenant)


def find_link_address(databases: Databases, site: Site, link_token: str) -> str | None:
    """The address a usable link was mailed to. Looking never uses it up."""
    values = {"token": token_digest(link_token), "organisation": site.organisation_id}
    with lookup_session(databases) as (session, _now):
        row = session.execute(_READ_LINK, values).one_or_none()
    return row.email if row else None


def list_assignments(session: Session, person_id: UUID, organisation_id: UUID) -> list[Assigned]:
    """Roles of a person that count in the organisation: held there or in one above it; nearest first. Lookup scope."""
    rows = session.execute(_ASSIGNMENTS, {"person": person_id, "organisation": organisation_id})
    return [Assigned(*row) for row in rows]


def list_workspaces(databases: Databases, person_id: UUID, organisation_id: UUID) -> list[Workspace]:
    """Active tenants of the organisation that the person is a member of: for lists, the member row decides."""
    with lookup_session(databases) as (session, _now):
        rows = session.execute(_MEMBERSHIPS, {"person": person_id, "organisation": organisation_id})
        return [Workspace(*row) for row in rows]


def find_reader(databases: Databases, person_id: UUID) -> Person | None:
    """A person by id, to write them a letter; None for one who is not known any more."""
    with lookup_session(databases) as (session, _now):
        row = session.execute(_READER, {"person": person_id}).one_or_none()
    return Person(*row) if row else None
