"""Runs one job in a worker: claim under a lease, call its function, see that it ends in exactly one state."""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import UUID
from weakref import WeakKeyDictionary

import structlog
from prometheus_client import Counter

from app.kernel.errors import SlipwayError
from app.kernel.outcomes import Done, GiveUp, NeedsPerson, Outcome, TryAgain
from app.kernel.queue.batches.claims import JobKey, claim
from app.kernel.queue.batches.ends import end
from app.kernel.queue.batches.gather import Unanswered
from app.kernel.queue.fair.usage import METER
from app.kernel.queue.heartbeat import heartbeat
from app.kernel.queue.jobs import ClaimedJob, JobKind, JobRun, LeaseLost, job_kind
from app.kernel.queue.timers.together import fire_together, is_of_several
from app.kernel.runtime import Runtime
from tenants.engines import Databases
from tenants.registry import find_tenant
from tenants.sessions import DatabaseAway, lookup_session
from tenants.tenant import Tenant

log = structlog.get_logger(__name__)
POISONED = Counter("slipway_jobs_poisoned", "Jobs set aside because they cost workers or come to no end.", ["kind"])
DEADLY = 5  # workers in a row; one that dies takes innocent neighbours along, which come to an end another time

_IN_A_ROW = 16  # jobs that one message may lead to, and for how long: other tenants' messages wait meanwhile
_AT_MOST = 0.1  # seconds


def run_jobs(runtime: Runtime, *, cell: str, tenant_id: UUID, job_id: UUID, worker: str) -> None:
    """Run the job, then the one that its own last transaction has asked for, and so on for a moment.

    What a tenant's work leads to goes on without a way through dispatcher and Valkey; each is claimed in the
    transaction that asks for it, so a worker that dies loses nothing.
    """
    claimed = _claim(runtime, cell, tenant_id, job_id, worker)
    if claimed and (tenant := _find(runtime, claimed)):
        with METER.running(cell, tenant_id, claimed.queue):
            _run_all(runtime, tenant, claimed, cell, worker)


def _run_all(runtime: Runtime, tenant: Tenant, first: ClaimedJob, cell: str, worker: str) -> None:
    end, left = time.monotonic() + _AT_MOST, _IN_A_ROW
    claimed: ClaimedJob | None = first
    while claimed:
        left -= 1
        onward = left > 0 and time.monotonic() < end
        claimed = _run(JobRun(runtime=runtime, tenant=tenant, job=claimed, worker=worker if onward else ""), cell)


def run_job(runtime: Runtime, *, cell: str, tenant_id: UUID, job_id: UUID, worker: str) -> None:
    """Run the job if it is still waiting for a worker; a second message about it does nothing, and is counted."""
    claimed = _claim(runtime, cell, tenant_id, job_id, worker)
    if claimed and (tenant := _find(runtime, claimed)):
        _run(JobRun(runtime=runtime, tenant=tenant, job=claimed), cell)


def _run(run: JobRun, cell: str) -> ClaimedJob | None:
    """Run one job to its end. Gives what follows it."""
    with heartbeat(run.runtime.databases, cell, run.job):
        _settle(run, cell, _call(run))
    return run.following


_found: WeakKeyDictionary[Databases, dict[UUID, tuple[float, Tenant]]] = WeakKeyDictionary()
_STAYS = 1.0  # seconds; where a tenant lives never changes, and whether it works is asked anew in each transaction
_MOST_FOUND = 1_000


def _find(runtime: Runtime, claimed: ClaimedJob) -> Tenant | None:
    """Whose job it is: asked of `control` once in a second, which was a third of what a short job says to a server."""
    known = _found.setdefault(runtime.databases, {})
    at, tenant = known.get(claimed.tenant_id, (0.0, None))
    if tenant is not None and time.monotonic() - at < _STAYS:
        return tenant
    if len(known) >= _MOST_FOUND:
        known.clear()
    if (tenant := _look_up(runtime, claimed)) is not None and tenant.state == "active":
        known[claimed.tenant_id] = time.monotonic(), tenant
    return tenant


def _look_up(runtime: Runtime, claimed: ClaimedJob) -> Tenant | None:
    with lookup_session(runtime.databases) as (session, _now):
        tenant = find_tenant(session, claimed.tenant_id)
    if tenant is None:
        log.error("job.tenant_missing", job_id=str(claimed.id), tenant_id=str(claimed.tenant_id))
    return tenant


def _claim(runtime: Runtime, cell: str, tenant_id: UUID, job_id: UUID, worker: str) -> ClaimedJob | None:
    return claim(runtime.databases, cell, JobKey(tenant_id, job_id), worker)


def _call(run: JobRun) -> Outcome | None:
    """The function's outcome; None where the job is no longer ours to settle."""
    kind = job_kind(run.job.kind)
    if kind is None:
        return GiveUp(f"this build knows no job called {run.job.kind}")
    if reason := why_poisoned(run.job, kind):
        POISONED.labels(kind.name).inc()
        return GiveUp(reason, poisoned=True)
    named = {"job": run.job.kind, "job_id": str(run.job.id), "tenant_id": str(run.job.tenant_id)}
    bound = log.bind(**named, trace_id=run.job.trace_id, attempt=run.job.attempts)
    outcome: Outcome | None = None
    try:
        outcome = fire_together(run, kind) if is_of_several(run) else kind.function(run, **run.job.args)
        bound.info("job.finished", outcome=type(outcome).__name__)
    except (LeaseLost, DatabaseAway) as error:
        bound.warning("job.let_go", reason=str(error))  # fenced off, or the lease runs out and the job comes back
    except SlipwayError as error:
        bound.warning("job.refused", reason=str(error))
        outcome = _retry_or_give_up(run, str(error))
    except Exception as error:  # noqa: BLE001 - a surprise of one job must not take the worker with it
        bound.exception("job.surprised")
        outcome = _retry_or_give_up(run, type(error).__name__)
    return outcome


def why_poisoned(claimed: ClaimedJob, kind: JobKind) -> str:
    """Why the job is not to be run once more; empty where it may."""
    if claimed.deaths >= min(DEADLY, kind.attempts):
        return f"{claimed.deaths} workers in a row were lost while they ran it"
    if claimed.attempts > kind.attempts:
        return f"started {claimed.attempts - 1} times without coming to an end"
    if kind.lasts is not None and claimed.attempts > 1 and claimed.asked > kind.lasts:
        return f"asked for more than {kind.lasts.days} days ago, and tried {claimed.attempts - 1} times since"
    return ""


def _retry_or_give_up(run: JobRun, reason: str) -> Outcome:
    if run.last_attempt:
        return GiveUp(reason)
    return TryAgain(after=backoff(run.job.attempts), reason=reason)


def backoff(attempts: int) -> timedelta:
    """1 s, 4 s, 16 s, … to five minutes."""
    return timedelta(seconds=min(4 ** max(attempts - 1, 0), 300))


def _settle(run: JobRun, cell: str, outcome: Outcome | None) -> None:
    """Store the outcome, unless the function has completed the job in a transaction of its own."""
    if outcome is None or (run.finished and isinstance(outcome, Done)):
        return
    if run.finished:
        log.error("job.outcome_after_finish", job=run.job.kind, outcome=type(outcome).__name__)
        return
    try:
        if isinstance(outcome, Done) and run.ends_alone:
            end(run.runtime.databases, cell, run.job)
        else:
            _end_otherwise(run, outcome)
    except (LeaseLost, SlipwayError, DatabaseAway, Unanswered) as error:
        log.warning("job.not_settled", job=run.job.kind, job_id=str(run.job.id), reason=str(error))


def _end_otherwise(run: JobRun, outcome: Outcome) -> None:
    with run.finish(outcome) as work:
        kind = job_kind(run.job.kind)
        if kind and kind.given_up and isinstance(outcome, GiveUp | NeedsPerson):
            kind.given_up(work, run.job.args, outcome.reason)
