"""Chromium as the look and the gallery test start it."""

import shutil

from playwright.sync_api import Browser, Playwright

_QUIET = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
]


def launch(playwright: Playwright) -> Browser:
    """The Chromium that this machine has, else Playwright's own."""
    return playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_QUIET)
