"""The directory: which tenant lives where, who asked for it, and which host or hook leads to whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row
from sqlalchemy import text
from sqlalchemy.orm import Session

from tenants.metadata import control_function
from tenants.models import TenantEntry
from tenants.sessions import DatabaseAway
from tenants.tenant import Tenant

FIRST_CELL = "main"  # where requests of a build that knew one cell, and named none, are placed

_TENANT_COLUMNS = (
    "id uuid, organisation_id uuid, kind text, name text, cell_name text, schema_name text, role_name text,"
    " gateway int, state text"
)
_TENANT_SELECT = (
    "SELECT t.id, t.organisation_id, t.kind, t.name, t.cell_name, t.schema_name, t.role_name, t.gateway, t.state"
    " FROM control.tenant t"
)

control_function(
    "find_tenant",
    arguments="p_id uuid",
    returns=f"TABLE ({_TENANT_COLUMNS})",
    body=f"{_TENANT_SELECT} WHERE t.id = p_id AND t.schema_name IS NOT NULL",
)
control_function(
    "find_home",
    arguments="p_organisation uuid",
    returns=f"TABLE ({_TENANT_COLUMNS})",
    body=f"{_TENANT_SELECT} WHERE t.organisation_id = p_organisation AND t.kind = 'home' AND t.schema_name IS NOT NULL",
)
control_function(
    "find_hook",
    arguments="p_token_hash bytea",
    returns="TABLE (tenant_id uuid, source text, connection_id uuid)",
    body="SELECT h.tenant_id, h.source, h.connection_id FROM control.hook h WHERE h.token_hash = p_token_hash",
)
control_function(
    "find_host",
    arguments="p_name text",
    returns="TABLE (organisation_id uuid, kind text, slug text, name text, brand_version text, tokens jsonb)",
    body=(
        "SELECT o.id, o.kind, o.slug, o.name, b.version, b.tokens FROM control.host h"
        " JOIN control.organisation o ON o.id = h.organisation_id"
        " LEFT JOIN control.brand b ON b.organisation_id = o.id WHERE h.name = p_name AND o.state = 'active'"
    ),
)


@dataclass(frozen=True, slots=True)
class HostEntry:
    """Who answers on a host name, and in which brand."""

    organisation_id: UUID
    kind: str
    slug: str
    name: str
    brand_version: str | None
    tokens: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class HookEntry:
    """Whose webhook address it is, which system sends to it, and by which connection, if it has one of its own."""

    tenant_id: UUID
    source: str
    connection_id: UUID | None


def find_tenant(session: Session, tenant_id: UUID) -> Tenant | None:
    """The tenant of that id, once it has a place; in a lookup scope."""
    return _one_tenant(session, "SELECT * FROM control.find_tenant(:key)", tenant_id)


def find_home(session: Session, organisation_id: UUID) -> Tenant | None:
    """The home of an organisation; in a lookup scope."""
    return _one_tenant(session, "SELECT * FROM control.find_home(:key)", organisation_id)


def find_hook(session: Session, token_hash: bytes) -> HookEntry | None:
    """Where an opaque webhook token leads; in a lookup scope."""
    row = session.execute(text("SELECT * FROM control.find_hook(:token)"), {"token": token_hash}).one_or_none()
    return HookEntry(row.tenant_id, row.source, row.connection_id) if row else None


def find_host(session: Session, name: str) -> HostEntry | None:
    """Who answers on a host name; in a lookup scope."""
    row = session.execute(text("SELECT * FROM control.find_host(:name)"), {"name": name}).one_or_none()
    return HostEntry(*row) if row else None


def tenant_of(entry: TenantEntry) -> Tenant:
    """The tenant of a row of the directory; without a place where it has none yet, or no more."""
    return Tenant(
        id=entry.id,
        organisation_id=entry.organisation_id,
        kind=entry.kind,
        name=entry.name,
        cell=entry.cell_name or FIRST_CELL,
        schema=entry.schema_name or "",
        role=entry.role_name or "",
        gateway=entry.gateway or 0,
        state=entry.state,
    )


def _one_tenant(session: Session, statement: str, key: UUID) -> Tenant | None:
    row = session.execute(text(statement), {"key": key}).one_or_none()
    if row is None:
        return None
    return Tenant(
        id=row.id,
        organisation_id=row.organisation_id,
        kind=row.kind,
        name=row.name,
        cell=row.cell_name,
        schema=row.schema_name,
        role=row.role_name,
        gateway=row.gateway,
        state=row.state,
    )


# Page by page with the owner's login: for an operator's commands, never for a program's work.
_PAGE = """
    SELECT id, organisation_id, kind, name, cell_name AS cell, schema_name AS schema, role_name AS role, gateway, state
    FROM control.tenant
    WHERE schema_name IS NOT NULL AND id > %(after)s ORDER BY id LIMIT %(limit)s
"""
_START = UUID(int=0)
PAGE = 500


def all_tenants(control_url: str, *, page: int = PAGE) -> Iterator[Tenant]:
    """Every tenant that has a place, in any state, oldest first; one page at a time. Raises DatabaseAway."""
    last: UUID | None = _START
    with _owner(control_url) as connection, connection.cursor(row_factory=class_row(Tenant)) as cursor:
        while last is not None:
            found = cursor.execute(_PAGE, {"after": last, "limit": page}).fetchall()
            yield from found
            last = found[-1].id if found else None


def one_tenant(control_url: str, tenant_id: UUID) -> Tenant | None:
    """The tenant of that id, in any state, once it has a place. Raises DatabaseAway."""
    just_before = {"after": UUID(int=max(tenant_id.int - 1, 0)), "limit": 1}
    with _owner(control_url) as connection, connection.cursor(row_factory=class_row(Tenant)) as cursor:
        found = cursor.execute(_PAGE, just_before).fetchone()
    return found if found and found.id == tenant_id else None


def tenant_states(control_url: str) -> dict[UUID, str]:
    """The state of every tenant in the directory, also of those that have no place yet. Raises DatabaseAway."""
    with _owner(control_url) as connection:
        return dict(connection.execute("SELECT id, state FROM control.tenant").fetchall())


@contextmanager
def _owner(control_url: str) -> Iterator[psycopg.Connection[Any]]:
    try:
        with psycopg.connect(control_url, autocommit=True, connect_timeout=10) as connection:
            yield connection
    except psycopg.OperationalError as error:
        raise DatabaseAway(f"The database does not answer: {' '.join(str(error).split())}") from error
