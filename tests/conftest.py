"""What holds for every test of the tree; fixtures of one kind live in `tests/fixtures/`, one plugin a file."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from tests.canaries.drawing import mark_what_is_drawn

# Before anything is imported that keeps one of the functions by which tokens and keys are drawn.
mark_what_is_drawn()

# What is read while tests are looked for stays until the end: to search it for garbage took a tenth of every run.
gc.disable()

# Plugins are found, not listed: a new kind of fixture is a new file in tests/fixtures and touches nothing else.
pytest_plugins = [
    f"tests.fixtures.{path.stem}"
    for path in sorted((Path(__file__).parent / "fixtures").glob("[a-z]*.py"))
    if path.stem != "conftest"
]


# As every program logs, without the local variables of a traceback: to draw those of a whole installation took minutes.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)

# A measured time is no assertion: on a busy machine a sound example may take any time.
settings.register_profile("slipway", deadline=None)
settings.load_profile("slipway")


_LONGEST_SOAK = 3600  # seconds; a search that the ordinary time limit cuts off calls itself flaky


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A long run has the time it takes, unless it says itself how long."""
    for item in items:
        if item.get_closest_marker("soak") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(_LONGEST_SOAK))


def pytest_collection_finish() -> None:
    """All tests are read; from here on there is garbage, and only what is new is searched for it."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    """Where the server runs the tests, a browser test that skips itself is a failure: nobody reads skips there."""
    report = yield
    if report.skipped and os.environ.get("CI") and item.get_closest_marker("browser"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, which CI does not allow for browser tests: {report.longrepr}"
    return report
