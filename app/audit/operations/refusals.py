"""Refused requests in the trail, in a transaction of their own after the refused one has rolled back.

In the trail of the actor's own organisation: the first one at once, those that follow within `COUNTED` as one entry
with their number. In the trail of the workspace where it happened: one a minute for each actor and permission. So
whoever knocks ten thousand times leaves a handful of entries, and none of the knocks is forgotten.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import text

from app.audit.events import AccessRefused
from app.kernel.actor import Actor
from app.kernel.errors import SlipwayError
from app.kernel.runtime import Runtime
from app.kernel.work import Work, open_work
from tenants.registry import find_home
from tenants.sessions import DatabaseAway, lookup_session, tenant_cursor
from tenants.tenant import Tenant

log = structlog.get_logger(__name__)
ONCE: Final = timedelta(minutes=1)
COUNTED: Final = timedelta(minutes=10)
_MOST_KNOWN: Final = 10_000

SYSTEM_ONLY = {
    "note_refusal": "called when a request was refused: who was, has no right to ask for",
    "tell_count": "called by the job at the end of a window",
}


@dataclass(frozen=True, slots=True)
class Refused:
    """Who was refused what. `tenant` is the workspace that was asked for; None where the organisation itself was."""

    actor: Actor
    permission: str
    tenant: Tenant | None
    trace_id: str

    def key(self, where: UUID) -> str:
        """The row that counts it."""
        return f"{self.actor.id}:{self.permission}:{where}"


@dataclass(slots=True)
class Known:
    """What this process has told a moment ago, so that a flood does not ask the database each time."""

    until: dict[tuple[UUID, str], float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def has(self, tenant: Tenant, key: str) -> bool:
        """Whether the workspace's trail has it within this minute."""
        with self.lock:
            return self.until.get((tenant.id, key), 0.0) > time.monotonic()

    def add(self, tenant: Tenant, key: str) -> None:
        """Remember it for less than the minute that the database counts."""
        with self.lock:
            if len(self.until) >= _MOST_KNOWN:
                self.until.clear()
            self.until[tenant.id, key] = time.monotonic() + ONCE.total_seconds() / 2


def note_refusal(runtime: Runtime, refused: Refused, *, known: Known | None = None) -> None:
    """Write it down where it belongs. What goes wrong with that is logged: the answer has been given already."""
    known = known or Known()
    try:
        home = _home(runtime, refused.actor)
        where = refused.tenant or home
        if where is None:
            return
        own, key = home or where, refused.key(where.id)
        if not _counted(runtime, own, refused, key):
            _begin(runtime, own, refused, key=key, where=where.id, within=COUNTED)
        if where.id != own.id and not known.has(where, key):
            _begin(runtime, where, refused, key=key, where=where.id, within=ONCE)
            known.add(where, key)
    except (SlipwayError, DatabaseAway) as trouble:
        log.warning("audit.refusal_not_noted", permission=refused.permission, reason=str(trouble))


def tell_count(work: Work, *, key: str, person_id: UUID, where: UUID) -> None:
    """Write how often it went on within the window that has ended, and forget the window."""
    row = work.session.execute(_FORGET, {"key": key}).one_or_none()
    if row is not None and row.knocks:
        permission = key.split(":", 1)[1].rpartition(":")[0]
        work.record(AccessRefused(subject_id=where, permission=permission, count=row.knocks), on_behalf_of=person_id)


def _home(runtime: Runtime, actor: Actor) -> Tenant | None:
    """The home of who acts for an organisation; a customer's people have none beside their workspace."""
    if actor.organisation_id is None or not actor.roles:
        return None
    with lookup_session(runtime.databases) as (session, _now):
        return find_home(session, actor.organisation_id)


def _counted(runtime: Runtime, tenant: Tenant, refused: Refused, key: str) -> bool:
    """Count it in the window that is open; False where none is."""
    with tenant_cursor(runtime.databases, tenant, actor=refused.actor.label) as (cursor, entered):
        if entered.state != "active":
            return True
        return cursor.execute(_COUNT, {"key": key, "after": entered.database_now - COUNTED}).rowcount == 1


def _begin(runtime: Runtime, tenant: Tenant, refused: Refused, *, key: str, where: UUID, within: timedelta) -> None:
    """Open a window and write the first entry; of two at once one does, and the other only counts."""
    with open_work(runtime, tenant, refused.actor, trace_id=refused.trace_id) as work:
        values = {"key": key, "now": work.database_now, "after": work.database_now - within}
        opened = work.session.execute(_OPEN, values).one_or_none()
        if opened is None:
            if within is COUNTED:
                work.session.execute(_COUNT_TOO, {"key": key})
            return
        work.record(AccessRefused(subject_id=where, permission=refused.permission, count=1))
        if within is COUNTED:
            args: dict[str, object] = {"key": key, "person": str(refused.actor.id), "where": str(where)}
            work.enqueue("audit.count_refusals", args=args, run_at=work.database_now + within)


_COUNT: Final = (
    "UPDATE record SET body = jsonb_build_object('count', (body->>'count')::bigint + 1)"
    " WHERE kind = 'refusal' AND key = %(key)s AND changed_at > %(after)s"
)
_COUNT_TOO = text(
    "UPDATE record SET body = jsonb_build_object('count', (body->>'count')::bigint + 1)"
    " WHERE kind = 'refusal' AND key = :key"
)
_OPEN = text("""
    INSERT INTO record AS r (kind, key, version, body, changed_at) VALUES ('refusal', :key, 1, '{"count": 0}', :now)
    ON CONFLICT (kind, key) DO UPDATE SET changed_at = excluded.changed_at, version = r.version + 1
    WHERE r.changed_at <= :after RETURNING version
""")
_FORGET = text("""
    DELETE FROM record WHERE kind = 'refusal' AND key = :key RETURNING CAST(body->>'count' AS bigint) AS knocks
""")
