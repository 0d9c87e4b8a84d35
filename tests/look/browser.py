"""Chromium as the look and the gallery test start it: quiet, and calling nobody."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Playwright

from tests.chromium import arguments

_QUIET = [
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
]


def launch(playwright: Playwright, program: Path | None) -> Browser:
    """Start `program`, or Playwright's own browser where there is none."""
    return playwright.chromium.launch(executable_path=program, args=[*arguments(), *_QUIET])
