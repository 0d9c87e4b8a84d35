"""Watching an onboarding or a part of it, and no longer: for whoever works on it."""

from __future__ import annotations

from uuid import UUID

from app.access.permissions import Permission
from app.access.require import require
from app.kernel.work import Work
from app.onboarding.operations.advance import lock_onboarding
from app.onboarding.operations.card import ask_for_card
from app.onboarding.talk.operations import check_place
from app.onboarding.talk.watching import follow, unfollow, watched_by


def watch(work: Work, *, onboarding_id: UUID, about: str | None, watching: bool) -> frozenset[str]:
    """Watch an item, an exception or (None) the whole onboarding; or no longer, None then ends all of it. Repeatable.

    Returns what one watches then. Raises NotPermitted, OnboardingMissing, PlaceUnknown.
    """
    require(work, Permission.TASK_COMPLETE)
    onboarding, me = lock_onboarding(work, onboarding_id), work.actor.id
    check_place(work, onboarding, about)
    if (follow if watching else unfollow)(onboarding, me, about):
        ask_for_card(work, onboarding.id, cause=f"watch:{me}:{work.database_now.isoformat()}")
    return watched_by(onboarding, me)
