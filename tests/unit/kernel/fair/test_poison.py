"""Which job is not run once more, and why."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from app.kernel.outcomes import Done
from app.kernel.queue.execution import DEADLY, why_poisoned
from app.kernel.queue.jobs import ClaimedJob, JobKind

FEW = JobKind("few", lambda _run: Done(), attempts=2, lease=timedelta(seconds=15))
MANY = JobKind("many", lambda _run: Done(), attempts=5_000, lease=timedelta(seconds=15), lasts=timedelta(days=14))


def claimed(attempts: int, *, deaths: int = 0, days: float = 0) -> ClaimedJob:
    nobody = UUID(int=0)
    return ClaimedJob(nobody, nobody, "x", {}, 1, attempts, "", deaths=deaths, asked=timedelta(days=days))


@pytest.mark.parametrize(
    ("kind", "job", "why"),
    [
        (FEW, claimed(2), ""),
        (FEW, claimed(3), "2 times"),
        (FEW, claimed(2, deaths=1), ""),
        (FEW, claimed(2, deaths=2), "2 workers in a row"),
        (MANY, claimed(4_000, deaths=DEADLY - 1, days=13.9), ""),
        (MANY, claimed(9, deaths=DEADLY), "5 workers in a row"),
        (MANY, claimed(900, days=15), "more than 14 days ago, and tried 899 times"),
        (MANY, claimed(1, days=99), ""),  # it waited for its turn all the while
    ],
)
def test_a_job_is_poison(kind: JobKind, job: ClaimedJob, why: str):
    reason = why_poisoned(job, kind)
    assert why in reason
    assert bool(reason) == bool(why)
