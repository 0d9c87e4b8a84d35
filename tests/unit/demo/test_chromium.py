"""Which browser the browser tests get, and what happens without one."""

from __future__ import annotations

import sys

import pytest

from app.demo.checks.browser import find_chromium
from tests.chromium import chromium_or

FAILS = (sys.executable, "-c", "raise SystemExit(1)")


def program(folder, name):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def nowhere(tmp_path):
    return {"PATH": str(tmp_path / "bin"), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path / "browsers")}


class TestFindChromium:
    def test_prefers_the_chosen_one(self, tmp_path, nowhere):
        program(tmp_path, "bin/chromium")
        chosen = program(tmp_path, "mine")
        assert find_chromium({**nowhere, "SLIPWAY_CHROMIUM": str(chosen)}) == chosen

    @pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
    def test_finds_one_on_the_path(self, tmp_path, nowhere, name):
        assert find_chromium(nowhere) is None
        found = program(tmp_path, f"bin/{name}")
        assert find_chromium(nowhere) == found

    def test_finds_the_one_playwright_has_downloaded(self, tmp_path, nowhere):
        found = program(tmp_path, "browsers/chromium-1200/chrome-linux/chrome")
        assert find_chromium(nowhere) == found


class TestChromiumOr:
    def test_skips_with_the_command_that_would_run_them(self, nowhere):
        with pytest.raises(pytest.skip.Exception, match="this would run them: "):
            chromium_or(nowhere, FAILS)

    def test_never_skips_in_ci(self, nowhere):
        with pytest.raises(pytest.fail.Exception, match="no Chromium"):
            chromium_or({**nowhere, "CI": "true"}, FAILS)

    def test_uses_what_was_just_installed(self, tmp_path, nowhere):
        path = tmp_path / "bin" / "chromium"
        (tmp_path / "bin").mkdir()
        install = (sys.executable, "-c", f"import os; os.close(os.open({str(path)!r}, os.O_CREAT, 0o755))")
        assert chromium_or(nowhere, install) == path

    def test_does_not_install_another_when_the_chosen_one_is_wrong(self, tmp_path, nowhere):
        install = (sys.executable, "-c", f"open({str(tmp_path / 'ran')!r}, 'w')")
        with pytest.raises(pytest.skip.Exception, match="SLIPWAY_CHROMIUM"):
            chromium_or({**nowhere, "SLIPWAY_CHROMIUM": "/nowhere"}, install)
        assert not (tmp_path / "ran").exists()
