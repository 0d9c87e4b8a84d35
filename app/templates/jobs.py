"""The queue doors of templates."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.kernel.outcomes import Done, Outcome
from app.kernel.queue.jobs import JobRun, job
from app.kernel.trail import get_entry
from app.kernel.work import Work
from app.templates.lines.chains import find_chain
from app.templates.lines.operations import copy_line
from app.templates.lines.queries import home_shelves
from app.templates.operations import copy_to_control
from app.templates.overlay import Overlay
from app.templates.queries import get_pinned
from app.templates.studio import operations as studio


@job("templates.copy_to_control")
def copy_published(run: JobRun, *, event_id: str) -> Outcome:
    """A version was published in this home: copy it to `control`."""
    with run.work() as work:
        event = get_entry(work.session, UUID(event_id)).body
        published = get_pinned(work.session, event["digest"])
    copy_to_control(run.runtime, run.tenant, event, published)
    return Done()


@job("templates.copy_line")
def copy_moved(run: JobRun, *, event_id: str) -> Outcome:
    """A line has moved in this home: what it leads to goes to `control` first, then the line itself."""
    with run.work() as work:
        entry = get_entry(work.session, UUID(event_id))
        chain = find_chain(home_shelves(work.session), entry.body["overlay_digest"] or entry.body["template_digest"])
        versions = [(each, get_pinned(work.session, each.digest)) for each in chain.versions]
    for version, published in versions:
        kind = "overlay" if isinstance(version, Overlay) else "template"
        about = {"digest": version.digest, "kind": kind, "template": chain.template.id}
        copy_to_control(run.runtime, run.tenant, {**about, "version": version.document["version"]}, published)
    copy_line(run.runtime, run.tenant.organisation_id, entry)
    return Done()


def _stop_walking(work: Work, args: dict[str, Any], _reason: str) -> None:
    studio.stop_walking(work, UUID(args["draft_id"]), args["number"])


@job("templates.walk_draft", attempts=2, given_up=_stop_walking)
def walk_draft(run: JobRun, *, draft_id: str, number: int) -> Outcome:
    """Somebody wants to know what histories of a draft find."""
    return studio.walk_draft(run, UUID(draft_id), number)
