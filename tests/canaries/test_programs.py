"""The demo's programs, each a process of its own: none of their log lines, tables, files and mails holds a secret."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.demo.servers import EmbeddedServers
from tests.canaries import listening
from tests.canaries.marks import MARK, OF_THIS_RUN
from tests.canaries.places import every_file, find_in
from tests.factories.vault.canaries import tables, valkey

ROOT = Path(__file__).parents[2]
_LIMIT = 1200  # seconds of one run, on a machine that does much else


@pytest.mark.soak
@pytest.mark.timeout(_LIMIT + 120)
def test_canaries_of_separate_programs_are_nowhere(tmp_path: Path):
    """From closed deal to first value by web, worker and dispatcher, all of which draw marked secrets."""
    folder = tmp_path / ".slipway"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SLIPWAY_")}
    path = os.pathsep.join([str(ROOT / "tests" / "canaries" / "site"), str(ROOT)])
    before = len(listening.FOUND)
    ran = subprocess.run(
        [sys.executable, "-m", "app.cli", "demo", "--once", "--folder", str(folder), "--port", "8770"],
        cwd=ROOT,
        env={**clean, "PYTHONPATH": path, OF_THIS_RUN[0]: OF_THIS_RUN[1]},
        capture_output=True,
        text=True,
        timeout=_LIMIT,
        check=False,
    )
    assert ran.returncode == 0, (ran.stdout + ran.stderr)[-4000:]
    assert all(MARK in token for token in _tokens(folder)), "or nothing is shown: the programs drew other secrets"
    found = [*listening.FOUND[before:], *find_in("demo", every_file(folder))]
    with EmbeddedServers(folder) as servers:
        for url in (servers.control_url, servers.cell_url):
            found += find_in("table", tables(url))
        found += find_in("valkey", valkey(servers.redis_url))
    assert not found, "\n".join(["", *map(str, found)])


def _tokens(folder: Path) -> list[str]:
    [kept] = folder.glob("demo/*/tokens.json")
    tokens = list(json.loads(kept.read_text()).values())
    assert tokens
    return tokens
