"""The product's programs as processes, forked from one that has read all the code: started in no time."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from app.cli import COMMANDS
from tests.integration.onboarding.checker.crashes import Fuses, lay, new_fuses

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["app.bootstrap.wiring", "app.bootstrap.dispatching", "app.worker", "app.asgi", __name__])
COMMAND = {"worker": "worker", "dispatcher": "dispatcher", "web": "serve"}


@dataclass
class Started:
    """One process of a program, with the fuses that a test may arm in it."""

    name: str
    process: ForkServerProcess
    fuses: Fuses = field(repr=False)

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.join(20)

    @property
    def died_at(self) -> str | None:
        """The crash point it died of; empty where it died otherwise, None while it lives."""
        if self.process.exitcode is None:
            return None
        return self.fuses.armed.value.decode() if self.fuses.blown.value else ""


def start_program(name: str, environment: dict[str, str], log: Path) -> Started:
    """Run one of the commands of `slipway` with these settings."""
    fuses = new_fuses(_FORKS)
    process = _FORKS.Process(target=_run, args=(name, environment, str(log), fuses, os.getpid()), daemon=True)
    process.start()
    return Started(name, process, fuses)


def _run(name: str, environment: dict[str, str], log: str, fuses: Fuses, test: int) -> None:
    threading.Thread(target=_end_with, args=(test,), daemon=True).start()
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(written, stream)
    os.environ.update(environment)
    lay(name, fuses)
    sys.exit(COMMANDS[COMMAND[name]]([]))


def _end_with(test: int) -> None:
    """A test that was killed leaves no program behind: not even its fork server tells them of it."""
    asleep = threading.Event()
    try:
        while not asleep.wait(1.0):
            os.kill(test, 0)
    except ProcessLookupError:
        os._exit(1)
