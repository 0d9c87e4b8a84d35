"""`slipway demo --once` as a newcomer runs it: a folder of its own, everything embedded, twice."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEADLINE = 110  # seconds; DESIGN gives the first run two minutes


def run_once(folder: Path) -> tuple[int, str, float]:
    """Run the demo to its end. Returns the exit code, what it said, and how long it took."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SLIPWAY_")}
    began = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-m", "app.cli", "demo", "--once", "--folder", str(folder), "--port", "8750"],
        cwd=ROOT,
        env=clean,
        capture_output=True,
        text=True,
        timeout=DEADLINE + 60,
        check=False,
    )
    return ran.returncode, ran.stdout + ran.stderr, time.monotonic() - began


@pytest.mark.timeout(2 * (DEADLINE + 60))
class TestDemoOnce:
    def test_goes_from_closed_deal_to_first_value_and_works_again(self, tmp_path: Path):
        code, said, first = run_once(tmp_path / ".slipway")
        assert code == 0, said[-4000:]
        for expected in (
            "the handoff gate blocks",
            "the SLA timer fired",
            "onboarding.first_value.reached",
            "it holds",
        ):
            assert expected in said
        code, said, second = run_once(tmp_path / ".slipway")
        assert code == 0, said[-4000:]
        assert "Making three partners" not in said
        assert second < first
