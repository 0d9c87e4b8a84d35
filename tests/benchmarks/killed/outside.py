"""What everybody calls, and a note of when which step of which flow called it."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from app.connectors.catalog.stand_in import Answer, Call


@dataclass(frozen=True, slots=True)
class Attempt:
    """A call that arrived: when, for which step (`flow-number`), and when it was answered."""

    began: float
    step: str
    ended: float

    @property
    def flow(self) -> str:
        """The flow whose step it was."""
        return self.step.rpartition("-")[0]


class Outside:
    """Makes a workspace for each new idempotency key, as the product's stand-in does, and minds no name made twice."""

    def __init__(self) -> None:
        self.made: dict[str, dict[str, Any]] = {}
        self._attempts: list[Attempt] = []
        self._lock = threading.Lock()

    def __call__(self, call: Call) -> Answer:
        """Answer one authorised request."""
        if call.method != "POST":
            return Answer(200, {"id": call.account, "name": call.account, "items": []})
        began, step = time.perf_counter(), str(call.body["external_id"])
        with self._lock:
            known = self.made.get(call.headers["idempotency-key"])
            made = known or {"id": f"ws_{len(self.made)}", "external_id": step, "url": "https://x.example"}
            self.made[call.headers["idempotency-key"]] = made | {"state": "active", "name": "Step", "plan": "team"}
            self._attempts.append(Attempt(began, step, time.perf_counter()))
        return Answer(201, self.made[call.headers["idempotency-key"]])

    def attempts(self, flows: list[str], *, since: float = 0) -> list[Attempt]:
        """The calls of these flows from a moment on, in order."""
        with self._lock:
            return [each for each in self._attempts if each.began >= since and each.flow in flows]

    def done(self, flows: list[str]) -> int:
        """How many steps of these flows have had their effect."""
        return len({each.step for each in self.attempts(flows)})

    def repeated(self, flows: list[str]) -> int:
        """Calls that came again for a step."""
        return len(self.attempts(flows)) - self.done(flows)

    def doubled(self, flows: list[str]) -> int:
        """Effects beyond one for a step: what a call did that came again under another key."""
        with self._lock:
            made = Counter(each["external_id"] for each in self.made.values())
        return sum(count - 1 for step, count in made.items() if step.rpartition("-")[0] in flows)

    def gaps(self, flows: list[str]) -> list[float]:
        """Seconds from the answer of each step to the call of the next."""
        calls: dict[str, list[Attempt]] = defaultdict(list)
        for each in self.attempts(flows):
            calls[each.flow].append(each)
        return [later.began - earlier.ended for of in calls.values() for earlier, later in pairwise(of)]
