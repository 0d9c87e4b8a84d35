"""The line of schemas that wait for a worker. Whoever had to step back stands at the end of it, a while later."""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count
from threading import Condition


@dataclass(order=True, slots=True)
class Waiting:
    """One schema in the line; `ready` is a monotonic time in seconds."""

    ready: float
    number: int
    cell: str = field(compare=False)
    schema: str = field(compare=False)
    attempts: int = field(compare=False)


class Line:
    """Hands out one schema after the other to several threads."""

    def __init__(self, steps: Iterable[tuple[str, str, int]]) -> None:
        self._numbers = count()
        self._heap = [Waiting(0.0, next(self._numbers), *step) for step in steps]
        self._out = 0
        self._closed = False
        self._changed = Condition()

    def __len__(self) -> int:
        """How many wait, whether they may be tried yet or not."""
        with self._changed:
            return len(self._heap)

    def take(self) -> Waiting | None:
        """The next one that may be tried, waiting for it; None when nothing is left or the line was closed."""
        with self._changed:
            while not self._closed and (self._heap or self._out):
                pause = self._heap[0].ready - time.monotonic() if self._heap else None
                if pause is not None and pause <= 0:
                    self._out += 1
                    return heapq.heappop(self._heap)
                self._changed.wait(pause)
            return None

    def settle(self, *again: Waiting) -> None:
        """The one that was taken is done with, or comes `again`, behind all that are ready."""
        with self._changed:
            self._out -= 1
            for each in again:
                heapq.heappush(self._heap, each)
            self._changed.notify_all()

    def later(self, one: Waiting, seconds: float, *, attempts: int) -> None:
        """Put the one that was taken back to the end."""
        ready = time.monotonic() + seconds
        self.settle(Waiting(ready, next(self._numbers), one.cell, one.schema, attempts))

    def close(self) -> None:
        """Hand out nothing more; what is out comes to its end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
