"""Starts what follows a run: by its timer, or because a person asks. One successor for each run and lifecycle, ever.

The successor has the id that its predecessor and the lifecycle give it, so whoever starts it second finds it there.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.access.permissions import Permission
from app.access.require import require
from app.flow import events as flow
from app.flow.definition import Definition, Successor
from app.flow.fields import Field, Value, check_value, is_given
from app.flow.reading import read_definition
from app.flow.state import State
from app.flow.steps.work import need_reason
from app.kernel.errors import Conflict
from app.kernel.outcomes import Done, Outcome
from app.kernel.queue.jobs import JobRun
from app.kernel.work import Work
from app.onboarding.lifecycle.events import NextAsked, NextNotStarted, NextStarted
from app.onboarding.lifecycle.rules import link_of, successor_id
from app.onboarding.models import Onboarding
from app.onboarding.operations.advance import lock_onboarding
from app.onboarding.operations.running import StartRequest, start_onboarding
from app.onboarding.queries.stored import definition_of, find_onboarding, state_of
from app.templates.lines.queries import find_line
from app.templates.operations import effective_document, pin
from app.templates.queries import TemplateMissing
from tenants.sessions import partner_session

SYSTEM_ONLY = {
    "start_next": "called by the job of a due timer, or of a person's wish",
    "tell_not_started": "called where that job is given up",
}


class NextExists(Conflict):
    """It was started already: one successor for each run and lifecycle."""


class NothingToFollow(Conflict):
    """A run that was cancelled is followed by an offboarding only; one that has not begun by nothing."""


def ask_for_next(work: Work, *, onboarding_id: UUID, lifecycle: str, reason: str) -> UUID:
    """A person starts what follows now. Returns its id, which a job begins.

    Raises NotPermitted, OnboardingMissing, ReasonNeeded, NothingFollows, NextExists, NothingToFollow.
    """
    require(work, Permission.ONBOARDING_WRITE)
    onboarding = lock_onboarding(work, onboarding_id)
    need_reason(reason)
    link_of(definition_of(work, onboarding.definition_digest), lifecycle)
    if onboarding.state == "cancelled" and lifecycle != "offboarding":
        raise NothingToFollow("This onboarding was cancelled; only an offboarding can follow it.")
    made = successor_id(onboarding.id, lifecycle)
    if work.session.get(Onboarding, made) is not None:
        raise NextExists("This was started already.")
    about: dict[str, Any] = {"subject_id": onboarding.id, "onboarding_id": onboarding.id}
    work.record(NextAsked(lifecycle=lifecycle, successor=str(made), reason=reason.strip(), **about))
    said = {"subject_id": onboarding.id, "lifecycle": lifecycle, "version": 0, "due_at": work.now}
    work.enqueue("onboarding.start_next", args=said, dedupe_key=f"next:{made}:{work.now.isoformat()}")
    return made


def start_next(run: JobRun, *, onboarding_id: UUID, lifecycle: str) -> Outcome:
    """Begin what follows, with the people, calendars and fitting facts of the run before. Repeatable."""
    with run.work() as work:
        link = link_of(definition_of(work, find_onboarding(work.session, onboarding_id).definition_digest), lifecycle)
    organisation_id = run.tenant.organisation_id
    with partner_session(run.runtime.databases, organisation_id, actor=run.actor.label) as (session, _now):
        offered = find_line(session, link.template)
    if offered is None:
        raise TemplateMissing(f"No template “{link.template}” is published.")
    effective = effective_document(
        run.runtime,
        organisation_id,
        template_digest=offered.template_digest,
        overlay_digest=offered.overlay_digest,
    )
    definition = read_definition(effective.document, effective.digest)
    with run.finish() as work:
        before = lock_onboarding(work, onboarding_id)
        made = successor_id(before.id, lifecycle)
        if work.session.get(Onboarding, made) is None:
            digest = pin(work, effective)
            start_onboarding(work, _request(before, definition, digest, link, actor=run.actor.label))
            about: dict[str, Any] = {"subject_id": before.id, "onboarding_id": before.id}
            work.record(NextStarted(lifecycle=lifecycle, successor=str(made), template=link.template, **about))
    return Done()


def tell_not_started(work: Work, args: dict[str, Any], reason: str) -> None:
    """Nothing further is tried: the run before says why nothing follows."""
    onboarding_id = UUID(str(args["subject_id"]))
    about: dict[str, Any] = {"subject_id": onboarding_id, "onboarding_id": onboarding_id}
    work.record(NextNotStarted(lifecycle=str(args["lifecycle"]), reason=reason, **about))


def _request(before: Onboarding, definition: Definition, digest: str, link: Successor, *, actor: str) -> StartRequest:
    state = state_of(before)
    made = successor_id(before.id, link.lifecycle)
    started = flow.Started(
        by=flow.By(actor=actor),
        reference=str(made),
        inputs=_fitting(definition.inputs, state.inputs),
        packet=_fitting(tuple(each.field for each in definition.handoff), _facts(state)),
        partner=state.partner,
        customer=state.customer,
        follows=True,
    )
    sold = {name: value for name, value in before.deal.items() if name != "package"}  # that was of the run before
    deal = sold | {"predecessor": {"id": str(before.id), "name": before.name, "lifecycle": link.lifecycle}}
    return StartRequest(made, before.name, digest, started, dict(before.people), deal)


def _facts(state: State) -> dict[str, Value]:
    return {**state.inputs, **state.packet}


def _fitting(fields: tuple[Field, ...], values: dict[str, Value]) -> dict[str, Value]:
    """What is known and fits; what does not fit any more is asked anew."""
    return {
        field.id: values[field.id]
        for field in fields
        if is_given(values.get(field.id)) and check_value(field, values[field.id]) is None
    }
