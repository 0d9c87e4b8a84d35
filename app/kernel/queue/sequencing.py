"""Asks for a sequencer where transactions have left marks: one job a tenant, used again, so it stays one row."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

from app.kernel.ids import new_id
from app.kernel.queue.standing import of_active
from tenants.engines import Databases
from tenants.sessions import dispatcher_session

KIND: Final = "audit.sequence"
_BATCH: Final = 200
_GATHERING: Final = 0.5  # seconds: what is committed meanwhile gets its places in the same run


def arm_sequencers(databases: Databases, cell: str) -> int:
    """Ask for the sequencer of each tenant that has marks and none on its way. Returns how many.

    A mark that is committed while the sequencer runs is found by the round after it has ended.
    """
    with dispatcher_session(databases, cell, actor="sequencing") as (session, now):
        tenants = session.execute(_WAITING, {"limit": _BATCH}).scalars().all()
        jobs = [{"tenant": tenant, "id": new_id(), "kind": KIND, "now": now, "after": _GATHERING} for tenant in tenants]
        if jobs:
            session.connection().execute(_ARM, jobs)
    return len(jobs)


# Where it failed for good it is asked for again after a while, not in every round.
ANY_MARK: Final = f"""
    FROM cell.trail_mark m WHERE {of_active("m")}
    AND NOT EXISTS (SELECT FROM cell.job j WHERE j.tenant_id = m.tenant_id AND j.dedupe_key = '{KIND}'
        AND (j.finished_at IS NULL OR (j.state <> 'done' AND j.finished_at > now() - interval '1 minute')))
"""
_WAITING = text(f"SELECT DISTINCT m.tenant_id {ANY_MARK} LIMIT :limit")
_ARM = text("""
    INSERT INTO cell.job AS j (tenant_id, id, kind, queue, args, lane, lane_seq, dedupe_key, run_at, state, attempts,
        epoch, trace_id, created_at)
    VALUES (:tenant, :id, :kind, 'default', '{}', NULL, NULL, :kind, :now + make_interval(secs => :after), 'ready', 0,
        0, '', :now)
    ON CONFLICT (tenant_id, dedupe_key) DO UPDATE SET state = 'ready', attempts = 0, finished_at = NULL,
        last_error = NULL, created_at = excluded.created_at, run_at = excluded.run_at
    WHERE j.finished_at IS NOT NULL
""")
