"""What people do to optional and repeated parts of a running onboarding. Each is one event for the engine."""

from __future__ import annotations

from uuid import UUID

from app.access.permissions import Permission
from app.access.require import require
from app.flow import events as flow
from app.flow.commands import Decision
from app.kernel.work import Work
from app.onboarding.operations.advance import advance, lock_onboarding
from app.onboarding.people import acting


def decline_item(work: Work, *, onboarding_id: UUID, item: str, reason: str) -> Decision:
    """Say that an optional step of the actor's own side is not needed.

    Raises NotPermitted, OnboardingMissing, DeclineRefused, NotYourTask, NotOpen, ReasonNeeded.
    """
    require(work, Permission.TASK_COMPLETE)
    onboarding = lock_onboarding(work, onboarding_id)
    return advance(work, onboarding, flow.ItemDeclined(by=acting(work, onboarding), item=item, reason=reason))


def add_part(work: Work, *, onboarding_id: UUID, item: str, name: str) -> Decision:
    """Let a repeated part happen once more.

    Raises NotPermitted, OnboardingMissing, PartRefused, PartNameRefused, NotOpen, TaskBuiltUpon.
    """
    require(work, Permission.ONBOARDING_WRITE)
    onboarding = lock_onboarding(work, onboarding_id)
    return advance(work, onboarding, flow.PartAdded(by=acting(work, onboarding), item=item, name=name))


def remove_part(work: Work, *, onboarding_id: UUID, item: str, reason: str = "") -> Decision:
    """Take away an instance in which nothing was done. Raises NotPermitted, OnboardingMissing, PartRefused."""
    require(work, Permission.ONBOARDING_WRITE)
    onboarding = lock_onboarding(work, onboarding_id)
    return advance(work, onboarding, flow.PartRemoved(by=acting(work, onboarding), item=item, reason=reason))
