"""The queue door of the sequencer; the dispatcher asks for it where a transaction has left its mark."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

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
