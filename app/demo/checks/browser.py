"""Finds a Chromium; installs none."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
IN_PLAYWRIGHT = ("chromium-*/chrome-linux*/chrome", "chromium-*/chrome-mac*/Chromium.app/Contents/MacOS/Chromium")


def find_chromium(environ: Mapping[str, str] = os.environ) -> Path | None:
    """SLIPWAY_CHROMIUM, one on the PATH, or the newest that Playwright has downloaded."""
    if chosen := environ.get("SLIPWAY_CHROMIUM"):
        return Path(chosen) if os.access(chosen, os.X_OK) else None
    for name in NAMES:
        if found := shutil.which(name, path=environ.get("PATH")):
            return Path(found)
    cache = Path(environ.get("PLAYWRIGHT_BROWSERS_PATH") or _cache())
    downloaded = (path for pattern in IN_PLAYWRIGHT for path in cache.glob(pattern))
    return max(downloaded, key=lambda path: path.stat().st_mtime, default=None)


def _cache() -> Path:
    return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "ms-playwright"
