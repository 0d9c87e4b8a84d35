"""The queue door of the trail: its sequencer, which the dispatcher asks for, and what is done at its own time."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from app.audit.operations.keeping import keep_daily
from app.audit.operations.refusals import tell_count
from app.audit.operations.sequence import sequence_trail
from app.kernel.outcomes import Done, Outcome, TryAgain
from app.kernel.queue.jobs import JobRun, job

_ATTEMPTS: Final = 10_000  # a keeper of keys may be away for days; entries have their places meanwhile
_LATER: Final = timedelta(seconds=20)


@job("audit.sequence", attempts=_ATTEMPTS)
def sequence(run: JobRun) -> Outcome:
    """Give the tenant's new entries their places, and have the tree signed."""
    with run.work() as work:
        done = sequence_trail(work)
    return Done() if done.signed else TryAgain(after=_LATER, reason="the checkpoint could not be signed")


@job("audit.count_refusals")
def count_refusals(run: JobRun, *, key: str, person: str, where: str) -> Outcome:
    """A window of refused requests has ended: one entry says how many there were."""
    with run.finish() as work:
        tell_count(work, key=key, person_id=UUID(person), where=UUID(where))
    return Done()


@job("audit.keep_daily")
def keep(run: JobRun, *, subject_id: str, version: int, due_at: str) -> Outcome:
    """A day has gone by in a workspace that has decided something about its trail."""
    del subject_id, due_at  # of every timer; here the tenant is the subject
    with run.finish() as work:
        keep_daily(work, version=version)
    return Done()
