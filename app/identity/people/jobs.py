"""The queue door of people: control follows a member row, where the request itself could not tell it."""

from __future__ import annotations

from uuid import UUID

from app.identity.people.following import follow_person
from app.kernel.outcomes import Done, Outcome
from app.kernel.queue.jobs import JobRun, job


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
