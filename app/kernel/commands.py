"""Commands that are applied once: the key is stored in the transaction of the command's own effects (DESIGN 8.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgspec
from psycopg.errors import UniqueViolation
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.kernel.actor import Actor
from app.kernel.errors import Invalid, SlipwayError, Unavailable
from app.kernel.runtime import Runtime
from app.kernel.work import Work, open_work
from tenants.tenant import Tenant

Result = dict[str, object]


class CommandKeyReused(Invalid):
    """The same key came with another request: one of the two would be lost."""


def fingerprint(route: str, body: object) -> str:
    """What a key stands for: the route and the body, in a canonical form."""
    canonical = msgspec.json.encode([route, body], order="deterministic")
    return hashlib.sha256(canonical).hexdigest()


def run_command(
    runtime: Runtime,
    tenant: Tenant,
    actor: Actor,
    *,
    key: str,
    mark: str,
    trace_id: str,
    operation: Callable[[Work], Result],
) -> tuple[Result, bool]:
    """Run an operation once for this key. Returns its result and whether it was replayed from an earlier run.

    `mark` is the command's `fingerprint`. Two at once: the second is stopped by the first one's effects, or at the
    latest at the unique key, rolls back whole, and gets the first one's result. Raises CommandKeyReused when the key
    stands for another request.
    """
    scoped = f"{actor.label}:{key}"
    try:
        with open_work(runtime, tenant, actor, trace_id=trace_id) as work:
            if (stored := _stored(work, scoped, mark)) is not None:
                return stored, True
            result = operation(work)
            work.remember_command(scoped, fingerprint=mark, result=result)
            return result, False
    except (CommandKeyReused, Unavailable):
        raise
    except (UniqueViolation, IntegrityError, SlipwayError):
        # The same command may have run at the same moment: what refused this one is then its twin's own effect.
        with open_work(runtime, tenant, actor, trace_id=trace_id) as work:
            stored = _stored(work, scoped, mark)
        if stored is None:
            raise
        return stored, True


def _stored(work: Work, key: str, mark: str) -> Result | None:
    query = text("SELECT fingerprint, result FROM command WHERE key = :key")
    row = work.session.execute(query, {"key": key}).one_or_none()
    if row is None:
        return None
    if row.fingerprint != mark:
        raise CommandKeyReused("This key was used for another request. Send a new key with a new request.")
    stored: Result = row.result
    return stored
