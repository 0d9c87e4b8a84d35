"""Each mutant against the tests that reach it: `python -m tests.property.flow.mutation.trial NAMES FATES ARGUMENTS...`.

Run in the folder that mutmut made. NAMES is a file with the mutants to try; FATES is written: what became of each, and
the test that noticed it. ARGUMENTS are pytest's.

mutmut's own runner collects the tests anew for every mutant: with its wrappers nine tenths of a run. Here they are
collected once, and each mutant has a fork of a process that has run no test: what a cache has kept from sound code
would hide a mutant. The tests that noticed other mutants of a function come first, then the quick ones; the first that
fails ends it.
"""

from __future__ import annotations

import gc
import json
import os
import pickle
import signal
import sys
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

from tests.property.flow.mutation.bodies import Bodies, function_of

# A mutant may make a loop endless: a test may take so many times its own processor time, and so many seconds more.
TIMES, MORE = 20, 3


@dataclass(frozen=True)
class Reach:
    """What each test costs, and which functions it reaches."""

    seconds: dict[str, float]
    functions: dict[str, set[str]]

    def of(self, function: str) -> list[str]:
        """The tests that reach it."""
        return [test for test, functions in self.functions.items() if function in functions]


class Watch:
    """Ends a fork with the first test that fails, and says which."""

    def __init__(self, tell: int) -> None:
        self.tell = tell

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """A skipped test says nothing."""
        if call.excinfo is not None and not call.excinfo.errisinstance(pytest.skip.Exception):
            os.write(self.tell, f"{item.nodeid}\n{call.excinfo.exconly()}".encode()[:4000])
            os._exit(1)


class Trial:
    """Runs in pytest's place once it has collected the tests."""

    def __init__(self, bodies: Bodies, mutants: Sequence[str]) -> None:
        self.bodies, self.mutants = bodies, mutants
        self.fates: dict[str, tuple[str, str]] = {}
        self.items: dict[str, pytest.Item] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Measure the tests on sound code, make sure that a fork of it passes, and try every mutant."""
        self.items = {item.nodeid: item for item in session.items}
        gc.collect()
        gc.freeze()
        reach = self._measure()
        widest = max(map(function_of, self.mutants), key=lambda function: len(reach.of(function)))
        assert self._try(widest, reach.of(widest), reach)[0] == "survived", "sound code fails"
        noticed: dict[str, Counter[str]] = defaultdict(Counter)
        for mutant in self.mutants:
            before = noticed[function_of(mutant)]
            tests = sorted(reach.of(function_of(mutant)), key=lambda test: (-before[test], reach.seconds[test]))
            fate, test = self._try(mutant, tests, reach) if tests else ("no tests", "")
            before[test] += 1
            self.fates[mutant] = fate, test
        return True

    def _measure(self) -> Reach:
        codes, seconds, functions = self.bodies.codes(), dict[str, float](), dict[str, set[str]]()

        def all_tests(tell: int) -> None:
            self.items[next(iter(self.items))].config.pluginmanager.register(Watch(tell))
            for test, following in self._in_turn(list(self.items)):
                reached, began = set[str](), time.process_time()
                sys.setprofile(_seen(codes, reached))
                test.config.hook.pytest_runtest_protocol(item=test, nextitem=following)
                sys.setprofile(None)
                seconds[test.nodeid], functions[test.nodeid] = time.process_time() - began, reached
            with os.fdopen(tell, "wb", closefd=False) as told:
                pickle.dump(Reach(seconds, functions), told)

        told, status = _in_a_fork(all_tests)
        assert status == 0, told.decode()
        found = pickle.loads(told)  # noqa: S301 - our own fork's
        assert isinstance(found, Reach)
        return found

    def _try(self, mutant: str, tests: list[str], reach: Reach) -> tuple[str, str]:
        """What becomes of it, and the test that notices it."""

        def until_one_fails(tell: int) -> None:
            self.bodies.put(mutant)
            self.items[tests[0]].config.pluginmanager.register(Watch(tell))
            for test, following in self._in_turn(tests):
                signal.setitimer(signal.ITIMER_PROF, MORE + TIMES * reach.seconds[test.nodeid])
                test.config.hook.pytest_runtest_protocol(item=test, nextitem=following)

        told, status = _in_a_fork(until_one_fails)
        if status == 1:
            return "killed", told.decode(errors="replace").partition("\n")[0]
        if status == 0:
            return "survived", ""
        return ("timeout" if status == -signal.SIGPROF else "died"), ""

    def _in_turn(self, tests: list[str]) -> list[tuple[pytest.Item, pytest.Item | None]]:
        items = [self.items[test] for test in tests]
        return list(zip(items, [*items[1:], None], strict=True))


def _seen(codes: dict[CodeType, str], functions: set[str]) -> Callable[[FrameType, str, Any], None]:
    def called(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call" and frame.f_code in codes:
            functions.add(codes[frame.f_code])

    return called


def _in_a_fork(work: Callable[[int], None]) -> tuple[bytes, int]:
    """What the work tells, and how its process ended: 0 when it came to its end."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 2
        try:
            work(write)
            status = 0
        except BaseException:  # noqa: BLE001 - a fork never comes back to its parent's work
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        told = pipe.read()
    return told, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(names: str, fates: str, *arguments: str) -> int:
    """Returns pytest's exit status."""
    bodies = Bodies()
    bodies.collect()
    trial = Trial(bodies, json.loads(Path(names).read_text("utf-8")))
    status = int(pytest.main(list(arguments), plugins=[trial]))
    Path(fates).write_text(json.dumps(trial.fates), "utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
