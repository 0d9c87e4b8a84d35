"""A peer's own virtual environment, made from its own lock and kept between runs."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.measure import say

_KEPT = Path(".slipway") / "peers"


def python_of(peer: Path) -> Path:
    """The interpreter of the peer's environment; made on first use, and anew when its lock has changed."""
    lock = peer / "requirements.txt"
    place = _KEPT.absolute() / f"{peer.name}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    python = place / "bin" / "python"
    if not (place / "ready").exists():
        say(f"installing {peer.name} into an environment of its own")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(place)], check=True)
        install = ["--require-hashes", "--no-deps", "-r", str(lock)]
        quiet = ["-q", "--disable-pip-version-check"]
        subprocess.run([str(python), "-m", "pip", "install", *quiet, *install], check=True, stdout=sys.stderr)
        (place / "ready").touch()
    return python


def run(peer: Path, folder: Path, arguments: list[str], **environment: str) -> str:
    """What the peer's `drive.py` says, run in `folder`. Raises CalledProcessError after its errors were shown."""
    command = [str(python_of(peer)), str(peer / "drive.py"), *arguments]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("SLIPWAY_", "PYTHON"))}
    env = clean | {"PYTHONPATH": str(folder)} | environment
    ran = subprocess.run(command, cwd=folder, env=env, check=True, stdout=subprocess.PIPE, text=True)
    return ran.stdout
