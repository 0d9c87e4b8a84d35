"""The queue door of identity: what `control` has to hear of a tenant's own rows."""

from __future__ import annotations

from uuid import UUID

from app.identity.machines.operations.following import follow
from app.kernel.outcomes import Done, Outcome
from app.kernel.queue.jobs import JobRun, job


@job("identity.follow_account", attempts=30)
def follow_account(run: JobRun, *, account_id: str) -> Outcome:
    """Copy a service account into `control`; told before, it is told again and nothing changes."""
    follow(run.runtime, run.tenant, run.actor, UUID(account_id), trace_id=run.job.trace_id)
    return Done()
