"""Queue door of upgrades: one step of one, in one workspace."""

from __future__ import annotations

from uuid import UUID

from app.kernel.outcomes import Outcome
from app.kernel.queue.jobs import JobRun, job
from app.onboarding.upgrades.stepping import give_up, step_on


@job("onboarding.upgrade", given_up=give_up)
def upgrade(run: JobRun, *, upgrade_id: str, tenant_id: str, step: str) -> Outcome:
    """Look at, let go on, or take back the onboardings of one workspace."""
    return step_on(run, UUID(upgrade_id), UUID(tenant_id), step)
