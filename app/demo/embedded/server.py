"""One server program: started with its log in a file, waited for until it answers, stopped by a ladder of signals."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.demo.embedded.account import Account
from app.demo.embedded.binaries import Binaries
from app.demo.embedded.children import Launch, Register, marked, send, spawn
from app.demo.embedded.folder import RuntimeFolder
from app.kernel.errors import Unavailable

LOG_LIMIT = 5 * 1024 * 1024


class ServerFailed(Unavailable):
    """A server ended, or did not answer in time, while it was being started."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What every server of one run stands on."""

    folder: RuntimeFolder
    binaries: Binaries
    account: Account
    register: Register


class Server(ABC):
    """The life of one child; a subclass says how to start it and how to tell that it answers."""

    name: str
    death_signal: signal.Signals
    # (signal, share of the time to wait after it)
    ladder: Sequence[tuple[signal.Signals, float]]

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.log = ground.folder.root / f"{self.name}.log"
        self.child: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def start(self) -> None:
        """Start it and wait until it answers. Raises ServerFailed."""

    @property
    def died(self) -> bool:
        """Whether it was started and has ended without being asked to."""
        return self.child is not None and self.child.poll() is not None

    def environment(self) -> dict[str, str]:
        """What a server gets to know of our environment: nothing but where programs are, and our mark."""
        known = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
        return marked(known, self.ground.folder)

    def launch(self, argv: Sequence[str], folder: Path) -> None:
        """Start the program with its output appended to its log."""
        mode = "wb" if self.log.exists() and self.log.stat().st_size > LOG_LIMIT else "ab"
        self.log.touch(mode=0o600)  # a failed statement's text stands in it
        with self.log.open(mode) as output:
            self.child = spawn(
                Launch(
                    argv=argv,
                    output=output.fileno(),
                    death_signal=self.death_signal,
                    account=self.ground.account,
                    folder=folder,
                    environment=self.environment(),
                )
            )
        self.ground.register.add(self.child.pid)

    def wait_until(self, answers: Callable[[], bool], *, within: float = 60.0) -> None:
        """Wait until it answers. Raises ServerFailed with the end of its log."""
        deadline = time.monotonic() + within
        while not answers():
            if self.died or time.monotonic() > deadline:
                said = self.log.read_text(errors="replace").splitlines()[-8:]
                raise ServerFailed("\n  ".join([f"{self.name} did not start. The end of {self.log}:", *said]))
            time.sleep(0.01)

    def stop(self, *, within: float = 5.0) -> None:
        """Ask, then insist; at the end nothing of it lives."""
        if self.child is None:
            return
        for number, share in self.ladder:
            send(self.child.pid, number)
            try:
                self.child.wait(within * share)
                break
            except subprocess.TimeoutExpired:
                continue
        self.child.wait(10)  # killed by now: only a stalled disk can hold it
        self.forget()

    def forget(self) -> None:
        """The child has ended: drop it from memory and register."""
        if self.child is not None:
            self.ground.register.drop(self.child.pid)
            self.child = None
