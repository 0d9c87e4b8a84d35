"""Events and jobs of these tests. Each job does one thing that shows in its tenant's `member` table."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import text

from app.identity.models import Member
from app.kernel.errors import Conflict
from app.kernel.events import Event
from app.kernel.ids import new_id
from app.kernel.outcomes import Done, GiveUp, NeedsPerson, Outcome, TryAgain
from app.kernel.queue.jobs import JobRun, LeaseLost, job
from app.kernel.queue.timers.together import timer_job
from app.kernel.work import Work


class GuestArrived(Event, frozen=True, kw_only=True):
    """Somebody came; for tests."""

    type: ClassVar[str] = "tests.guest.arrived"
    subject_kind: ClassVar[str] = "guest"

    note: str = ""


class GuestRefused(Conflict):
    """A rule said no; for tests."""


def add_guest(work: Work, name: str) -> UUID:
    """State that shows whether a transaction has committed."""
    guest = Member(
        person_id=new_id(),
        email=f"{name}@example.com",
        name=name,
        role="owner",
        locale="en",
        state="active",
        invited_at=work.now,
    )
    work.session.add(guest)
    return guest.person_id


def arrive(work: Work, name: str, **lane: Any) -> UUID:
    """State, trail and outbox of one guest."""
    guest_id = add_guest(work, name)
    seq = lane.pop("lane_seq", None)
    return work.announce(GuestArrived(subject_id=guest_id, note=name, **lane), lane_seq=seq)


# What the job of the current test does; jobs are registered once a process, tests are many.
body: dict[str, Callable[..., Outcome]] = {}
# What it does first.
beginning: dict[str, Callable[[Work, dict[str, Any]], object]] = {}


@job("tests.act")
def act(run: JobRun, **args: Any) -> Outcome:
    return body["act"](run, **args)


def begin_prepared(work: Work, args: dict[str, Any]) -> object:
    return beginning["prepared"](work, args)


@job("tests.prepared", first=begin_prepared)
def prepared(run: JobRun, **args: Any) -> Outcome:
    return body["prepared"](run, **args)


@job("tests.patient", lease=timedelta(milliseconds=300))
def patient(run: JobRun, **args: Any) -> Outcome:
    return body["patient"](run, **args)


@job("tests.twice", attempts=2)
def twice(run: JobRun, **args: Any) -> Outcome:
    return body["twice"](run, **args)


@job("tests.greet")
def greet(run: JobRun, *, name: str) -> Outcome:
    with run.finish() as work:
        arrive(work, name)
    return Done()


@job("tests.hear")
def hear(run: JobRun, *, event_id: str) -> Outcome:
    """A subscriber: reads the event's body where it was written and remembers that it heard it."""
    with run.finish() as work:
        note = work.session.execute(text("SELECT body ->> 'note' FROM trail WHERE id = :id"), {"id": event_id}).scalar()
        add_guest(work, f"heard {note}")
    return Done()


@job("tests.hear_too")
def hear_too(run: JobRun, *, event_id: str) -> Outcome:
    return hear(run, event_id=event_id)


@job("tests.kill", attempts=2)
def kill(run: JobRun, *, once: bool) -> Outcome:
    """Die in the middle, the first time or each time."""
    if not once or run.job.attempts == 1:
        with run.work() as work:
            add_guest(work, f"before {run.job.attempts}")
        os.kill(os.getpid(), signal.SIGKILL)
    with run.finish() as work:
        add_guest(work, "survived")
    return Done()


@job("tests.stop")
def stop(run: JobRun) -> Outcome:
    """Be stopped in the middle, the first time; say so where that has cost the lease."""
    if run.job.attempts == 1:
        os.kill(os.getpid(), signal.SIGSTOP)
    try:
        with run.finish() as work:
            arrive(work, f"attempt {run.job.attempts}")
    except LeaseLost:
        print("fenced", flush=True)  # noqa: T201 - its parent waits for this
        raise
    return Done()


@job("tests.note")
def note(run: JobRun, *, note: str = "", **_timer: Any) -> Outcome:
    """What a timer asks for: one line that shows."""
    with run.finish() as work:
        add_guest(work, note)
    return Done()


@timer_job("tests.gather")
def gather(work: Work, due: Sequence[dict[str, Any]]) -> None:
    """What timers ask for that may be fired together: a line for each; one is poison, one kills whoever touches it."""
    for timer in due:
        add_guest(work, timer["note"])
        if timer["note"] == "poison":
            raise GuestRefused("Not this one.")
        if timer["note"] == "deadly":
            work.session.flush()
            os.kill(os.getpid(), signal.SIGKILL)


OUTCOMES: dict[str, Outcome] = {
    "again": TryAgain(after=timedelta(minutes=5), reason="busy"),
    "give up": GiveUp(reason="never"),
    "person": NeedsPerson(reason="unclear"),
}
