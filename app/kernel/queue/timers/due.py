"""Turns due timers into jobs: those of one tenant and one kind that are due together become one.

Each job is a transaction of a worker: fifty firings in one cost a fraction of fifty in fifty (docs/benchmarks.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import Row, text

from app.kernel.ids import new_id
from app.kernel.queue.standing import of_active
from tenants.engines import Databases
from tenants.sessions import dispatcher_session

TIMERS: Final = "timers"  # the argument of a job that is about several, beside their `ids`; one's has its arguments
TOGETHER: Final = 50  # timers a job: whoever acts on an onboarding meanwhile waits for no more than these
_BATCH = 1_000  # timers a transaction: with 50,000 that are due at once, others' work goes on between them
_TENANTS = _BATCH // TOGETHER

DueTimer = Row[tuple[UUID, UUID, str]]  # tenant, id, kind


def fire_timers(databases: Databases, cell: str) -> int:
    """Turn a batch of due timers into jobs, never early by the cell's business clock. Returns how many fired."""
    with dispatcher_session(databases, cell, actor="timers") as (session, now):
        rows = session.execute(_FIRST, {"limit": _BATCH, "tenants": _TENANTS}).all()
        if rows:
            fired = [(row.tenant_id, row.id, job) for job, rows in _jobs(rows) for row in rows]
            tenants, timers, jobs = (list(column) for column in zip(*fired, strict=True))
            session.connection().execute(_FIRE, {"tenants": tenants, "timers": timers, "jobs": jobs, "now": now})
    return len(rows)


def _jobs(rows: Sequence[DueTimer]) -> Iterator[tuple[UUID, Sequence[DueTimer]]]:
    """The ids of new jobs, each with the timers that it is about."""
    alike: dict[tuple[UUID, str], list[DueTimer]] = {}
    for row in rows:
        alike.setdefault((row.tenant_id, row.kind), []).append(row)
    for one in alike.values():
        for first in range(0, len(one), TOGETHER):
            yield new_id(), one[first : first + TOGETHER]


# A waiting timer `t` whose moment has come, by the cell's business clock.
DUE: Final = "t.state = 'waiting' AND t.due_at <= (SELECT now() + c.shift FROM cell.clock c WHERE c.id = 1)"
# The tenants whose timers have been due the longest, and of each as many as have room; a tenant that is alone has all.
_FIRST = text(f"""
    WITH first AS MATERIALIZED (
        SELECT d.tenant_id, min(d.due_at) AS due_at FROM (
            SELECT t.tenant_id, t.due_at FROM cell.timer t WHERE {DUE} AND {of_active("t")}
            ORDER BY t.due_at LIMIT :limit
        ) d GROUP BY d.tenant_id ORDER BY 2 LIMIT :tenants
    )
    SELECT due.tenant_id, due.id, due.kind FROM first CROSS JOIN LATERAL (
        SELECT t.tenant_id, t.id, t.kind, t.due_at FROM cell.timer t
        WHERE t.tenant_id = first.tenant_id AND {DUE} ORDER BY t.due_at
        LIMIT CAST(:limit AS bigint) / (SELECT count(*) FROM first) FOR UPDATE OF t SKIP LOCKED
    ) due ORDER BY first.due_at, due.due_at
""")  # noqa: S608 - constants of ours
# A job waits since its timer was due, not since somebody saw that: what a thousand timers lead to comes after them all.
# Since a minute at most: after a night without a dispatcher the doors do not close (docs/engine/dispatch.md).
_FIRE = text("""
    WITH fired AS (
        UPDATE cell.timer t SET state = 'fired', fired_at = :now
        FROM unnest(CAST(:tenants AS uuid[]), CAST(:timers AS uuid[]), CAST(:jobs AS uuid[]))
            AS d (tenant_id, timer_id, job_id)
        WHERE t.tenant_id = d.tenant_id AND t.id = d.timer_id
        RETURNING d.job_id, t.tenant_id, t.id, t.kind, t.due_at, t.trace_id,
            t.due_at - (SELECT shift FROM cell.clock WHERE id = 1) AS run_at,
            t.args || jsonb_build_object('subject_id', t.subject_id, 'version', t.version, 'due_at', t.due_at) AS args
    )
    INSERT INTO cell.job (tenant_id, id, kind, queue, args, dedupe_key, run_at, state, attempts, epoch, trace_id,
                          created_at)
    SELECT tenant_id, job_id, kind, 'default',
           CASE count(*) WHEN 1 THEN jsonb_agg(args) -> 0
                ELSE jsonb_build_object('timers', jsonb_agg(args ORDER BY due_at, id),
                                        'ids', jsonb_agg(id ORDER BY due_at, id)) END,
           'timer:' || min(id::text), greatest(min(run_at), :now - interval '1 minute'), 'ready', 0, 0,
           CASE WHEN min(trace_id) = max(trace_id) THEN min(trace_id) ELSE '' END, :now
    FROM fired GROUP BY tenant_id, job_id, kind
    ON CONFLICT DO NOTHING
""")
