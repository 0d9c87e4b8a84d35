"""How a run is told to stop. Set explicitly: a program started by a script's `cmd &` finds SIGINT ignored on entry."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self

from app.demo.embedded.children import STOPPING


class Stopped(BaseException):
    """A stop signal came while something long was under way; not an error, so no `except Exception` takes it."""


class StopSignals:
    """Counts stop signals, and wakes a selector for these and for every child that ends. Main thread only.

    Used as a context manager: the handlers that were there before come back at the end.
    """

    def __init__(self) -> None:
        self.count = 0
        self._raising = False
        self.wakeup, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._stop) for number in STOPPING}
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        self._fd_before = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(self._fd_before)
        for number, before in self._before.items():
            signal.signal(number, signal.SIG_DFL if before is None else before)
        os.close(self.wakeup)
        os.close(self._writer)

    @contextmanager
    def raising(self) -> Iterator[None]:
        """Within this block a stop signal raises Stopped, at once also for one that came before."""
        self._raising = True
        try:
            if self.count:
                raise Stopped
            yield
        finally:
            self._raising = False

    def drain(self) -> None:
        """Forget what woke the selector; whoever woke has looked around by then."""
        try:
            while os.read(self.wakeup, 4096):
                pass
        except BlockingIOError:
            return

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1
        if self._raising:
            raise Stopped
