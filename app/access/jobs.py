"""Queue doors of access: what time does to a delegation, and the index that follows."""

from __future__ import annotations

from uuid import UUID

from app.access.operations.custom_roles import RoleRemoved, put_definition
from app.access.operations.indexing import read_lines, write_lines
from app.access.operations.looking_after import look_after
from app.kernel.outcomes import Done, Outcome
from app.kernel.queue.jobs import JobRun, job
from app.kernel.trail import get_entry


@job("access.look_after_delegation")
def look_after_delegation(run: JobRun, *, delegation_id: str) -> Outcome:
    """A delegation may be due: for a notice, or for its end."""
    with run.finish() as work:
        look_after(work, UUID(delegation_id))
    return Done()


@job("access.follow_delegation")
def follow_delegation(run: JobRun, *, event_id: str) -> Outcome:
    """A delegation has changed: its line in the partner's lists follows. Told twice, or late, it stays the newest."""
    with run.work() as work:
        lines = read_lines(work, get_entry(work.session, UUID(event_id)).subject_id)
    write_lines(run.runtime, run.tenant, lines)
    return Done()


@job("access.follow_tenant")
def follow_tenant(run: JobRun, *, event_id: str) -> Outcome:
    """The tenant was imported: all its delegations are new to this installation's lists."""
    del event_id
    with run.work() as work:
        lines = read_lines(work)
    write_lines(run.runtime, run.tenant, lines)
    return Done()


@job("access.follow_role")
def follow_role(run: JobRun, *, event_id: str) -> Outcome:
    """A role was defined or removed in this home: if that was cut off before `control` knew of it, it knows now."""
    with run.work() as work:
        entry = get_entry(work.session, UUID(event_id))
    ended = entry.action == RoleRemoved.type
    facts = entry.body["before" if ended else "after"]
    organisation_id = run.tenant.organisation_id
    put_definition(run.runtime, organisation_id, entry.subject_id, facts, at=entry.at, ended=ended)
    return Done()
