"""Keeps the programs of one run alive and stops them together: one thread, one loop, one readable log.

It starts what it is told to start and knows nothing of what these programs do.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from app.demo.embedded.children import Launch, Register, marked, send, spawn
from app.demo.log import Lines, Log
from app.demo.servers import EmbeddedServers
from app.demo.signals import Stopped, StopSignals
from app.kernel.errors import SlipwayError

GRACE = 3.7  # seconds from SIGTERM to SIGKILL; a worker lets its jobs run for 3.5
STOP_WITHIN = 4.5  # seconds in which everything has ended, servers included
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 5.0
STEADY = 10.0  # a child that lived this long has earned a quick restart
ASK_READY_EVERY = 0.1
OURSELVES = "slipway"
LAST_WORDS = 32  # pieces of output read from a child that has ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One program to keep alive. `sockets` are descriptors it inherits; `environment` is added to the run's.

    `waits`: started only when the run is ready. `final`: when it ends, the run ends with its exit code.
    """

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    sockets: tuple[int, ...] = ()
    waits: bool = False
    final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run consists of. `is_ready` is asked until it says yes once, then `on_ready` is told."""

    children: Sequence[Child]
    environment: Mapping[str, str]
    servers: EmbeddedServers
    log: Log
    is_ready: Callable[[], bool] = lambda: True
    on_ready: Callable[[], None] = lambda: None


class Supervised:
    """A child and its present life: it may live many times."""

    def __init__(self, child: Child, run: Run) -> None:
        self.child = child
        self._run = run
        self._failures = 0
        self._started = 0.0
        self._lines = Lines(run.log, child.name)
        self.process: subprocess.Popen[bytes] | None = None
        self.output = -1
        # When to start it, by time.monotonic(); None: not now.
        self.due: float | None = None if child.waits else 0.0

    def start(self) -> int:
        """Start it; the descriptor of its output, which never blocks."""
        output, theirs = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(output, False)
        environment = {**self._run.environment, **self.child.environment, "PYTHONUNBUFFERED": "1"}
        try:
            self.process = spawn(
                Launch(
                    argv=self.child.argv,
                    output=theirs,
                    environment=marked(environment, self._run.servers.folder),
                    sockets=self.child.sockets,
                )
            )
        finally:
            os.close(theirs)
        self.due, self._started = None, time.monotonic()
        self._register.add(self.process.pid)
        self.output = output
        return output

    def read(self) -> bool:
        """Log one piece of what it has said; False when there is no more to read now, or ever."""
        try:
            chunk = os.read(self.output, 65536)
        except BlockingIOError:
            return False
        self._lines.feed(chunk)
        return bool(chunk)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it lives."""
        if self.process is not None:
            send(self.process.pid, number)

    def reap(self) -> int | None:
        """Its exit code if it has ended; by then nothing that it started in its session lives."""
        if self.process is None or not _has_ended(self.process.pid):
            return None
        send(self.process.pid, signal.SIGKILL, group=True)
        code = self.process.wait()
        for _ in range(LAST_WORDS):
            if not self.read():
                break
        self._lines.close()
        os.close(self.output)
        self._register.drop(self.process.pid)
        self.process = None
        return code

    def pause(self) -> float:
        """Seconds until the next start: longer each time, unless it had lived for a while."""
        self._failures = 0 if time.monotonic() - self._started > STEADY else self._failures + 1
        seconds = min(LONGEST_PAUSE, FIRST_PAUSE * (1 << min(8, max(0, self._failures - 1))))
        self.due = time.monotonic() + seconds
        return seconds

    @property
    def _register(self) -> Register:
        return self._run.servers.register


class Supervisor:
    """Runs until a stop signal, a final child's end, or a server that cannot be brought back."""

    def __init__(self, run: Run, stop: StopSignals) -> None:
        self._run = run
        self._stop = stop
        self._children = [Supervised(child, run) for child in run.children]
        self._selector = selectors.DefaultSelector()
        self._code: int | None = None
        self._ready = False
        self._ask_at = 0.0

    def run(self) -> int:
        """Keep everything alive; the run's exit code once all has ended, the servers too."""
        self._selector.register(self._stop.wakeup, selectors.EVENT_READ, None)
        try:
            while self._code is None and not self._stop.count and not self._run.log.broken:
                self._start_due()
                self._listen(self._idle_time())
                self._restart_ended()
                self._look_after_servers()
                self._look_whether_ready()
        except Stopped:
            pass
        finally:
            self._stop_all()
            self._selector.close()
        return self._code or 0

    def _start_due(self) -> None:
        for each in self._children:
            if each.process is None and each.due is not None and each.due <= time.monotonic():
                self._selector.register(each.start(), selectors.EVENT_READ, each)

    def _idle_time(self) -> float:
        now = time.monotonic()
        waits = [each.due - now for each in self._children if each.due is not None]
        if not self._ready:
            waits.append(self._ask_at - now)
        return max(0.0, min(waits, default=5.0))

    def _listen(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            if isinstance(key.data, Supervised) and not key.data.read():
                self._selector.unregister(key.fileobj)  # it has closed its output, and may go on without
        self._stop.drain()

    def _ended(self) -> list[tuple[Supervised, int]]:
        ended = []
        for each in self._children:
            if each.process is not None and _has_ended(each.process.pid):
                self._unlisten(each)
                if (code := each.reap()) is not None:
                    ended.append((each, code))
        return ended

    def _restart_ended(self) -> None:
        for each, code in self._ended():
            if each.child.final:
                self._code = code if code >= 0 else 128 - code
            else:
                self._say(f"{each.child.name} {_how(code)}; it starts again in {each.pause():.2g} s")

    def _look_after_servers(self) -> None:
        try:
            with self._stop.raising():
                for name in self._run.servers.revive():
                    self._say(f"{name} had ended by itself; it runs again")
        except SlipwayError as error:
            self._say(str(error))
            self._code = 1

    def _look_whether_ready(self) -> None:
        if self._ready or time.monotonic() < self._ask_at:
            return
        self._ask_at = time.monotonic() + ASK_READY_EVERY
        self._ready = self._run.is_ready()
        if self._ready:
            self._run.on_ready()
            for each in self._children:
                each.due = 0.0 if each.child.waits else each.due

    def _stop_all(self) -> None:
        began = time.monotonic()
        for each in self._children:
            each.signal(signal.SIGTERM)
        while any(each.process for each in self._children) and time.monotonic() < began + GRACE:
            self._listen(max(0.0, began + GRACE - time.monotonic()))
            self._ended()
        for each in self._children:
            if each.process is not None:
                self._say(f"{each.child.name} did not end in time and was killed")
                each.signal(signal.SIGKILL)
                os.waitid(os.P_PID, each.process.pid, os.WEXITED | os.WNOWAIT)
                self._unlisten(each)
                each.reap()
        self._run.servers.stop(within=max(0.6, STOP_WITHIN - (time.monotonic() - began)))

    def _unlisten(self, each: Supervised) -> None:
        with contextlib.suppress(KeyError):
            self._selector.unregister(each.output)

    def _say(self, text: str) -> None:
        self._run.log.line(OURSELVES, text.encode())


def _has_ended(pid: int) -> bool:
    """Whether it has ended, leaving it unreaped: until then nobody else can get its pid or its group's number."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _how(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
