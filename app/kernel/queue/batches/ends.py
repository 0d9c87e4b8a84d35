"""Jobs that end with nothing to write in their tenant: all that end at one moment are completed in one transaction.

A job that changes its tenant's data completes in that change's own transaction (`JobRun.finish`), never here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from weakref import WeakKeyDictionary

from sqlalchemy import text

from app.kernel.queue.batches.gather import Gather
from app.kernel.queue.jobs import ClaimedJob, LeaseLost
from tenants.engines import Databases
from tenants.sessions import dispatcher_session

_Ends = Gather[ClaimedJob, bool]
_ends: WeakKeyDictionary[Databases, dict[str, _Ends]] = WeakKeyDictionary()


def end(databases: Databases, cell: str, claimed: ClaimedJob) -> None:
    """Complete the job, durably. Raises LeaseLost where it has gone to somebody else, DatabaseAway."""
    own = _ends.setdefault(databases, {})
    if not own.setdefault(cell, Gather(partial(_end_all, databases, cell))).ask(claimed):
        raise LeaseLost(f"job {claimed.id} is no longer held at epoch {claimed.epoch}")


def _end_all(databases: Databases, cell: str, jobs: Sequence[ClaimedJob]) -> list[bool]:
    ordered = sorted(jobs, key=lambda job: (job.tenant_id, job.id))
    values = {
        "tenants": [job.tenant_id for job in ordered],
        "ids": [job.id for job in ordered],
        "epochs": [job.epoch for job in ordered],
    }
    with dispatcher_session(databases, cell, actor="ends") as (session, _now):
        ended = {(row.id, row.epoch) for row in session.execute(_END, values)}
    return [(job.id, job.epoch) in ended for job in jobs]


# As `cell.finish_job` does it for one, fenced by the epoch; locked as claims are.
_END = text("""
    WITH held AS (
        SELECT j.*
        FROM unnest(CAST(:tenants AS uuid[]), CAST(:ids AS uuid[]), CAST(:epochs AS int[])) AS a (tenant_id, id, epoch)
        CROSS JOIN LATERAL (SELECT o.tenant_id, o.id FROM cell.job o
            WHERE o.tenant_id = a.tenant_id AND o.id = a.id AND o.epoch = a.epoch AND o.state = 'running' FOR UPDATE) j
    )
    UPDATE cell.job j SET state = 'done', last_error = NULL, lease_until = NULL, worker = NULL, deaths = NULL,
           finished_at = now()
    FROM held WHERE j.tenant_id = held.tenant_id AND j.id = held.id
    RETURNING j.id, j.epoch
""")
