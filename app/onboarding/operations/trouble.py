"""What people do about an exception of a running onboarding: answer, route, retry, resolve; high impact takes two."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from app.access.duties import require_another, require_person
from app.access.permissions import Permission
from app.access.require import require
from app.flow import events as flow
from app.flow.commands import Decision
from app.flow.steps.resolving import ProposalRefused, needs_second_person
from app.kernel.work import Work
from app.onboarding.models import Onboarding
from app.onboarding.operations.advance import advance, lock_onboarding
from app.onboarding.people import acting
from app.onboarding.queries.stored import plan_of, state_of


def resolve_exception(
    work: Work,
    *,
    onboarding_id: UUID,
    exception: str,
    resolution: flow.Resolution,
    reason: str,
    evidence: flow.Evidenced | None = None,
    stage: str | None = None,
) -> Decision:
    """End an exception; what has a high impact becomes a proposal that another person decides.

    In a sandbox, where one person plays everybody, nothing is proposed. Raises NotPermitted, OnboardingMissing, and
    what the engine refuses.
    """
    require(work, Permission.EXCEPTION_RESOLVE)
    onboarding = lock_onboarding(work, onboarding_id)
    by = acting(work, onboarding)
    event = flow.ExceptionResolved(
        by=by, exception=exception, resolution=resolution, reason=reason, evidence=evidence, stage=stage
    )
    if work.tenant.kind != "sandbox" and _takes_two(work, onboarding, event):
        return advance(work, onboarding, flow.ExceptionResolutionProposed(by=by, proposed=event))
    return advance(work, onboarding, event)


def decide_proposal(work: Work, *, onboarding_id: UUID, exception: str, agreed: bool, reason: str = "") -> Decision:
    """Agree to what somebody else proposed, or decline it. Raises NotPermitted, SecondPersonNeeded, PersonNeeded."""
    require(work, Permission.EXCEPTION_RESOLVE)
    require_person(work.actor)
    onboarding = lock_onboarding(work, onboarding_id)
    found = state_of(onboarding).exceptions.get(exception)
    if found is None or found.proposal is None:
        raise ProposalRefused("Nothing is proposed for this exception.")
    require_another(UUID(found.proposal.resolved.by.actor.partition(":")[2]), work.actor)
    event = flow.ExceptionResolutionDecided(
        by=acting(work, onboarding), exception=exception, agreed=agreed, reason=reason
    )
    return advance(work, onboarding, event)


def answer_exception(work: Work, *, onboarding_id: UUID, exception: str, note: str) -> Decision:
    """Respond for the first time: what will be done. Raises NotPermitted, ExceptionClosed, ReasonNeeded."""
    require(work, Permission.EXCEPTION_RESOLVE)
    onboarding = lock_onboarding(work, onboarding_id)
    event = flow.ExceptionAnswered(by=acting(work, onboarding), exception=exception, note=note)
    return advance(work, onboarding, event)


def route_exception(work: Work, *, onboarding_id: UUID, exception: str, role: str | None, reason: str) -> Decision:
    """Give it to another role. Raises NotPermitted, ExceptionClosed, ExceptionRefused, ReasonNeeded."""
    require(work, Permission.EXCEPTION_RESOLVE)
    onboarding = lock_onboarding(work, onboarding_id)
    by = acting(work, onboarding)
    event = flow.ExceptionReassigned(by=by, exception=exception, role=role, person=None, reason=reason)
    return advance(work, onboarding, event)


def schedule_retry(work: Work, *, onboarding_id: UUID, exception: str, at: datetime, reason: str) -> Decision:
    """Try again once, at that moment. Raises NotPermitted, ExceptionClosed, ResolutionRefused, ReasonNeeded."""
    require(work, Permission.EXCEPTION_RESOLVE)
    onboarding = lock_onboarding(work, onboarding_id)
    event = flow.RetryScheduled(by=acting(work, onboarding), exception=exception, at=at, reason=reason)
    return advance(work, onboarding, event)


def _takes_two(work: Work, onboarding: Onboarding, event: flow.ExceptionResolved) -> bool:
    found = state_of(onboarding).exceptions.get(event.exception)
    definition = plan_of(work, onboarding)
    return found is not None and needs_second_person(definition, found, event.resolution)
