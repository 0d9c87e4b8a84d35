"""The warm pool: schemas and roles made ahead in batches, claimed by updating a row. DDL never runs in a request."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.orm import Session

from tenants.engines import Databases
from tenants.head import earlier_revisions, grants_sql, head_hash, head_sql, tenant_revision
from tenants.naming import new_schema_name

BATCH = 25  # one change of role memberships, and so one invalidation in every backend, per batch


@dataclass(frozen=True, slots=True)
class ClaimedSlot:
    """Where a new tenant lives."""

    schema: str
    role: str
    gateway: int


def make_slots(databases: Databases, cell: str, count: int) -> int:
    """Make `count` free slots at the head revision, in batches, with the owner's login. Returns how many were made."""
    made = 0
    with psycopg.connect(databases.cell_urls[cell]) as connection:
        while made < count:
            batch = min(BATCH, count - made)
            with connection.transaction():
                first = _count_all(connection)  # slots made one by one spread over the gateways too
                for number in range(first, first + batch):
                    _make_slot(connection, databases, cell, number)
            made += batch
    return made


def count_free(databases: Databases, cell: str) -> int:
    """How many slots at the head revision can be claimed right now."""
    with psycopg.connect(databases.cell_urls[cell], autocommit=True) as connection:
        row = connection.execute(
            "SELECT count(*) FROM cell.slot WHERE state = 'free' AND revision = %s", [tenant_revision()]
        ).fetchone()
    return int(row[0]) if row else 0


def discard_stale(databases: Databases, cell: str) -> int:
    """Drop free slots that this build cannot hand out: of an earlier revision, or made of something else at its own.

    Those of the last minutes stay, so that two builds side by side do not empty each other's pools; those of a newer
    build stay too. One transaction each: dropping a schema takes a lock for each of its tables. Returns how many.
    """
    stale = [sorted(earlier_revisions()), tenant_revision(), head_hash()]
    dropped = 0
    with psycopg.connect(databases.cell_urls[cell]) as connection:
        while True:
            with connection.transaction():
                row = connection.execute(_STALE, stale).fetchone()
                if row is None:
                    return dropped
                connection.execute("DELETE FROM cell.slot WHERE schema_name = %s", [row[0]])
                drop = sql.SQL("DROP SCHEMA {schema} CASCADE; DROP ROLE {role}")
                connection.execute(drop.format(schema=sql.Identifier(row[0]), role=sql.Identifier(row[1])))
            dropped += 1


def claim_slot(session: Session, tenant_id: UUID) -> ClaimedSlot | None:
    """Give the tenant a slot, or the one it already has. None when the pool is empty. In the registry's scope."""
    held = session.execute(
        text("SELECT schema_name, role_name, gateway FROM cell.slot WHERE tenant_id = :tenant"), {"tenant": tenant_id}
    ).one_or_none()
    row = held or session.execute(_CLAIM, {"tenant": tenant_id, "revision": tenant_revision()}).one_or_none()
    if row is None:
        return None
    session.execute(_STATE, {"tenant": tenant_id})
    return ClaimedSlot(schema=row[0], role=row[1], gateway=row[2])


def activate(session: Session, tenant_id: UUID) -> None:
    """A seeded tenant does work from now on; any other state stays as it is. In the registry's scope."""
    session.execute(_ACTIVATE, {"tenant": tenant_id})


_ACTIVATE = text("UPDATE cell.tenant SET state = 'active', changed_at = now() WHERE id = :tenant AND state = 'seeding'")
_STALE = """
    SELECT schema_name, role_name FROM cell.slot
    WHERE state = 'free' AND made_at < now() - interval '10 minutes'
    AND (revision = ANY(%s) OR (revision = %s AND head_hash <> %s))
    ORDER BY made_at LIMIT 1 FOR UPDATE SKIP LOCKED
"""
_CLAIM = text("""
    UPDATE cell.slot SET state = 'claimed', tenant_id = :tenant, claimed_at = now()
    WHERE schema_name = (
        SELECT schema_name FROM cell.slot WHERE state = 'free' AND revision = :revision
        ORDER BY made_at LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING schema_name, role_name, gateway
""")
_STATE = text("""
    INSERT INTO cell.tenant (id, state, changed_at) VALUES (:tenant, 'seeding', now()) ON CONFLICT (id) DO NOTHING
""")


def _count_all(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT count(*) FROM cell.slot").fetchone()
    return int(row[0]) if row else 0


def _make_slot(connection: psycopg.Connection, databases: Databases, cell: str, number: int) -> None:
    """Role, schema, tables and rights as one message: 20 ms of catalog work, one round trip."""
    roles = databases.key.roles
    schema = new_schema_name()
    role = roles.tenant(schema)
    gateway = number % len(databases.cells[cell].gateways)
    start = sql.SQL(
        "CREATE ROLE {role} NOLOGIN; GRANT {app} TO {role}; GRANT {role} TO {gateway}; CREATE SCHEMA {schema};"
        " SET LOCAL search_path = {schema};"
    ).format(
        role=sql.Identifier(role),
        app=sql.Identifier(roles.app),
        gateway=sql.Identifier(roles.gateway(gateway)),
        schema=sql.Identifier(schema),
    )
    slot = sql.SQL(
        "INSERT INTO cell.slot (schema_name, role_name, gateway, revision, state, made_at, head_hash)"
        " VALUES ({schema}, {role}, {gateway}, {revision}, 'free', now(), {made_of});"
    ).format(
        schema=sql.Literal(schema),
        role=sql.Literal(role),
        gateway=sql.Literal(gateway),
        revision=sql.Literal(tenant_revision()),
        made_of=sql.Literal(head_hash()),
    )
    script = "\n".join([start.as_string(None), head_sql(), grants_sql(role, schema), slot.as_string(None)])
    connection.execute(script.encode())
