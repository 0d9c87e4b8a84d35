"""One contender's run: flows undisturbed, then flows while its worker is killed and started again."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

from tests.benchmarks.killed.outside import Outside
from tests.benchmarks.measure import percentile, say
from tests.benchmarks.peers.chain import STEPS

QUIET_FLOWS, KILLED_FLOWS = 8, 16
KILLS, SEED = 8, 2026
_PATIENCE = 60.0  # seconds after the last kill; what has not happened by then counts as lost
_AWAITED = 15.0  # seconds after a restart; whoever needs longer is killed again before it goes on


class Contender(Protocol):
    """Somebody who runs flows of twelve calls in a worker program of its own."""

    name: str

    def begin(self, flows: Sequence[str]) -> None:
        """Ask for these flows; each is run once, whatever happens to the worker."""

    def start(self) -> subprocess.Popen[bytes]:
        """Start the worker program, which goes on with what is unfinished."""


@dataclass(frozen=True, slots=True)
class Result:
    """What was seen. Times in seconds; `gaps` between steps undisturbed, `recoveries` from a restart to a call."""

    steps_per_second: float
    gaps: list[float]
    lost: int
    repeated: int
    doubled: int
    recoveries: list[float]
    took: float


def contest(contender: Contender, outside: Outside) -> Result:
    """Both halves of the run. The worker is the contender's own program each time, imports included."""
    worker = contender.start()
    try:
        _warm(contender, outside)
        quiet = [f"{contender.name}q{number}" for number in range(QUIET_FLOWS)]
        say(f"engine: {contender.name}, {QUIET_FLOWS} flows of {STEPS} calls")
        contender.begin(quiet)
        _wait(outside, quiet, _PATIENCE)
        calls = outside.attempts(quiet)
        rate = len(calls) / (calls[-1].ended - calls[0].began)
        killed = [f"{contender.name}k{number}" for number in range(KILLED_FLOWS)]
        say(f"engine: {contender.name}, {KILLED_FLOWS} flows, the worker killed {KILLS} times")
        began = time.perf_counter()
        contender.begin(killed)
        worker, recoveries = _kill_again_and_again(contender, outside, killed, worker)
        _wait(outside, killed, _PATIENCE)
        took = outside.attempts(killed)[-1].ended - began
    finally:
        worker.kill()
        worker.wait()
    lost = KILLED_FLOWS * STEPS - outside.done(killed)
    gaps = outside.gaps(quiet)
    return Result(rate, gaps, lost, outside.repeated(killed), outside.doubled(killed), recoveries, took)


def p95(times: Sequence[float]) -> float:
    """The 95th percentile, 0 where there is nothing."""
    return percentile(times, 95) if times else 0.0


def _warm(contender: Contender, outside: Outside) -> None:
    first = [f"{contender.name}w{number}" for number in range(2)]
    contender.begin(first)
    _wait(outside, first, _PATIENCE)


def _kill_again_and_again(
    contender: Contender, outside: Outside, flows: list[str], worker: subprocess.Popen[bytes]
) -> tuple[subprocess.Popen[bytes], list[float]]:
    """Kill -9 at random moments while there is something to do. Returns the last worker and how long each needed."""
    chance, recoveries = Random(SEED), list[float]()  # noqa: S311 - the same moments for everybody
    for _kill in range(KILLS):
        time.sleep(chance.uniform(0.2, 1.0))  # the flows' turn
        if outside.done(flows) == len(flows) * STEPS:
            break
        worker.kill()
        worker.wait()
        began = time.perf_counter()
        worker = contender.start()
        while not outside.attempts(flows, since=began) and time.perf_counter() - began < _AWAITED:
            time.sleep(0.005)  # another program's turn
        recoveries.append(time.perf_counter() - began)
    return worker, recoveries


def _wait(outside: Outside, flows: list[str], patience: float) -> None:
    end = time.perf_counter() + patience
    while outside.done(flows) < len(flows) * STEPS and time.perf_counter() < end:
        time.sleep(0.02)  # another program's turn
