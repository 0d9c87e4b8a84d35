"""Tells reviewers that something waits, and publishers what a review said: an entry in their home's trail and letters.

Each submission is told of by itself, since each wants a decision of its own; told again, nobody hears it twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.audit.operations.documents import add_document
from app.kernel.actor import Actor
from app.kernel.runtime import Runtime
from app.kernel.work import Work, open_work
from app.marketplace.events import ReviewHeard, ReviewWanted
from app.marketplace.operations.following import Told
from app.marketplace.operations.telling import Reader, read_administrators
from app.marketplace.queries.offers import Submission, get_submission
from app.marketplace.rules import State
from app.notifications.operations import Letter, queue_letter
from tenants.registry import find_home
from tenants.sessions import lookup_session, partner_session
from tenants.tenant import Tenant

SYSTEM_ONLY = {
    "tell_reviewers": "called by the job that follows a submission",
    "tell_publisher": "called by the job that follows a review",
}
WANTED, HEARD = "listing_review_wanted", "listing_review_heard"  # of a home's documents: what was told, by submission
_REVIEWERS = text("SELECT * FROM control.list_reviewers()")


def tell_reviewers(runtime: Runtime, home: Tenant, told: Told, *, actor: Actor, trace_id: str) -> None:
    """Tell the operator's people of a submission that waits for them; not whoever submitted it."""
    one = _submission(runtime, home, told.subject_id, actor)
    if one.state != State.IN_REVIEW:
        return
    with lookup_session(runtime.databases, actor=actor.label) as (session, _now):
        rows = session.execute(_REVIEWERS).all()
        theirs = find_home(session, rows[0].organisation_id) if rows else None
    readers = [Reader(row.id, row.email, row.name, row.locale) for row in rows if str(row.id) != told.by["id"]]
    if theirs is None or theirs.state != "active":
        return  # it stands on their page all the same
    with open_work(runtime, theirs, actor, trace_id=trace_id) as work:
        if add_document(work, WANTED, str(one.id), {"template": one.template_id, "version": one.version}):
            work.record(ReviewWanted(subject_id=one.id, publisher=one.publisher, **_about(one)))
            _write(work, "review_wanted", readers, one, said=one.changelog, page=f"/marketplace/reviews/{one.id}")


def tell_publisher(runtime: Runtime, home: Tenant, told: Told, state: State, *, actor: Actor, trace_id: str) -> None:
    """Tell a publisher's administrators whether the operator's review has let their version be listed, and why not."""
    one = _submission(runtime, home, told.subject_id, actor)
    if one.state != state:
        return  # withdrawn before the decision was through: there is nothing to tell
    with lookup_session(runtime.databases, actor=actor.label) as (session, _now):
        theirs = find_home(session, one.organisation_id)
        readers = read_administrators(session, one.organisation_id)
    if theirs is None or theirs.state != "active":
        return
    with open_work(runtime, theirs, actor, trace_id=trace_id) as work:
        if add_document(work, HEARD, str(one.id), {"state": state, "reason": told.reason}):
            work.record(ReviewHeard(subject_id=one.id, state=state, reason=told.reason or None, **_about(one)))
            _write(work, f"review_{state}", readers, one, said=told.reason, page="/marketplace/offers")


def _submission(runtime: Runtime, home: Tenant, version_id: UUID, actor: Actor) -> Submission:
    with partner_session(runtime.databases, home.organisation_id, actor=actor.label) as (session, _now):
        return get_submission(session, version_id)


def _about(one: Submission) -> dict[str, Any]:
    return {"listing_id": one.listing_id, "template": one.template_id, "version": one.version}


def _write(work: Work, kind: str, readers: Iterable[Reader], one: Submission, *, said: str, page: str) -> None:
    facts = {"title": {"en": f"{one.template_id} {one.version}"}, "text": {"en": said}, "onboarding": one.publisher}
    for reader in readers:
        queue_letter(work, Letter(kind, reader, facts | {"page": page}))
