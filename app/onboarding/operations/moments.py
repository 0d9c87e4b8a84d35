"""Moments that have come: a rung of an SLA, a reminder, a retry that was set, a response that nobody gave."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.flow import events as flow
from app.kernel.work import Work
from app.onboarding.operations.advance import Unwritten, advance, lock_onboardings, write_states

SYSTEM_ONLY = {"meet_moments": "called by the jobs of due timers"}

Moment = flow.TimerFired | flow.ReminderDue | flow.RetryDue | flow.ExceptionAged


def meet_moments(work: Work, come: Sequence[tuple[UUID, Moment]]) -> None:
    """Apply what has come due, each to the onboarding that it names, in the given order. Old versions change nothing.

    All or nothing; whichever is refused says why. Raises OnboardingMissing, and what the engine refuses.
    """
    locked = lock_onboardings(work, {onboarding_id for onboarding_id, _moment in come})
    unwritten = Unwritten()
    for onboarding_id, moment in come:
        work.trace_id = locked[onboarding_id].trace_id
        advance(work, locked[onboarding_id], moment, unwritten=unwritten)
    write_states(work, locked, unwritten)
