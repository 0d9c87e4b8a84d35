"""What people do about an exception of a running onboarding: answer, route, retry, resolve; high impact takes two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.access.duties import require_another, require_person
from app.access.permissions import Permission
from app.access.require import require
from app.flow import events as flow
from app.flow.commands import Decision
from app.flow.decide import decide
from app.flow.steps.resolving import ProposalRefused, may_have_had_effect, needs_second_person
from app.kernel.work import Work
from app.onboarding.models import Onboarding
from app.onboarding.operations.advance import advance, lock_onboarding
from app.onboarding.operations.owning import require_holder
from app.onboarding.people import acting
from app.onboarding.queries.steering.edited import InputRefused, find_editable
from app.onboarding.queries.stored import plan_of, state_of

UNREAD = "unread"  # no proposal has this digest


@dataclass(frozen=True, slots=True)
class Route:
    """Whose an exception is to be: a role's, or by name a person's of the side of that role (None: it stays)."""

    role: str | None
    person: UUID | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether what is proposed is done, and why not; `proposal` is the digest of what was read."""

    agreed: bool
    proposal: str
    reason: str = ""


def resolve_exception(
    work: Work,
    *,
    onboarding_id: UUID,
    exception: str,
    resolution: flow.Resolution,
    reason: str,
    evidence: flow.Evidenced | None = None,
    stage: str | None = None,
    given: Mapping[str, Any] | None = None,
) -> Decision:
    """End an exception; what has a high impact becomes a proposal that another person decides.

    `given`: other values for one more try of its action. In a sandbox, where one person plays everybody, nothing is
    proposed. Raises NotPermitted, OnboardingMissing, InputRefused, and what the engine refuses.
    """
    require(work, Permission.EXCEPTION_RESOLVE)
    onboarding = lock_onboarding(work, onboarding_id)
    by = acting(work, onboarding)
    other = _other_values(work, onboarding, exception, given) if given is not None else {}
    event = flow.ExceptionResolved(
        by=by, exception=exception, resolution=resolution, reason=reason, evidence=evidence, stage=stage, input=other
    )
    if work.tenant.kind == "sandbox" or not _takes_two(work, onboarding, event):
        return advance(work, onboarding, event)
    if (found := state_of(onboarding).exceptions.get(exception)) is not None and found.proposal is not None:
        raise ProposalRefused("Something is proposed for this exception already; it is decided first.")
    proposed = advance(work, onboarding, flow.ExceptionResolutionProposed(by=by, proposed=event))
    _try(work, onboarding, event, proposed)
    return proposed


def decide_proposal(work: Work, *, onboarding_id: UUID, exception: str, verdict: Verdict) -> Decision:
    """Agree to what somebody else proposed, or decline it.

    Raises NotPermitted, SecondPersonNeeded, PersonNeeded, ProposalRefused where something else is proposed by now.
    """
    require(work, Permission.EXCEPTION_RESOLVE)
    require_person(work.actor)
    onboarding = lock_onboarding(work, onboarding_id)
    found = state_of(onboarding).exceptions.get(exception)
    if found is None or found.proposal is None:
        raise ProposalRefused("Nothing is proposed for this exception.")
    require_another(UUID(found.proposal.resolved.by.actor.partition(":")[2]), work.actor)
    event = flow.ExceptionResolutionDecided(
        by=acting(work, onboarding),
        exception=exception,
        agreed=verdict.agreed,
        reason=verdict.reason,
        proposal=verdict.proposal or UNREAD,
    )
    return advance(work, onboarding, event)


def answer_exception(work: Work, *, onboarding_id: UUID, exception: str, note: str) -> Decision:
    """Respond for the first time: what will be done. Raises NotPermitted, ExceptionClosed, ReasonNeeded."""
    require(work, Permission.EXCEPTION_RESOLVE)
    onboarding = lock_onboarding(work, onboarding_id)
    event = flow.ExceptionAnswered(by=acting(work, onboarding), exception=exception, note=note)
    return advance(work, onboarding, event)


def route_exception(work: Work, *, onboarding_id: UUID, exception: str, whose: Route, reason: str) -> Decision:
    """Give it to another role, or by name to somebody who works on this onboarding for the side of its role.

    Raises NotPermitted, NoRoleHere, ExceptionClosed, ExceptionRefused, ReasonNeeded.
    """
    require(work, Permission.EXCEPTION_RESOLVE)
    onboarding = lock_onboarding(work, onboarding_id)
    _check_person(work, onboarding, exception, whose)
    event = flow.ExceptionReassigned(
        by=acting(work, onboarding),
        exception=exception,
        role=whose.role,
        person=str(whose.person) if whose.person else None,
        reason=reason,
    )
    return advance(work, onboarding, event)


def schedule_retry(work: Work, *, onboarding_id: UUID, exception: str, at: datetime, reason: str) -> Decision:
    """Try again once, at that moment. Raises NotPermitted, ExceptionClosed, ResolutionRefused, ReasonNeeded."""
    require(work, Permission.EXCEPTION_RESOLVE)
    onboarding = lock_onboarding(work, onboarding_id)
    event = flow.RetryScheduled(by=acting(work, onboarding), exception=exception, at=at, reason=reason)
    return advance(work, onboarding, event)


def _takes_two(work: Work, onboarding: Onboarding, event: flow.ExceptionResolved) -> bool:
    found, definition = state_of(onboarding).exceptions.get(event.exception), plan_of(work, onboarding)
    if found is None:
        return False
    if event.input:
        editable = find_editable(work, definition, state_of(onboarding), definition.items[found.item])
        return may_have_had_effect(found) or (editable is not None and editable.changes_something)
    return needs_second_person(definition, found, event.resolution)


def _other_values(work: Work, onboarding: Onboarding, exception: str, given: Mapping[str, Any]) -> dict[str, Any]:
    state, definition = state_of(onboarding), plan_of(work, onboarding)
    found = state.exceptions.get(exception)
    editable = find_editable(work, definition, state, definition.items[found.item]) if found else None
    if editable is None:
        raise InputRefused("Nothing is called here that other values could be given to.")
    return editable.changed(given)


def _try(work: Work, onboarding: Onboarding, event: flow.Event, proposed: Decision) -> None:
    """Nobody is asked to agree to what the engine would refuse. Raises what it refuses; nothing is proposed then."""
    decide(plan_of(work, onboarding), proposed.state, event, work.now)


def _check_person(work: Work, onboarding: Onboarding, exception: str, whose: Route) -> None:
    definition = plan_of(work, onboarding)
    found = state_of(onboarding).exceptions.get(exception)
    owning = definition.roles.get(whose.role or (found.route[0] if found else ""))
    if owning is not None:  # what is not there the engine refuses
        require_holder(onboarding, owning.side, whose.person)
