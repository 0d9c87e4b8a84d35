"""The queue door of identity: what `control` has to hear of a tenant's own rows."""

from __future__ import annotations

from uuid import UUID

from app.identity.machines.operations.following import follow
from app.identity.people.following import follow_person
from app.identity.sso.setup.saving import publish_connection
from app.kernel.outcomes import Done, Outcome
from app.kernel.queue.jobs import JobRun, job
from app.kernel.trail import get_entry


@job("identity.follow_account", attempts=30)
def follow_account(run: JobRun, *, account_id: str) -> Outcome:
    """Copy a service account into `control`; told before, it is told again and nothing changes."""
    follow(run.runtime, run.tenant, run.actor, UUID(account_id), trace_id=run.job.trace_id)
    return Done()


@job("identity.publish_connection")
def publish_saved(run: JobRun, *, event_id: str) -> Outcome:
    """A connection was saved in this tenant: let `control` follow, if the door that saved it did not live to do so."""
    with run.work() as work:
        entry = get_entry(work.session, UUID(event_id))
        connection_id, said = entry.subject_id, dict(entry.body)
    publish_connection(run.runtime, run.tenant, connection_id, UUID(event_id), said)
    return Done()


@job("identity.follow_staff")
def follow_staff(run: JobRun, *, person_id: str) -> Outcome:
    """Assignments follow the home's row."""
    follow_person(run.runtime, run.tenant, UUID(person_id), trace_id=run.job.trace_id)
    return Done()


@job("identity.follow_member")
def follow_member(run: JobRun, *, person_id: str) -> Outcome:
    """The index of memberships follows the tenant's row."""
    follow_person(run.runtime, run.tenant, UUID(person_id), trace_id=run.job.trace_id)
    return Done()
