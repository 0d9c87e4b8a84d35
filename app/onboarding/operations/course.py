"""What changes the course of a running onboarding: hold, resume, skip, assign, roll back, cancel."""

from __future__ import annotations

from uuid import UUID

from app.access.permissions import Permission
from app.access.require import require
from app.flow import events as flow
from app.flow.commands import Decision
from app.kernel.work import Work
from app.onboarding.operations.advance import advance, lock_onboarding
from app.onboarding.people import acting


def hold_onboarding(work: Work, *, onboarding_id: UUID, reason_code: str, reason: str) -> Decision:
    """Put it on hold: nobody moves it, its clocks stand still. Raises NotPermitted, OnboardingMissing, HoldRefused."""
    require(work, Permission.ONBOARDING_WRITE)
    onboarding = lock_onboarding(work, onboarding_id)
    return advance(work, onboarding, flow.Held(by=acting(work, onboarding), reason_code=reason_code, reason=reason))


def resume_onboarding(work: Work, *, onboarding_id: UUID, reason: str = "") -> Decision:
    """End the hold. Raises NotPermitted, OnboardingMissing, NotHeld."""
    require(work, Permission.ONBOARDING_WRITE)
    onboarding = lock_onboarding(work, onboarding_id)
    return advance(work, onboarding, flow.Resumed(by=acting(work, onboarding), reason=reason))


def skip_item(work: Work, *, onboarding_id: UUID, item: str, reason: str) -> Decision:
    """Leave a task, milestone or stage out. Raises NotPermitted, OnboardingMissing, SkipRefused, ReasonNeeded."""
    require(work, Permission.ONBOARDING_WRITE)
    onboarding = lock_onboarding(work, onboarding_id)
    return advance(work, onboarding, flow.ItemSkipped(by=acting(work, onboarding), item=item, reason=reason))


def roll_back(work: Work, *, onboarding_id: UUID, stage: str, reason: str) -> Decision:
    """Begin a stage and every later one anew. Raises NotPermitted, OnboardingMissing, RollBackRefused, ReasonNeeded."""
    require(work, Permission.ONBOARDING_WRITE)
    onboarding = lock_onboarding(work, onboarding_id)
    return advance(work, onboarding, flow.RolledBack(by=acting(work, onboarding), stage=stage, reason=reason))


def cancel_onboarding(work: Work, *, onboarding_id: UUID, reason: str) -> Decision:
    """Stop it for good. Raises NotPermitted, OnboardingMissing, ReasonNeeded."""
    require(work, Permission.ONBOARDING_WRITE)
    onboarding = lock_onboarding(work, onboarding_id)
    return advance(work, onboarding, flow.Cancelled(by=acting(work, onboarding), reason=reason))
