"""The only file that makes a Session. A transaction has exactly one scope, sent with its BEGIN, local to it (DESIGN 4).

lookup: `control` before a tenant is known, functions only · partner: `control` under RLS by organisation ·
tenant: a NOLOGIN role in the cell · dispatcher and registry: the cell's shared tables, for platform jobs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.errors import IdleInTransactionSessionTimeout as SilentTooLong
from sqlalchemy import Connection, Engine, RootTransaction
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.orm import Session
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from tenants.engines import CellEngines, CellUnknown, Databases, ScopedCursor, note_schema
from tenants.line import line_of
from tenants.schema.head import outdated_revisions
from tenants.tenant import Tenant

# Whoever says nothing for as long as a job's first lease is stopped or gone: what they hold, others are waiting for.
_LIMITS = (
    "SET LOCAL statement_timeout = '5s'; SET LOCAL lock_timeout = '3s';"
    " SET LOCAL idle_in_transaction_session_timeout = '15s'; SET LOCAL app.actor = {actor}"
)
# The start owes nothing to whoever had the connection before: what a careless or hostile `SET` without LOCAL left in
# the server process, and cursors held open over a COMMIT, go first (5 us; pinned by tests/integration/tenants/attacks).
_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; RESET ALL; CLOSE ALL"
# Named one by one, so that a function which says more than this build knows is no surprise to it.
_ENTER = "SELECT tenant_id, state, database_now, business_now, revision FROM cell.enter()"
_TENANT_SCOPE = f"SET LOCAL ROLE {{role}}; SET LOCAL search_path = {{schema}}; {_ENTER}"
# What functions keep are plans for any value: a plan for the one at hand would be made five times before one is kept.
_KEEP_PLANS = "SET LOCAL plan_cache_mode = force_generic_plan"
_TENANT = f"{_BEGIN}; SET LOCAL ROLE {{role}}; SET LOCAL search_path = {{schema}}; {_LIMITS}; {_KEEP_PLANS}; {_ENTER}"
_ACTIVATE = "SET LOCAL ROLE {role}; SET LOCAL search_path = cell; SELECT cell.activate({tenant})"
_ORGANISATION = "SET LOCAL search_path = control; SET LOCAL app.organisation = {organisation}"
_PARTNER = f"{_BEGIN}; SET LOCAL ROLE {{role}}; {_ORGANISATION}; {_LIMITS}; SELECT now()"
_FOUNDER = (
    f"{_BEGIN}; SET LOCAL ROLE {{role}}; SET LOCAL search_path = cell; {_LIMITS};"
    " SELECT * FROM cell.claim({tenant}, {kind}, {weight}, {limits}, {revision}, {gateway}, {organisation})"
)
_PLAIN = f"{_BEGIN}; SET LOCAL ROLE NONE; SET LOCAL search_path = {{schema}}; {_LIMITS}; SELECT now()"
# Who waits in a queue was not there when its table was last counted: the first are found where they stand in its index,
# and not by gathering and sorting all. Otherwise handing out a job costs what all that wait cost.
_IN_ORDER = "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off"
_QUEUES = f"{_BEGIN}; SET LOCAL ROLE NONE; SET LOCAL search_path = {{schema}}; {_LIMITS}; {_IN_ORDER}; SELECT now()"
_AWAY = "The database cannot be reached right now."
_BUSY = "Somebody else is changing the same thing at this moment."
_UNCHANGED = "Nothing was changed; try again."
_UNCERTAIN = "Look whether your change was saved before you try again."  # a COMMIT whose answer is lost


class DatabaseAway(Exception):
    """PostgreSQL cannot be reached or is too busy to answer in time; the text says whether anything was changed."""

    @classmethod
    def after(cls, error: Exception, certain: str) -> DatabaseAway:
        """What a driver's error means to the user. A lock that did not come is no outage."""
        busy = isinstance(getattr(error, "orig", error), psycopg.errors.LockNotAvailable | psycopg.errors.QueryCanceled)
        return cls(f"{_BUSY} {_UNCHANGED}" if busy else f"{_AWAY} {certain}")


class ScopeMismatch(Exception):
    """The role that was entered is not the tenant that was meant. Nothing was read."""


class TenantOutdated(Exception):
    """The tenant's schema is older than this build can work with. Nothing was read; the fleet will get there."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a transaction starts with, as one string of quoted identifiers and literals, and whose schema it meets."""

    begin: str
    schema: str = ""


@dataclass(frozen=True, slots=True)
class Entered:
    """What the database said when the tenant's scope was entered."""

    tenant_id: UUID
    state: str
    database_now: datetime
    business_now: datetime
    revision: str


def tenant_scope(tenant: Tenant, actor: str) -> Scope:
    """The scope of one tenant: its role, its schema, the limits and who acts."""
    return _tenant_scope(tenant.role, tenant.schema, actor)


@lru_cache(maxsize=1024)  # to quote costs more than to begin
def _tenant_scope(role: str, schema: str, actor: str) -> Scope:
    named = {"role": sql.Identifier(role), "schema": sql.Identifier(schema), "actor": sql.Literal(actor)}
    return Scope(sql.SQL(_TENANT).format(**named).as_string(None), schema)


def partner_scope(role: str, organisation_id: UUID, actor: str) -> Scope:
    """The scope of an organisation and all below it."""
    text = sql.SQL(_PARTNER).format(
        role=sql.Identifier(role), organisation=sql.Literal(str(organisation_id)), actor=sql.Literal(actor)
    )
    return Scope(text.as_string(None))


def plain_scope(schema: str, actor: str) -> Scope:
    """The scope of a login role that needs no other role: lookups, dispatcher, registry."""
    return Scope(sql.SQL(_PLAIN).format(schema=sql.Identifier(schema), actor=sql.Literal(actor)).as_string(None))


def queue_scope(actor: str) -> Scope:
    """The scope of who moves what waits in a cell: a plain one, whose queries go by the indexes."""
    return Scope(sql.SQL(_QUEUES).format(schema=sql.Identifier("cell"), actor=sql.Literal(actor)).as_string(None))


@dataclass(frozen=True, slots=True)
class Founding:
    """What the cell is told of a tenant that is to be made. `gateway`: the bucket whose free slot it gets."""

    tenant_id: UUID
    kind: str
    weight: int
    limits: dict[str, Any]
    revision: str
    gateway: int
    organisation_id: UUID


@dataclass(frozen=True, slots=True)
class Claimed:
    """The place a tenant was given; `state` is active where it was finished before."""

    schema: str
    role: str
    gateway: int
    state: str


def founding_scope(role: str, wanted: Founding, actor: str) -> Scope:
    """The scope in which a tenant gets its place; the tenant's own scope follows in the same transaction."""
    text = sql.SQL(_FOUNDER).format(
        role=sql.Identifier(role),
        tenant=sql.Literal(str(wanted.tenant_id)),
        kind=sql.Literal(wanted.kind),
        weight=sql.Literal(wanted.weight),
        limits=sql.Literal(json.dumps(wanted.limits)),
        revision=sql.Literal(wanted.revision),
        gateway=sql.Literal(wanted.gateway),
        organisation=sql.Literal(str(wanted.organisation_id)),
        actor=sql.Literal(actor),
    )
    return Scope(text.as_string(None))


@contextmanager
def founding_session(
    databases: Databases, cell: str, wanted: Founding, *, actor: str
) -> Iterator[tuple[Session, Claimed, Entered | None] | None]:
    """One transaction in which a tenant gets its place, is filled in its own scope and becomes active: all or nothing.

    Gives None where the gateway has no slot that can be entered, and no `Entered` where the place is of another gateway
    (it was claimed before) or already active: then there is nothing to fill. Raises DatabaseAway.
    """
    founder = databases.key.roles.founder
    scope = founding_scope(founder, wanted, actor)
    try:
        with _opened(_engines(databases, cell).gateways[wanted.gateway], scope) as (session, found):
            if found is None or found[0] is None:
                yield None
                return
            claimed = Claimed(*found)
            if claimed.gateway != wanted.gateway or claimed.state != "seeding":
                yield session, claimed, None
                return
            note_schema(session.connection().info, claimed.schema)
            row = _enter_claimed(session, claimed)
            yield session, claimed, Entered(*row)
            session.flush()
            _say(session, _then(_ACTIVATE, role=founder, tenant=wanted.tenant_id))
    except _TooFresh:
        yield None


class _TooFresh(Exception):
    """The slot is seen, and that its gateway may enter it is not."""


def _enter_claimed(session: Session, claimed: Claimed) -> Any:
    """A commit shows its rows a moment before it tells other server processes that memberships have changed.

    Who claims a slot within that moment is refused its role: rolled back, it is as if the slot were not there yet.
    """
    try:
        return _say(session, _then(_TENANT_SCOPE, role=claimed.role, schema=claimed.schema))
    except psycopg.errors.InsufficientPrivilege as error:
        raise _TooFresh from error


@contextmanager
def tenant_session(databases: Databases, tenant: Tenant, *, actor: str) -> Iterator[tuple[Session, Entered]]:
    """One transaction as the tenant's role. Commits at the end, rolls back on any exception.

    Raises DatabaseAway, TenantOutdated, and ScopeMismatch when the directory's role is not this tenant's.
    """
    engine = _engines(databases, tenant.cell).gateways[tenant.gateway]
    with _opened(engine, tenant_scope(tenant, actor)) as (session, row):
        yield session, _entered(tenant, row)


@contextmanager
def tenant_cursor(databases: Databases, tenant: Tenant, *, actor: str) -> Iterator[tuple[psycopg.Cursor[Any], Entered]]:
    """The same transaction without the ORM, for the budgeted reads (DESIGN 3: one colour).

    The caller looks at the tenant's state itself: nothing here knows which states may read.
    """
    engine = _engines(databases, tenant.cell).gateways[tenant.gateway]
    certain = _UNCHANGED
    try:
        pooled, cursor = _entered_cursor(engine, tenant_scope(tenant, actor))
        try:
            note_schema(pooled.info, tenant.schema)
            yield cursor, _entered(tenant, cursor.fetchone())
            certain = _UNCERTAIN
            cursor.connection.execute("COMMIT")
        except (psycopg.OperationalError, SilentTooLong):
            pooled.invalidate()
            raise
        finally:
            pooled.close()  # back to the pool, which rolls back what is still open
    except (psycopg.OperationalError, SilentTooLong, PoolExhausted) as error:
        raise DatabaseAway.after(error, certain) from error


@contextmanager
def partner_session(databases: Databases, organisation_id: UUID, *, actor: str) -> Iterator[tuple[Session, datetime]]:
    """One transaction in `control`, seeing the rows of the organisation and of those below it."""
    scope = partner_scope(databases.key.roles.partner, organisation_id, actor)
    with _opened(databases.control, scope) as (session, row):
        yield session, row[0]


@contextmanager
def lookup_session(databases: Databases, *, actor: str = "lookup") -> Iterator[tuple[Session, datetime]]:
    """One transaction in `control` that may call lookup functions and nothing else."""
    with _opened(databases.control, plain_scope("control", actor)) as (session, row):
        yield session, row[0]


@contextmanager
def dispatcher_session(databases: Databases, cell: str, *, actor: str) -> Iterator[tuple[Session, datetime]]:
    """One transaction over the cell's jobs, timers and outbox."""
    with _opened(_engines(databases, cell).dispatcher, queue_scope(actor)) as (session, row):
        yield session, row[0]


@contextmanager
def registry_session(databases: Databases, cell: str, *, actor: str) -> Iterator[tuple[Session, datetime]]:
    """One transaction over the cell's slots and tenant states."""
    with _opened(_engines(databases, cell).registry, plain_scope("cell", actor)) as (session, row):
        yield session, row[0]


def _engines(databases: Databases, cell: str) -> CellEngines:
    try:
        return databases.cell(cell)
    except CellUnknown as error:
        raise DatabaseAway(f"{error} {_UNCHANGED}") from error


def _then(statements: str, **names: object) -> bytes:
    """What the connection is told next in its transaction; roles and schemas are names, everything else a value."""
    parts = {
        key: sql.Identifier(str(value)) if key in {"role", "schema"} else sql.Literal(str(value))
        for key, value in names.items()
    }
    return sql.SQL(statements).format(**parts).as_string(None).encode()


def _say(session: Session, statements: bytes) -> Any:
    """Several statements in one message; gives the row of the last one."""
    return line_of(session.connection()).say(statements)


def _entered(tenant: Tenant, row: tuple[Any, ...] | None) -> Entered:
    """What the scope's last statement said, if it is this tenant and this build can work with its schema."""
    entered = Entered(*row) if row else None
    if entered is None or entered.tenant_id != tenant.id:
        raise ScopeMismatch(f"role {tenant.role} belongs to another tenant than {tenant.id}")
    if entered.revision in outdated_revisions():
        raise TenantOutdated(f"the schema of tenant {tenant.id} is at revision {entered.revision}")
    return entered


@contextmanager
def _opened(engine: Engine, scope: Scope) -> Iterator[tuple[Session, Any]]:
    certain = _UNCHANGED
    try:
        connection, transaction = _entered_connection(engine, scope)
        with connection, transaction:
            with Session(connection, expire_on_commit=False) as session:
                yield session, connection.info["entered"]
                session.flush()
            certain = _UNCERTAIN
    except (OperationalError, InterfaceError, psycopg.OperationalError, SilentTooLong, PoolExhausted) as error:
        raise DatabaseAway.after(error, certain) from error
    except DBAPIError as error:
        if isinstance(error.orig, SilentTooLong):
            raise DatabaseAway.after(error, certain) from error
        if certain == _UNCERTAIN and error.orig is not None:
            raise error.orig from error  # of the last statement, which the driver itself sends with the COMMIT
        raise


def _entered_connection(engine: Engine, scope: Scope) -> tuple[Connection, RootTransaction]:
    """A connection in its scope. A restarted server has left every pooled connection dead, so each may fail once.

    The session joins this transaction: one that began its own would cost a third of a millisecond more.
    """
    stale = _pooled(engine)
    while True:
        connection = engine.connect()
        try:
            return connection, connection.execution_options(scope=scope).begin()
        except psycopg.OperationalError:  # from a BEGIN; a connect that fails comes wrapped and is final
            connection.close()
            if not stale:
                raise
            stale -= 1
        except BaseException:  # whatever went wrong, also an interrupt: the connection goes back
            connection.close()
            raise


def _entered_cursor(engine: Engine, scope: Scope) -> tuple[PoolProxiedConnection, psycopg.Cursor[Any]]:
    """The same without the ORM: a connection and the cursor that holds what the scope's last statement said."""
    stale = _pooled(engine)
    while True:
        pooled = engine.raw_connection()
        driver: psycopg.Connection[Any] = pooled.driver_connection  # type: ignore[assignment]  # psycopg's own
        try:
            cursor = ScopedCursor(driver).begin(scope.begin)
        except psycopg.OperationalError:
            pooled.invalidate()
            if not stale:
                raise
            stale -= 1
        except BaseException:  # whatever went wrong, also an interrupt: the connection goes back
            pooled.close()
            raise
        else:
            return pooled, cursor


def _pooled(engine: Engine) -> int:
    return engine.pool.size() if isinstance(engine.pool, QueuePool) else 0
