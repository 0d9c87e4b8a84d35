"""Holds a tenant still while its rows are read in several transactions: it does no work, and none is still under way.

The state in the cell is what `cell.enter()` tells every transaction that begins. So after the state is committed it is
enough to wait for the transactions that had begun before, as PostgreSQL itself does to build an index concurrently.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from tenants.engines import Databases
from tenants.moving.portable import READER
from tenants.sessions import dispatcher_session, partner_session, registry_session
from tenants.tenant import Tenant

_PAUSE = 0.02  # seconds between two looks


class StillWorking(Exception):
    """Transactions that began before the tenant was frozen have not ended in time. It stays frozen; try again."""


def move_state(databases: Databases, tenant: Tenant, *, before: Sequence[str], after: str) -> bool:
    """Bring a tenant from one of these states into another: the cell first, which sessions obey, then the directory.

    Repeatable. Returns whether the cell's state is `after` now. A tenant that two people agreed to erase stays still.
    """
    with partner_session(databases, tenant.organisation_id, actor="registry") as (session, _now):
        if session.execute(_AGREED, {"id": tenant.id}).first() is not None:
            return False
    with registry_session(databases, tenant.cell, actor="registry") as (session, _now):
        session.execute(_MOVE_CELL, {"id": tenant.id, "before": list(before), "after": after})
        state = read_state(session, tenant.id)
    if state == after:
        with partner_session(databases, tenant.organisation_id, actor="registry") as (session, _now):
            session.execute(_MOVE_CONTROL, {"id": tenant.id, "before": list(before), "after": after})
    return state == after


def read_state(session: Session, tenant_id: UUID) -> str | None:
    """The cell's state of a tenant; in the registry's or the dispatcher's scope."""
    return session.execute(text("SELECT state FROM cell.tenant WHERE id = :id"), {"id": tenant_id}).scalar_one_or_none()


def await_idle(databases: Databases, tenant: Tenant, *, seconds: float) -> bool:
    """Give jobs that are running the time to end by themselves. Returns whether they did."""
    limit = time.monotonic() + seconds
    while _running(databases, tenant):
        if time.monotonic() > limit:
            return False
        time.sleep(_PAUSE)
    return True


def await_writers(databases: Databases, tenant: Tenant, *, seconds: float) -> None:
    """Wait until every transaction has ended that may have entered the tenant before now. Raises StillWorking."""
    roles = [databases.key.roles.gateway(tenant.gateway), databases.key.roles.dispatcher]
    limit = time.monotonic() + seconds
    waiting = _open_transactions(databases, tenant, roles)
    while waiting:
        if time.monotonic() > limit:
            raise StillWorking
        time.sleep(_PAUSE)
        waiting &= _open_transactions(databases, tenant, roles)


def _running(databases: Databases, tenant: Tenant) -> bool:
    with dispatcher_session(databases, tenant.cell, actor="freezing") as (session, _now):
        return bool(session.execute(_RUNNING, {"id": tenant.id}).scalar_one())


def _open_transactions(databases: Databases, tenant: Tenant, roles: list[str]) -> set[Any]:
    """Each look is a transaction of its own: the list of sessions is kept for the length of one."""
    with registry_session(databases, tenant.cell, actor="freezing") as (session, _now):
        return set(session.execute(_OPEN, {"roles": roles, "reader": READER}).scalars())


_AGREED = text("SELECT 1 FROM control.erasure WHERE tenant_id = :id AND state IN ('approved', 'shredded')")
_MOVE_CELL = text(
    "UPDATE cell.tenant SET state = :after, changed_at = now() WHERE id = :id AND state = ANY(CAST(:before AS text[]))"
)
_MOVE_CONTROL = text("UPDATE control.tenant SET state = :after WHERE id = :id AND state = ANY(CAST(:before AS text[]))")
_RUNNING = text("SELECT EXISTS (SELECT FROM cell.job WHERE tenant_id = :id AND state = 'running')")
# A transaction has its virtual id from its BEGIN on. Those that hold the reader's lock write nothing.
_OPEN = text("""
    SELECT l.virtualtransaction FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'virtualxid' AND l.mode = 'ExclusiveLock' AND a.datname = current_database()
      AND a.usename = ANY(CAST(:roles AS text[])) AND NOT EXISTS (
        SELECT FROM pg_locks r WHERE r.pid = l.pid AND r.locktype = 'advisory' AND r.classid = 0
          AND r.objid = CAST(:reader AS oid))
""")
