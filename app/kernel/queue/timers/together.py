"""Fires timers of one tenant in one transaction of a worker; where one of them fails, each becomes a job of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import structlog

from app.kernel.errors import Unavailable
from app.kernel.outcomes import Done, Outcome
from app.kernel.queue.jobs import JobKind, JobRun, LeaseLost, Together, job
from app.kernel.queue.timers.due import TIMERS
from tenants.sessions import DatabaseAway

log = structlog.get_logger(__name__)
_TRIES = 2  # a worker may die at any moment; one that dies of these timers does not get all of them again
# Firing is work of this process and waits for nobody: with more of it at once, each would hold its locks for as long as
# the server lets a transaction be silent, and none would be done sooner.
_turn = threading.BoundedSemaphore(8)


def timer_job(name: str) -> Callable[[Together], Together]:
    """Register what the timers of a kind do, given the arguments of each: subject, version, moment and their own.

    They are of one tenant, in the order in which they were due. What it raises leaves nothing of any of them, and each
    is then tried alone.
    """

    def register(function: Together) -> Together:
        def fire_alone(run: JobRun, **timer: Any) -> Outcome:
            with run.finish() as work:
                function(work, [timer])
            return Done()

        job(name, together=function)(fire_alone)
        return function

    return register


def is_of_several(run: JobRun) -> bool:
    """Whether the job is about several timers."""
    return TIMERS in run.job.args


def fire_together(run: JobRun, kind: JobKind) -> Outcome:
    """Do what the timers ask for and complete the job, in one transaction; else ask for a job for each of them."""
    timers = run.job.args[TIMERS]
    if kind.together and run.job.attempts <= _TRIES:
        try:
            with _turn, run.finish() as work:
                kind.together(work, timers)
        except (LeaseLost, DatabaseAway, Unavailable):
            raise  # of none of them in particular
        except Exception as error:  # noqa: BLE001 - whichever it was, it says so again when it is alone
            log.warning("timers.apart", job=kind.name, timers=len(timers), reason=type(error).__name__)
        else:
            return Done()
    with run.finish() as work:
        for timer in timers:
            work.enqueue(kind.name, args=timer)
    return Done()
