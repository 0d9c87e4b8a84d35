"""How a thing is measured and how the number is written down. Knows nothing of what is measured."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.benchmarks.ground import Ground


@dataclass(frozen=True, slots=True)
class Budget:
    """What DESIGN 16 asks for: of our number, or of its ratio to the peer's."""

    sign: str  # ≤ or ≥
    limit: float
    of: str = "ours"  # ours | ratio

    def __str__(self) -> str:
        return f"{self.of} {self.sign} {self.limit:g}"

    def kept(self, value: float) -> bool:
        """Whether the value is within."""
        return value <= self.limit if self.sign == "≤" else value >= self.limit


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number; `peer_value` is in the same unit and from the same run."""

    name: str
    ours: float
    unit: str
    budget: Budget | None = None
    peer: str | None = None
    peer_value: float | None = None
    times: bool = False  # the ratio says how many times faster ours is, where less is better

    @property
    def ratio(self) -> float | None:
        """Ours to the peer's; with `times`, the peer's to ours."""
        if self.peer_value is None:
            return None
        return self.peer_value / self.ours if self.times else self.ours / self.peer_value

    @property
    def ok(self) -> bool | None:
        """Whether the budget is kept; None where there is none."""
        if self.budget is None:
            return None
        value = self.ours if self.budget.of == "ours" else self.ratio
        return value is not None and self.budget.kept(value)

    def line(self, group: str) -> str:
        """The JSON object that `make bench` prints."""
        shown = {
            "name": self.name,
            "group": group,
            "ours": _short(self.ours),
            "peer": self.peer,
            "peer_value": _short(self.peer_value),
            "ratio": _short(self.ratio),
            "unit": self.unit,
            "budget": str(self.budget) if self.budget else None,
            "ok": self.ok,
        }
        return json.dumps(shown, ensure_ascii=False)


Group = Callable[["Ground"], Iterable[Figure]]


def at_most(limit: float, of: str = "ours") -> Budget:
    """A budget with an upper limit."""
    return Budget("≤", limit, of)


def at_least(limit: float, of: str = "ours") -> Budget:
    """A budget with a lower limit."""
    return Budget("≥", limit, of)


def say(progress: str) -> None:
    """Tell whoever watches; standard output is for the numbers."""
    sys.stderr.write(f"bench: {progress}\n")
    sys.stderr.flush()


def sample(act: Callable[[], object], count: int, *, warm: int = 3) -> list[float]:
    """The seconds of each of `count` calls, after a few that do not count."""
    for _ in range(warm):
        act()
    return list(_timed(act, count))


def per_call(act: Callable[[], object], calls: int, *, rounds: int = 5) -> float:
    """Seconds a call of something too short to be timed alone: the best of some rounds of many calls."""
    act()
    best = float("inf")
    for _ in range(rounds):
        began = time.perf_counter()
        for _ in range(calls):
            act()
        best = min(best, time.perf_counter() - began)
    return best / calls


def percentile(times: Sequence[float], percent: float) -> float:
    """The smallest of the values that is not below `percent` of them (nearest rank): no value is made up."""
    ranked = sorted(times)
    return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]


def ms(seconds: float) -> float:
    """Seconds as milliseconds."""
    return seconds * 1000


def _timed(act: Callable[[], object], count: int) -> Iterator[float]:
    for _ in range(count):
        began = time.perf_counter()
        act()
        yield time.perf_counter() - began


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
