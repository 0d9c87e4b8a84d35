"""A Chromium for browser tests: found, else installed, else the tests are skipped with the command that would run them.

In CI (`CI=true`) nothing is ever skipped: without a browser the tests fail.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

from app.demo.checks.browser import find_chromium

DEBIAN = ("apt-get", "install", "-y", "--no-install-recommends", "chromium")
PLAYWRIGHT = (sys.executable, "-m", "playwright", "install", "chromium")
MINUTES = 5


def arguments() -> list[str]:
    """What Chromium must be started with here: as root it refuses its sandbox."""
    return ["--no-sandbox"] if os.geteuid() == 0 else []


@cache
def chromium() -> Path:
    """The browser's program. Where there is none and none can be installed: skips the test, or fails it in CI."""
    return chromium_or(os.environ, installation())


def chromium_or(environ: Mapping[str, str], install: tuple[str, ...]) -> Path:
    """The browser of this environment, if need be after running `install`."""
    if "SLIPWAY_CHROMIUM" in environ:  # a wrong choice is an error, not a reason to install another
        return find_chromium(environ) or give_up(environ, "SLIPWAY_CHROMIUM=/path/to/chromium")
    found = find_chromium(environ)
    if found is None and installs(install):
        found = find_chromium(environ)
    return found or give_up(environ, " ".join(install))


def installation() -> tuple[str, ...]:
    """Debian's package where we may install one, Playwright's own build elsewhere."""
    return DEBIAN if os.geteuid() == 0 and shutil.which(DEBIAN[0]) else PLAYWRIGHT


def installs(command: tuple[str, ...]) -> bool:
    """Run an installation; whether it ended well and in time."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=MINUTES * 60, env=environment)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def give_up(environ: Mapping[str, str], command: str) -> NoReturn:
    """Fail in CI, skip elsewhere, naming the command."""
    reason = f"no Chromium for browser tests; this would run them: {command}"
    if environ.get("CI", "").lower() in {"1", "true", "yes"}:
        pytest.fail(reason)
    pytest.skip(reason)
