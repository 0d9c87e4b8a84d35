"""`python -m tests.benchmarks [group …]`: one JSON object a line on standard output, progress on standard error."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from itertools import chain
from pathlib import Path

import migrations.records
from app.bootstrap.plugins import configure_logging
from tests.benchmarks import access, engine, jobs, pages, templates, tenancy
from tests.benchmarks.connections import measure as connections
from tests.benchmarks.due import measure as due
from tests.benchmarks.fair.measure import measure as fairness
from tests.benchmarks.ground import Ground, opened
from tests.benchmarks.measure import Group, say

assert migrations.records.MODULES
GROUPS: dict[str, Group] = {
    "tenancy": tenancy.measure,
    "access": access.measure,
    "templates": templates.measure,
    "engine": engine.measure,
    "jobs": lambda ground: chain(jobs.measure(ground), fairness(ground)),
    "due": due.measure,
    "connections": connections.measure,
    "pages": pages.measure,
}


def main(wanted: list[str]) -> int:
    """Measure the wanted groups, or all. A missed budget is a result, not a failure: the exit code stays 0."""
    if unknown := set(wanted) - set(GROUPS):
        say(f"There is no group {', '.join(sorted(unknown))}. Groups: {' '.join(GROUPS)}.")
        return 2
    _write_log_nowhere()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers' folder goes, too
    began = time.monotonic()
    with opened() as ground:
        for name in [name for name in GROUPS if name in wanted] or GROUPS:
            _measure(name, ground)
    say(f"done in {time.monotonic() - began:.0f} s")
    return 0


def _measure(name: str, ground: Ground) -> None:
    load, cores = os.getloadavg()[0], os.cpu_count()
    say(f"{name} … (others and we keep {load:.1f} of {cores} cores busy)")
    for figure in GROUPS[name](ground):
        sys.stdout.write(figure.line(name) + "\n")
        sys.stdout.flush()


def _write_log_nowhere() -> None:
    """Log lines are made as in production, since making them costs, and thrown away."""
    configure_logging("json")
    (handler,) = logging.getLogger().handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(Path("/dev/null").open("w"))  # noqa: SIM115 - closed with the program


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
