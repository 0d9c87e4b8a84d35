"""Moments of an exception that have come: a retry that was set, a response that nobody gave."""

from __future__ import annotations

from uuid import UUID

from app.flow import events as flow
from app.flow.commands import Decision
from app.kernel.work import Work
from app.onboarding.operations.advance import advance, lock_onboarding

SYSTEM_ONLY = {
    "retry_exception": "called by the job of a due retry",
    "age_exception": "called by the job of a response that is due",
}


def retry_exception(work: Work, *, onboarding_id: UUID, exception: str, version: int) -> Decision:
    """The moment of a retry came. An old version changes nothing."""
    event = flow.RetryDue(exception=exception, version=version)
    return advance(work, lock_onboarding(work, onboarding_id), event)


def age_exception(work: Work, *, onboarding_id: UUID, exception: str, version: int) -> Decision:
    """Nobody has responded by then. An old version changes nothing."""
    event = flow.ExceptionAged(exception=exception, version=version)
    return advance(work, lock_onboarding(work, onboarding_id), event)
