"""Runs of the demo, ended whatever a test does."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.demo.servers import EmbeddedServers
from tests.integration.demo.runs import DemoRun


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Path:
    """A runtime folder whose cluster has been made once, to be copied: that saves most of a start."""
    made: Path = tmp_path_factory.mktemp("made") / ".slipway"
    with EmbeddedServers(made):
        pass
    return made


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A runtime folder that is still to be made."""
    return tmp_path / "empty" / ".slipway"


@pytest.fixture
def folder(tmp_path: Path, made: Path) -> Path:
    """A runtime folder that has been used before."""
    return copied(made, tmp_path / "u" / ".slipway")


@pytest.fixture
def other(tmp_path: Path, made: Path) -> Path:
    """A second one beside it."""
    return copied(made, tmp_path / "other" / ".slipway")


def copied(made: Path, to: Path) -> Path:
    """A copy that no run has locked or marked."""
    shutil.copytree(made, to, ignore=shutil.ignore_patterns("lock", "*.log", "pids.json"))
    return to


@pytest.fixture
def demo(folder) -> Iterator[Callable[..., DemoRun]]:
    """Starts runs in `folder`."""
    runs: list[DemoRun] = []

    def start(*args: str, where: Path = folder, children: str = "web", prefix: tuple[str, ...] = ()) -> DemoRun:
        runs.append(DemoRun(where, *args, children=children, prefix=prefix))
        return runs[-1]

    yield start
    for run in runs:
        run.end()
