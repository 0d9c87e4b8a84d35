"""The gate in front of every request of a connection, and its counters in this process.

Other processes count in the same place where they share one (`shared`). What is counted here may be lost: a lost count
costs a refusal by the peer, never an effect.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from app.connectors.kit.manifest import Limits, Window

Ended = Literal["well", "failed", "neither"]
Reason = Literal["budget", "held", "open"]
LONGEST_OPEN: Final = 600.0  # seconds a breaker stays open at most
PROBE: Final = 30.0  # seconds that one probe has before another may be sent
_MOST: Final = 10_000  # connections counted in one process


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now: a budget is spent, the peer asked for patience, or the breaker is open. `seconds` until it may be."""

    reason: Reason
    seconds: float


@dataclass(frozen=True, slots=True)
class Standing:
    """How a connection stands: its breaker, failures in a row, and seconds until it is tried again."""

    circuit: Literal["closed", "open", "half_open"] = "closed"
    failures: int = 0
    seconds: float = 0.0
    held: float = 0.0


class Gate(Protocol):
    """Asked before each request of a connection, told of each answer. Never raises."""

    def ask(self, key: str, limits: Limits) -> Wait | None:
        """Count one request in and let it pass, or say how long to wait."""

    def tell(self, key: str, limits: Limits, ended: Ended, hold: float = 0.0) -> bool:
        """How it ended; `hold` are seconds for which the peer wants no more: a peer that asks has not failed.

        Whether the breaker has opened by it.
        """

    def look(self, key: str) -> Standing:
        """How the connection stands now."""

    def lift(self, key: str) -> None:
        """A person wants it called again at once: pause, failures and breaker are forgotten, what was spent is not."""


@dataclass(slots=True)
class _Count:
    """Two neighbouring spans of one window: the share of the older that still counts falls evenly."""

    began: float
    now: int = 0
    before: int = 0

    def turn(self, at: float, window: Window) -> None:
        """Go on to the span that `at` is in."""
        passed = int((at - self.began) // window.seconds)
        if passed > 0:
            self.before = self.now if passed == 1 else 0
            self.now, self.began = 0, self.began + passed * window.seconds

    def wait(self, at: float, window: Window) -> float:
        """Seconds until one more fits."""
        into = at - self.began
        free = window.requests - self.now - 1
        if free < 0:
            return window.seconds - into
        if self.before * (1 - into / window.seconds) <= free:
            return 0.0
        return max(window.seconds * (1 - free / self.before) - into, 0.001)


@dataclass(slots=True)
class _State:
    counts: dict[int, _Count] = field(default_factory=dict)
    failures: int = 0
    opened: int = 0
    open_until: float = 0.0
    probe_until: float = 0.0
    held_until: float = 0.0


class LocalGate:
    """The gate of one process, by its own clock. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: OrderedDict[str, _State] = OrderedDict()

    def ask(self, key: str, limits: Limits) -> Wait | None:
        """Count one request in and let it pass, or say how long to wait."""
        at = time.monotonic()
        with self._lock:
            state = self._state(key)
            if state.held_until > at:
                return Wait("held", state.held_until - at)
            shut_until = max(state.open_until, state.probe_until) if state.opened else 0.0
            if shut_until > at:
                return Wait("open", shut_until - at)
            if (seconds := self._spent(state, limits, at)) > 0:
                return Wait("budget", seconds)
            for count in state.counts.values():
                count.now += 1
            if state.opened:
                state.probe_until = at + PROBE
        return None

    def tell(self, key: str, limits: Limits, ended: Ended, hold: float = 0.0) -> bool:
        """How it ended; `hold` are seconds for which the peer wants no more. Whether the breaker has opened by it."""
        at = time.monotonic()
        with self._lock:
            state = self._state(key)
            state.probe_until = 0.0
            state.held_until = max(state.held_until, at + hold) if hold > 0 else state.held_until
            if ended == "well":
                state.failures = state.opened = 0
                state.open_until = 0.0
            elif ended == "failed":
                state.failures += 1
                if state.failures >= limits.breaker.failures and state.open_until <= at:
                    state.opened += 1
                    state.open_until = at + open_seconds(limits, state.opened)
                    return True
        return False

    def look(self, key: str) -> Standing:
        """How the connection stands now."""
        at = time.monotonic()
        with self._lock:
            state = self._states.get(key) or _State()
            return standing(state.failures, state.opened, state.open_until - at, state.held_until - at)

    def lift(self, key: str) -> None:
        """A person wants it called again at once."""
        with self._lock:
            if key in self._states:
                self._states[key] = _State(counts=self._states[key].counts)

    def _state(self, key: str) -> _State:
        state = self._states.setdefault(key, _State())
        self._states.move_to_end(key)
        if len(self._states) > _MOST:
            self._states.popitem(last=False)
        return state

    @staticmethod
    def _spent(state: _State, limits: Limits, at: float) -> float:
        longest = 0.0
        for number, window in enumerate(limits.windows):
            count = state.counts.setdefault(number, _Count(at))
            count.turn(at, window)
            longest = max(longest, count.wait(at, window))
        return longest


def open_seconds(limits: Limits, opened: int) -> float:
    """For how long a breaker opens for the so-manieth time in a row."""
    return min(limits.breaker.seconds * 2.0 ** min(opened - 1, 10), LONGEST_OPEN)


def standing(failures: int, opened: int, left: float, held: float) -> Standing:
    """What the counters say in words."""
    circuit: Literal["closed", "open", "half_open"] = "closed"
    if opened:
        circuit = "open" if left > 0 else "half_open"
    return Standing(circuit, failures, max(left, 0.0), max(held, 0.0))
