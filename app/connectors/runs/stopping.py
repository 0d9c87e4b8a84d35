"""Stops runs whose purpose is over: what has sent nothing ends, what is calling ends with that call."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from sqlalchemy import select

from app.connectors.models import Run
from app.connectors.runs.ending import OPEN, STOPPING, end_run, outcome_of_stopped
from app.kernel.work import Work

SYSTEM_ONLY = {"stop_runs": "part of what ends the work they were asked for, by whoever may end it"}
_REASON: Final = "What it was for is over; nothing more is sent."
_UNSURE: Final = "It was stopped after a call of which nobody knows what it has done. Look there."


def stop_runs(work: Work, run_ids: Iterable[UUID]) -> None:
    """End these runs, as far as they have not ended; their onboarding is locked.

    One that waits (for a worker, for its next try, for a connection) is `cancelled`, or `unknown` where an earlier call
    of it is. One that calls at this moment is left that call: its outcome is kept, and no other call follows.
    """
    wanted = select(Run).where(Run.id.in_(list(run_ids)), Run.state.in_(OPEN)).order_by(Run.id)
    for run in work.session.scalars(wanted.with_for_update().execution_options(populate_existing=True)):
        if run.attempts and "ended_at" not in run.attempts[-1]:
            run.state = STOPPING
            continue
        outcome = outcome_of_stopped(run)
        end_run(work, run, outcome=outcome, reason=_UNSURE if outcome == "unknown" else _REASON, later=True)
