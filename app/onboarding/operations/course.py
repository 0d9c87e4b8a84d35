"""What changes the course of a running onboarding: hold it, resume it. Always with a reason."""

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
