"""The queue doors of templates."""

from __future__ import annotations

from uuid import UUID

from app.kernel.outcomes import Done, Outcome
from app.kernel.queue.jobs import JobRun, job
from app.kernel.trail import get_entry
from app.templates.operations import copy_to_control
from app.templates.queries import get_pinned
from app.templates.studio import operations as studio


@job("templates.copy_to_control")
def copy_published(run: JobRun, *, event_id: str) -> Outcome:
    """A version was published in this home: copy it to `control`."""
    with run.work() as work:
        event = get_entry(work.session, UUID(event_id)).body
        document = dict(get_pinned(work.session, event["digest"]).document)
    copy_to_control(run.runtime, run.tenant, event, document)
    return Done()


@job("templates.walk_draft", attempts=2)
def walk_draft(run: JobRun, *, draft_id: str, number: int) -> Outcome:
    """Somebody wants to know what histories of a draft find."""
    return studio.walk_draft(run, UUID(draft_id), number)
