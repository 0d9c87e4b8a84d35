"""The product's worker and dispatcher as processes, forked from one that has read all the code: started in no time."""

from __future__ import annotations

import multiprocessing
import os
import sys
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from app.cli import COMMANDS

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["app.bootstrap.wiring", "app.bootstrap.dispatching", "app.worker", __name__])


def start_program(name: str, environment: dict[str, str], log: Path) -> ForkServerProcess:
    """Run one of the commands of `slipway` with these settings."""
    process = _FORKS.Process(target=_run, args=(name, environment, str(log)), daemon=True)
    process.start()
    return process


def _run(name: str, environment: dict[str, str], log: str) -> None:
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(written, stream)
    os.environ.update(environment)
    sys.exit(COMMANDS[name]([]))
