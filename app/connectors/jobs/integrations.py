"""The queue door of integrations on their way live: run the checks in a process apart, keep how they went."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from app.connectors.pillars.validating import begin_validation, end_validation, give_up_validation
from app.connectors.trials.apart import ChecksUnrun, try_apart
from app.kernel.outcomes import Done, Outcome
from app.kernel.queue.jobs import JobRun, job
from app.kernel.work import Work


def let_go(work: Work, args: dict[str, Any], reason: str) -> None:
    """The validation's job came to no end of its own."""
    give_up_validation(work, args, reason)


@job("connectors.validate_integration", attempts=3, lease=timedelta(seconds=30), given_up=let_go)
def validate_integration(run: JobRun, *, connection_id: str, mark: str, asked_at: str) -> Outcome:
    """Somebody wants to know whether a configuration keeps its promises."""
    with run.work() as work:
        asked = begin_validation(work, UUID(connection_id), mark, asked_at)
    tried, said = [], "" if asked else "It was set otherwise before it could be tried."
    if asked:
        try:
            tried = try_apart(asked.provider, asked.config)
        except ChecksUnrun as error:
            said = str(error)
    with run.finish() as work:
        end_validation(work, UUID(connection_id), mark, asked_at, tried, said=said)
    return Done()
