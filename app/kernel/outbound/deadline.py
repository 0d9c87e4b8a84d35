"""The one clock of a call, and a resolver that obeys it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable


class Deadline:
    """The one clock of a call: every wait gets what is left of the whole."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    def left(self, trouble: type[Exception], at_most: float | None = None) -> float:
        """Seconds left, or `at_most` if that is less. Raises the given trouble when there are none."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise trouble("the time for this call is up")
        return left if at_most is None else min(left, at_most)


def within(deadline: Deadline, look_up: Callable[[], list[str]]) -> list[str]:
    """Run the system's resolver, which knows no time limit, in a thread that may be left behind."""
    answers: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put(look_up())
        except Exception as error:  # noqa: BLE001  carried over to the caller's thread, not swallowed
            answers.put(error)

    threading.Thread(target=run, daemon=True, name="resolve").start()
    try:
        found = answers.get(timeout=deadline.left(TimeoutError))
    except queue.Empty:
        raise TimeoutError("the resolver took too long") from None
    if isinstance(found, Exception):
        raise found
    return found
