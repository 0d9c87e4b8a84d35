"""Jobs that a worker's threads begin: claimed for all who ask at one moment, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID
from weakref import WeakKeyDictionary

import structlog
from prometheus_client import Counter
from sqlalchemy import text

from app.kernel.queue.batches.gather import Gather
from app.kernel.queue.jobs import FIRST_LEASE, ClaimedJob
from tenants.engines import Databases
from tenants.sessions import dispatcher_session

log = structlog.get_logger(__name__)
# By the state in which a message found its job: `running` is a message that came twice while a worker is at it.
PARKED = Counter("slipway_job_messages_parked", "Messages to a worker that had nothing to do.", ["state"])


class JobKey(NamedTuple):
    """What a message names."""

    tenant_id: UUID
    id: UUID


_Claims = Gather[JobKey, ClaimedJob | None]
_claims: WeakKeyDictionary[Databases, dict[tuple[str, str], _Claims]] = WeakKeyDictionary()


def claim(databases: Databases, cell: str, key: JobKey, worker: str) -> ClaimedJob | None:
    """Take the job under the worker's lease. None, and counted, where it waits for no worker (any more).

    Raises DatabaseAway, CellUnknown.
    """
    own = _claims.setdefault(databases, {})
    gather = own.setdefault((cell, worker), Gather(partial(_claim_all, databases, cell, worker)))
    claimed = gather.ask(key)
    if claimed is None:
        _park(databases, cell, key, worker)
    return claimed


def _claim_all(databases: Databases, cell: str, worker: str, keys: Sequence[JobKey]) -> list[ClaimedJob | None]:
    """Each job for the first who named it: a message that came twice finds nothing."""
    ordered = sorted(keys)
    values = {"tenants": [key.tenant_id for key in ordered], "ids": [key.id for key in ordered]}
    with dispatcher_session(databases, cell, actor=worker) as (session, _now):
        rows = session.execute(_CLAIM, values | {"worker": worker, "lease": FIRST_LEASE}).all()
    found = {JobKey(row.tenant_id, row.id): _claimed(row) for row in rows}
    return [found.pop(key, None) for key in keys]


def _claimed(row: Any) -> ClaimedJob:
    return ClaimedJob(
        tenant_id=row.tenant_id,
        id=row.id,
        kind=row.kind,
        args=row.args,
        epoch=row.epoch,
        attempts=row.attempts,
        trace_id=row.trace_id,
        queue=row.queue,
        deaths=row.deaths,
        asked=row.asked,
    )


def _park(databases: Databases, cell: str, key: JobKey, worker: str) -> None:
    with dispatcher_session(databases, cell, actor=worker) as (session, _now):
        state = session.execute(_STATE, {"tenant": key.tenant_id, "id": key.id}).scalar_one_or_none() or "gone"
    PARKED.labels(state).inc()
    log.info("job.message_parked", job_id=str(key.id), tenant_id=str(key.tenant_id), state=state)


# Locked one after the other in the order given, the same in which ends are: nobody waits in a circle. An ORDER BY here
# would be answered by walking the index through all jobs there are.
_CLAIM = text("""
    WITH asked AS (
        SELECT j.* FROM unnest(CAST(:tenants AS uuid[]), CAST(:ids AS uuid[])) AS a (tenant_id, id)
        CROSS JOIN LATERAL (SELECT o.tenant_id, o.id FROM cell.job o
            WHERE o.tenant_id = a.tenant_id AND o.id = a.id AND o.state = 'dispatched' FOR UPDATE) j
    )
    UPDATE cell.job j SET state = 'running', epoch = j.epoch + 1, attempts = j.attempts + 1, worker = :worker,
           lease_until = now() + make_interval(secs => :lease)
    FROM asked WHERE j.tenant_id = asked.tenant_id AND j.id = asked.id
    RETURNING j.tenant_id, j.id, j.kind, j.args, j.epoch, j.attempts, j.trace_id, j.queue,
        COALESCE(j.deaths, 0) AS deaths, now() - j.created_at AS asked
""")
_STATE = text("SELECT state FROM cell.job WHERE tenant_id = :tenant AND id = :id")
