"""The warm pool: schemas and roles made ahead in batches, claimed by updating a row. DDL never runs in a request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.orm import Session

from tenants.engines import Databases
from tenants.naming import RoleNames, new_schema_name
from tenants.schema.head import earlier_revisions, grants_sql, head_hash, head_sql, tenant_revision
from tenants.sessions import DatabaseAway, registry_session

BATCH = 25  # one commit, and so one invalidation of role memberships in every backend, per batch


@dataclass(frozen=True, slots=True)
class ClaimedSlot:
    """Where a new tenant lives."""

    schema: str
    role: str
    gateway: int


def make_slots(databases: Databases, cell: str, count: int, *, gateway: int | None = None, at_once: int = BATCH) -> int:
    """Make `count` free slots at the head revision, in batches, with the owner's login. Returns how many were made.

    They are spread over the gateways, unless one is named. `at_once` is how many a commit brings.
    """
    made = 0
    with _owner(databases, cell) as connection:
        while made < count:
            batch = min(at_once, count - made)
            with connection.transaction():
                first = _count_all(connection)  # slots made one by one spread over the gateways too
                buckets = [
                    number % len(databases.cell(cell).gateways) if gateway is None else gateway
                    for number in range(first, first + batch)
                ]
                roles = [_make_slot(connection, databases, bucket) for bucket in buckets]
                _join_app(connection, databases.key.roles, roles)
            made += batch
    return made


@dataclass(frozen=True, slots=True)
class Pool:
    """How many slots at the head revision can be claimed right now; whether there are some for `discard_stale`."""

    free: int
    stale: bool


def look_at_pool(databases: Databases, cell: str) -> Pool:
    """One query on a connection that is there already: the dispatcher looks every other second."""
    with registry_session(databases, cell, actor="pool") as (session, _now):
        free, stale = session.connection().exec_driver_sql(_POOL, _told()).one()
    return Pool(free=int(free), stale=bool(stale))


def count_free(databases: Databases, cell: str) -> int:
    """How many slots at the head revision can be claimed right now."""
    return look_at_pool(databases, cell).free


def discard_stale(databases: Databases, cell: str) -> int:
    """Drop free slots that this build cannot hand out: of an earlier revision, or made of something else at its own.

    Those of the last minutes stay, so that two builds side by side do not empty each other's pools; those of a newer
    build stay too. Returns how many.
    """
    dropped = 0
    with _owner(databases, cell) as connection:
        while (row := connection.execute(_RETIRE, _told()).fetchone()) is not None:
            drop_schema(connection, databases.key.roles, str(row[0]), str(row[1]))
            connection.execute("DELETE FROM cell.slot WHERE schema_name = %s", [row[0]])
            dropped += 1
    return dropped


def drop_slot(databases: Databases, cell: str, tenant_id: UUID) -> None:
    """Drop what a shredded tenant had in its cell: rows, schema, role, slot. Repeatable; its id is never used again.

    Tables go in small groups, each in a transaction of its own: a schema at once would take hundreds of locks. The lock
    is the fleet's: neither an upgrade nor a second round works on the schema meanwhile. Raises DatabaseAway, also when
    somebody still reads the tables.
    """
    with _owner(databases, cell) as connection:
        row = connection.execute(_SHREDDED_PLACE, [tenant_id]).fetchone()
        if row is None:
            return
        connection.execute("SELECT pg_advisory_lock(hashtextextended('slipway fleet ' || %s, 0))", [row[0]])
        row = connection.execute(_SHREDDED_PLACE, [tenant_id]).fetchone()
        if row is None:
            return
        schema, role = str(row[0]), str(row[1])
        drop_schema(connection, databases.key.roles, schema, role)
        with connection.transaction():  # rows last: a transaction that was under way has ended by now
            for table in _CELL_TABLES:
                rows = sql.SQL("DELETE FROM cell.{} WHERE tenant_id = %s").format(sql.Identifier(table))
                connection.execute(rows, [tenant_id])
            connection.execute("DELETE FROM cell.fleet_step WHERE schema_name = %s", [schema])
            connection.execute("DELETE FROM cell.slot WHERE schema_name = %s", [schema])
            connection.execute(_DROPPED, [tenant_id])


def drop_schema(connection: psycopg.Connection[Any], roles: RoleNames, schema: str, role: str) -> None:
    """Drop a schema and its role, whatever of them is still there. On a connection in autocommit, as the owner."""
    tables = [str(name) for (name,) in connection.execute(_TABLES, [schema])]
    for start in range(0, len(tables), _DROPPED_AT_ONCE):
        names = [sql.Identifier(schema, name) for name in tables[start : start + _DROPPED_AT_ONCE]]
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {} CASCADE").format(sql.SQL(", ").join(names)))
    connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
        connection.execute(sql.SQL("REVOKE {} FROM {}").format(sql.Identifier(roles.app), sql.Identifier(role)))
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


_STALE = """
    tenant_id IS NULL AND (state = 'retired' OR (state = 'free' AND made_at < now() - interval '10 minutes'
    AND (revision = ANY(%(earlier)s) OR (revision = %(revision)s AND head_hash <> %(made_of)s))))
"""
_POOL = f"""
    SELECT count(*) FILTER (WHERE state = 'free' AND revision = %(revision)s), COALESCE(bool_or({_STALE}), false)
    FROM cell.slot WHERE tenant_id IS NULL
"""
# One at a time: `retired` is claimed by nobody, and one that a killed process left so is dropped by the next round.
_RETIRE = f"""
    UPDATE cell.slot SET state = 'retired' WHERE schema_name = (
        SELECT schema_name FROM cell.slot
        WHERE {_STALE}
        ORDER BY made_at LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING schema_name, role_name
"""
_CELL_TABLES = ("outbox", "job", "timer", "inbox", "trail_mark", "trail_head", "listener", "partner_listener")
_DROPPED_AT_ONCE = 10
_SHREDDED_PLACE = (
    "SELECT s.schema_name, s.role_name FROM cell.slot s JOIN cell.tenant t ON t.id = s.tenant_id"
    " WHERE s.tenant_id = %s AND t.state = 'shredded'"
)
_DROPPED = "UPDATE cell.tenant SET state = 'dropped', limits = NULL, changed_at = now() WHERE id = %s"
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = %s"


def claim_slot(
    session: Session,
    tenant_id: UUID,
    *,
    kind: str = "customer",
    weight: int = 1,
    limits: Mapping[str, Any] = MappingProxyType({}),
    organisation_id: UUID | None = None,
) -> ClaimedSlot | None:
    """Give the tenant a slot of any gateway, or the one it already has, to be filled in later transactions.

    None when the pool is empty. In the registry's scope; the tenant stays `seeding` until `activate`.
    """
    told = {"kind": kind, "weight": weight, "limits": Jsonb(dict(limits)), "organisation": organisation_id}
    wanted = told | {"tenant": tenant_id, "revision": tenant_revision()}
    row = session.execute(_CLAIM, wanted).one()
    return None if row[0] is None else ClaimedSlot(schema=row[0], role=row[1], gateway=row[2])


def gateways_with_slots(session: Session) -> set[int]:
    """The gateways that have a free slot of this build's revision. In the registry's scope."""
    return set(session.scalars(_FREE_GATEWAYS, {"revision": tenant_revision()}))


def activate(session: Session, tenant_id: UUID) -> None:
    """A seeded tenant does work from now on; any other state stays as it is. In the registry's scope."""
    session.execute(_ACTIVATE, {"tenant": tenant_id})


_CLAIM = text("SELECT * FROM cell.claim(:tenant, :kind, :weight, :limits, :revision, NULL, :organisation)")
_FREE_GATEWAYS = text("SELECT DISTINCT gateway FROM cell.slot WHERE state = 'free' AND revision = :revision")
_ACTIVATE = text("SELECT cell.activate(:tenant)")


@contextmanager
def _owner(databases: Databases, cell: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection in autocommit with the owner's login, which waits for nobody long. Raises DatabaseAway."""
    url = databases.cell_urls.get(cell)
    if url is None:
        raise DatabaseAway(f"This program has no address for the cell {cell}. Nothing was changed.")
    try:
        options = {"prepare_threshold": None, "connect_timeout": 10, "autocommit": True}
        with psycopg.connect(url, **options) as connection:  # type: ignore[arg-type]  # psycopg's own keywords
            connection.execute("SET lock_timeout = '3s'")
            yield connection
    except psycopg.OperationalError as error:
        raise DatabaseAway.after(error, "Nothing is lost; it is tried again.") from error


def _told() -> dict[str, object]:
    return {"earlier": sorted(earlier_revisions()), "revision": tenant_revision(), "made_of": head_hash()}


def _count_all(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT count(*) FROM cell.slot").fetchone()
    return int(row[0]) if row else 0


def _join_app(connection: psycopg.Connection, roles: RoleNames, made: list[str]) -> None:
    """Give a batch, in one grant, the role that all tenants have.

    For each such grant PostgreSQL follows every role that the owner may grant, and that is one for every tenant.
    """
    members = sql.SQL(", ").join(map(sql.Identifier, made))
    connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(roles.app), members))


def _make_slot(connection: psycopg.Connection, databases: Databases, gateway: int) -> str:
    """Role, schema, tables and rights as one message: 20 ms of catalog work, one round trip. Returns the role."""
    roles = databases.key.roles
    schema = new_schema_name()
    role = roles.tenant(schema)
    start = sql.SQL(
        "CREATE ROLE {role} NOLOGIN ROLE {gateway}; CREATE SCHEMA {schema}; SET LOCAL search_path = {schema};"
    ).format(
        role=sql.Identifier(role),
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
    return role
