"""A run of the demo in a process of its own, watched from outside by other means than the product's."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


class DemoRun:
    """`slipway demo` with tiny children, its log read as it comes."""

    def __init__(self, folder: Path, *args: str, children: str = "web", prefix: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.child = started([*prefix, interpreter(prefix), *words(folder, children), *args])
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self.child.pid

    @property
    def text(self) -> str:
        return "".join(self.said)

    def until(self, words: str, times: int = 1) -> str:
        """The line that holds these words, once it has come that often."""
        wait_for(lambda: self.text.count(words) >= times or self.child.poll() is not None, f"{words!r}", self)
        lines = [line for line in self.text.splitlines() if words in line]
        assert len(lines) >= times, self.text
        return lines[times - 1]

    def address(self) -> str:
        """Where the platform is, as printed."""
        self.until("Slipway is ready")
        return self.until("  Platform").split()[-1]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Signal it and wait; how many seconds that took."""
        began = time.monotonic()
        self.child.send_signal(number)
        self.child.wait(20)
        self._reader.join(5)
        return time.monotonic() - began

    def end(self) -> None:
        """Whatever the test did, nothing of it stays."""
        for pid in [self.pid, *living(self.folder)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.child.wait(10)
        self._reader.join(5)
        if self.child.stdout is not None:
            self.child.stdout.close()

    def _read(self) -> None:
        for line in self.child.stdout or ():
            self.said.append(line)


def words(folder: Path, children: str) -> list[str]:
    """The command of a run, without the interpreter."""
    return ["-m", "tests.integration.demo.tiny", "demo", children, "--folder", str(folder)]


def started(command: list[str]) -> subprocess.Popen[str]:
    """A program with one pipe for all it says."""
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def environment() -> dict[str, str]:
    """Ours without settings of a real installation, and so that another interpreter finds the same packages."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SLIPWAY_")}
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    port = str(20000 + os.getpid() % 20000)
    return {
        **kept,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{packages}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "SLIPWAY_HTTP_PORT": port,
    }


def interpreter(prefix: tuple[str, ...]) -> str:
    """This interpreter, or another that runs the same packages and that whoever `prefix` makes us may run."""
    if not prefix:
        return sys.executable
    for python in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        command = [*prefix, python, "-c", "import psycopg, redis"]
        with contextlib.suppress(OSError):
            if subprocess.run(command, capture_output=True, check=False, env=environment()).returncode == 0:
                return python
    return ""


def ordinary_user(uid: int) -> tuple[str, ...]:
    """Words before a command that make it run as an ordinary user.

    Where root keeps Python to itself: as one in a user namespace, who is no root to PostgreSQL and to us either.
    """
    if os.geteuid() != 0:
        pytest.skip("an ordinary user already runs every other test here as one")
    account = ("setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups")
    namespace = ("unshare", "-U", f"--map-user={uid}", f"--map-group={uid}")
    for prefix in (account, namespace):
        if interpreter(prefix):
            return prefix
    pytest.skip("needs setpriv and a Python that other users may run, or unshare: apt install util-linux python3")


def living(folder: Path) -> list[int]:
    """Every process that mentions the folder in its command, its environment or as its working folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if (entry / "stat").read_text().rpartition(")")[2].split()[0] in "ZX":
                continue
            words = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            if os.fsencode(folder) in words or (entry / "cwd").readlink().is_relative_to(folder):
                found.append(int(entry.name))
        except (OSError, PermissionError):
            continue
    return found


def wait_for(condition: Callable[[], object], what: str, run: DemoRun | None = None, within: float = 60.0) -> float:
    """Wait until something holds; how many seconds that took."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > within:
            pytest.fail(f"waited {within} s for {what}\n{run.text if run else ''}")
        time.sleep(0.02)  # between two looks: the kernel tells nobody but the parent
    return time.monotonic() - began


def nothing_lives(folder: Path, within: float = 10.0) -> float:
    """Nothing of a run in this folder lives, at the latest after `within` seconds."""
    began = time.monotonic()
    while left := living(folder):
        if time.monotonic() - began > within:
            pytest.fail("\n".join(["still alive:", *(f"{pid} {said(pid)}" for pid in left)]))
        time.sleep(0.02)  # between two looks: the kernel tells nobody but the parent
    return time.monotonic() - began


def said(pid: int) -> str:
    """The command of a process."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return "gone"


def ask(address: str) -> str:
    """What the web child answers."""
    connection = HTTPConnection("127.0.0.1", int(address.rsplit(":", 1)[1]), timeout=10)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read().decode()
    finally:
        connection.close()
