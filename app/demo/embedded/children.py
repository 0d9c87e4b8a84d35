"""Child programs that cannot outlive us: started with a parent-death signal, and found again by the next run.

A process is known by pid and start time together: a pid alone may long be someone else's.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.demo.embedded.account import Account
from app.demo.embedded.folder import RuntimeFolder, write_private
from app.kernel.errors import Unavailable

PROC = Path("/proc")
PR_SET_PDEATHSIG = 1
MARK = "SLIPWAY_RUN"
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SERVERS = ("postgres", "initdb", "valkey-server")
LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class LeftoversAlive(Unavailable):
    """Programs of an earlier run would not end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How to start one child. `death_signal` reaches it when we die; `sockets` are descriptors it inherits."""

    argv: Sequence[str]
    output: int
    death_signal: signal.Signals = signal.SIGKILL
    account: Account | None = None
    folder: Path | None = None
    environment: Mapping[str, str] | None = None
    sockets: tuple[int, ...] = ()


def spawn(launch: Launch) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, so that a terminal's Ctrl-C reaches only us.

    The kernel binds the death signal to the thread that forked: from a thread that ends it would kill the child.
    Hence only the main thread may spawn; RuntimeError otherwise.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("children are started from the main thread only: they die with the thread that forked them")
    # A stop signal that raises here waits until the child bears its mark, by which it is found whoever has lost it.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        return _spawn(launch, before)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _spawn(launch: Launch, mask: Iterable[int]) -> subprocess.Popen[bytes]:
    account = launch.account or Account("as yourself")
    return subprocess.Popen(
        [*account.prefix, *launch.argv],
        stdin=subprocess.DEVNULL,
        stdout=launch.output,
        stderr=subprocess.STDOUT,
        cwd=launch.folder,
        env=dict(launch.environment) if launch.environment is not None else None,
        start_new_session=True,
        user=account.uid,
        group=account.uid,
        extra_groups=None if account.uid is None else [],
        pass_fds=launch.sockets,
        preexec_fn=_die_with(os.getpid(), launch.death_signal, mask),  # noqa: PLW1509 - one system call, no lock is taken
    )


def _die_with(parent: int, death_signal: signal.Signals, mask: Iterable[int]) -> Callable[[], None]:
    prctl = None if LIBC is None else LIBC.prctl

    def ask_for_signal() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if prctl is not None:
            prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)  # the parent died between fork and here: its signal would never come

    return ask_for_signal


def marked(environment: Mapping[str, str], folder: RuntimeFolder) -> dict[str, str]:
    """An environment by which the next run recognises whatever a child has started in turn."""
    return {**environment, MARK: str(folder.root)}


class Register:
    """The file that names our children by (pid, start time), for a next run that has to clear up after us."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._children: dict[int, int] = {}

    def add(self, pid: int) -> None:
        """Remember a child that has just been started."""
        self._children[pid] = start_time(pid) or 0
        self._write()

    def drop(self, pid: int) -> None:
        """Forget a child that has been waited for."""
        if self._children.pop(pid, None) is not None:
            self._write()

    def clear(self) -> None:
        """Everything has ended: there is nothing to find."""
        self._children.clear()
        self._path.unlink(missing_ok=True)

    def earlier(self) -> list[int]:
        """Children of an earlier run that still live."""
        try:
            rows: list[list[int]] = json.loads(self._path.read_text())
            return [pid for pid, started in rows if start_time(pid) == started]
        except (OSError, ValueError, TypeError):
            return []

    def _write(self) -> None:
        write_private(self._path, json.dumps(sorted(self._children.items())))


def start_time(pid: int) -> int | None:
    """When a live process started, in clock ticks since boot; None for one that is gone or only waits to be reaped."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def servers_in(folders: Iterable[Path]) -> list[int]:
    """Our servers, backends that outlived their postmaster too, that work in one of these folders."""
    wanted = {str(folder) for folder in folders}
    return [
        pid
        for pid in own_processes()
        if _link(pid, "cwd") in wanted and Path(_link(pid, "exe")).name in SERVERS and start_time(pid) is not None
    ]


def marked_by(folder: RuntimeFolder) -> list[int]:
    """Processes that a run in this folder has started, directly or not; never ourselves or those above us."""
    mark = os.fsencode(f"{MARK}={folder.root}")
    above = set(_ancestors(os.getpid()))
    return [pid for pid in own_processes() if pid not in above and mark in _environment(pid)]


def end_all(find: Callable[[], Iterable[int]], *, gently: float = 3.0, within: float = 10.0) -> None:
    """End what `find` finds: PostgreSQL's processes by SIGQUIT for the first `gently` seconds, all else by SIGKILL.

    Raises LeftoversAlive when something still lives after `within` seconds.
    """
    began = time.monotonic()
    while found := list(find()):
        passed = time.monotonic() - began
        if passed > within:
            raise LeftoversAlive(f"Programs of an earlier run would not end: {found}. End them, then start again.")
        for pid in found:
            gentle = Path(_link(pid, "exe")).name == "postgres" and passed < gently
            send(pid, signal.SIGQUIT if gentle else signal.SIGKILL)
        time.sleep(0.05)


def send(pid: int, number: signal.Signals, *, group: bool = False) -> None:
    """Signal a process or its group; one that is gone is fine."""
    with contextlib.suppress(ProcessLookupError):
        (os.killpg if group else os.kill)(pid, number)


def own_processes() -> Iterator[int]:
    """Live processes of our user; for root also those of the account that nobody else is."""
    for entry in PROC.iterdir() if PROC.exists() else ():
        try:
            if entry.name.isdigit() and (os.geteuid() == 0 or entry.stat().st_uid == os.geteuid()):
                yield int(entry.name)
        except OSError:
            continue


def _ancestors(pid: int) -> Iterator[int]:
    while pid > 0:
        yield pid
        try:
            pid = int((PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return


def _environment(pid: int) -> list[bytes]:
    try:
        return (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


def _link(pid: int, name: str) -> str:
    try:
        return str((PROC / str(pid) / name).readlink()).removesuffix(" (deleted)")
    except OSError:
        return ""
