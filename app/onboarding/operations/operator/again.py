"""Failed jobs of an onboarding are done again because an operator says so, for a reason, in its trail."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from app.kernel.errors import Invalid
from app.kernel.work import JOBS, Work
from app.onboarding.events import JobsRetried

SYSTEM_ONLY = {"retry_jobs": "an operator's command: whoever holds the installation's databases"}


class RetryReasonMissing(Invalid):
    """Work that was given up is done again for a reason."""


def retry_jobs(work: Work, *, onboarding_id: UUID, jobs: Sequence[tuple[UUID, str]], reason: str) -> list[UUID]:
    """Put failed jobs (id and kind) back to ready, with all their attempts. Returns those that were still failed.

    Raises RetryReasonMissing.
    """
    if not reason.strip():
        raise RetryReasonMissing("Say why this is to be done again.")
    ready = [job for job in jobs if work.session.execute(_RETRY, {"id": job[0]}).scalar()]
    if ready:
        kinds = sorted({kind for _id, kind in ready})
        again = {"jobs": [str(job_id) for job_id, _kind in ready], "kinds": kinds}
        work.record(JobsRetried(subject_id=onboarding_id, onboarding_id=onboarding_id, reason=reason.strip(), **again))
        work.topics.add(JOBS)
    return [job_id for job_id, _kind in ready]


_RETRY = text("SELECT cell.retry_job(:id)")
