"""Does all that is due, in this thread: for the demo's seed and for tests. The same steps as the loop's."""

from __future__ import annotations

from app.kernel.queue.dispatcher import Subscriptions, recover_leases, relay_outbox
from app.kernel.queue.execution import run_job
from app.kernel.queue.fair.handing import take_ready
from app.kernel.queue.timers.due import fire_timers
from app.kernel.runtime import Runtime

_ROUNDS = 1_000  # far beyond any chain of events; a loop of events is a mistake that must end


def drain(runtime: Runtime, subscriptions: Subscriptions, *, worker: str = "drain") -> int:
    """Relay, fire and run until nothing is due in any cell. Returns how many jobs were run.

    Raises RuntimeError when there is no end to it. A job that asks for a later try is left for later.
    """
    ran = 0
    for _round in range(_ROUNDS):
        moved = 0
        for cell in runtime.databases.cells:
            moved += fire_timers(runtime.databases, cell)
            moved += relay_outbox(runtime.databases, cell, subscriptions)
            recover_leases(runtime.databases, cell)
            jobs = take_ready(runtime.databases, cell, window=_ROUNDS)
            for job in jobs:
                run_job(runtime, cell=cell, tenant_id=job.tenant_id, job_id=job.job_id, worker=worker)
            moved += len(jobs)
            ran += len(jobs)
        if not moved:
            return ran
    raise RuntimeError(f"still busy after {_ROUNDS} rounds: one event seems to lead back to itself")
