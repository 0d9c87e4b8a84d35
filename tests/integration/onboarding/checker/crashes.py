"""Named crash points: where a program of the checker dies by its own hand, in the very moment that is asked for.

They are set here, in the forked test process, around functions of the product. The product itself holds none and reads
no variable: nothing that a production program is given can make it kill itself.
"""

from __future__ import annotations

import os
import pkgutil
import signal
from collections.abc import Callable
from ctypes import c_bool, c_char
from functools import wraps
from multiprocessing.context import ForkServerContext
from typing import Any, Literal, NamedTuple, Protocol

_LONGEST = 64

When = Literal["before", "after", "moved"]  # moved: after it, where it has given something that is not nothing


class Point(NamedTuple):
    """A moment of one function: the program dies before it, after it, or after it has moved something."""

    of: str
    when: When


POINTS: dict[str, Point] = {
    "worker: job claimed, nothing begun": Point("app.kernel.queue.execution._claim", "moved"),
    "worker: before the call outside": Point("app.kernel.outbound.client.OutboundClient.send", "before"),
    "worker: effect outside, nothing stored": Point("app.kernel.outbound.client.OutboundClient.send", "after"),
    "worker: engine has decided, nothing written": Point("app.onboarding.operations.advance.decide_by", "after"),
    "worker: timers fired, not committed": Point("app.onboarding.operations.moments.write_states", "after"),
    "worker: function done, job not settled": Point("app.kernel.queue.execution._settle", "before"),
    "worker: job completed, not committed": Point("app.kernel.queue.jobs.JobRun._complete", "after"),
    "worker: next job begun in the same commit": Point("app.kernel.work.Work.begin_job", "moved"),
    "worker: committed, next job held": Point("app.kernel.queue.execution._settle", "after"),
    "worker: committed, message kept": Point("app.kernel.queue.broker.run_jobs", "after"),
    "dispatcher: events relayed": Point("app.kernel.queue.loop.relay_outbox", "moved"),
    "dispatcher: timers fired": Point("app.kernel.queue.loop.fire_timers", "moved"),
    "dispatcher: jobs taken, not sent": Point("app.kernel.queue.loop.send", "before"),
    "dispatcher: jobs sent": Point("app.kernel.queue.loop.send", "moved"),
    "dispatcher: sequencer asked for": Point("app.kernel.queue.loop.arm_sequencers", "moved"),
    "web: command done, not stored": Point("app.kernel.work.Work.remember_command", "before"),
    "web: command stored, not committed": Point("app.kernel.work.Work.remember_command", "after"),
    "web: command committed, not answered": Point("app.web.begin.run_command", "after"),
    "web: webhook committed, not answered": Point("app.intake.api.take_in", "after"),
}


class Fuse(Protocol):
    """What a program and its test share: the point that is armed, and whether the program died of it."""

    value: Any


class Fuses(NamedTuple):
    """Both, in memory that outlives the program."""

    armed: Fuse
    blown: Fuse


def new_fuses(context: ForkServerContext) -> Fuses:
    """Nothing armed."""
    return Fuses(context.RawArray(c_char, _LONGEST), context.RawValue(c_bool, False))


def points_of(program: str) -> list[str]:
    """The points of one program, in the order above."""
    return [name for name in POINTS if name.startswith(f"{program}: ")]


def lay(program: str, fuses: Fuses) -> None:
    """Lay all points of a program in this process. Raises AttributeError where the product has no such function."""
    for name in points_of(program):
        owner, _, attribute = POINTS[name].of.rpartition(".")
        holder = pkgutil.resolve_name(owner)
        setattr(holder, attribute, _deadly(getattr(holder, attribute), name, fuses))


def _deadly(function: Callable[..., Any], name: str, fuses: Fuses) -> Callable[..., Any]:
    when, mark = POINTS[name].when, name.encode()

    def die() -> None:
        if fuses.armed.value == mark:
            fuses.blown.value = True
            os.kill(os.getpid(), signal.SIGKILL)

    @wraps(function)
    def around(*args: Any, **named: Any) -> Any:
        if when == "before":
            die()
        result = function(*args, **named)
        if when == "after" or (when == "moved" and result):
            die()
        return result

    return around
