"""The rule by which jobs are handed out: start-time fair queuing, first between queues, then between tenants. Pure.

Everybody has a virtual time: the seconds of workers it has been given, divided by its weight. Whoever has the earliest
is next. Who has asked for nothing for a while begins where the others are (`reached`): there is no credit for the past.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple, TypeVar
from uuid import UUID

WEIGHTS: Final[Mapping[str, float]] = {"interactive": 16.0, "default": 4.0, "bulk": 1.0}
GUESS: Final = 0.02  # seconds of a worker that a job of a tenant costs of which nothing is known
_BOUNDS: Final = (0.001, 30.0)  # between which what a job costs is believed
# Seconds that anybody may be ahead: what it used while nobody else waited is not held against it for longer.
_LEAD: Final = 60.0
_MEMORY: Final = 0.8  # how much of what a tenant's jobs cost is remembered at each further one

ShareKey = tuple[UUID, str]  # tenant, queue
FlowKey = tuple[UUID, str, str]  # tenant, queue, cap key
T = TypeVar("T")


class Flow(NamedTuple):
    """What waits of one tenant in one queue under one cap, in order: `head` is since when the first could be at work.

    `most` is how many of the cap's may be on their way at once; None where there is no cap of its own.
    """

    tenant_id: UUID
    queue: str
    cap_key: str
    head: datetime
    most: int | None = None

    @property
    def share(self) -> ShareKey:
        """Whose virtual time it is charged to."""
        return self.tenant_id, self.queue

    @property
    def key(self) -> FlowKey:
        """What tells it from others."""
        return self.tenant_id, self.queue, self.cap_key


@dataclass(slots=True)
class Share:
    """What a tenant has had of a queue. `cost` is what one of its jobs takes (s), `at_once` its cap over all queues."""

    vtime: float = 0.0
    cost: float = GUESS
    weight: float = 1.0
    at_once: int | None = None


@dataclass(slots=True)
class Pace:
    """Of a queue: the virtual time it has `spent` among queues, and the one its tenants have `reached`."""

    spent: float = 0.0
    reached: float = 0.0


class Pick(NamedTuple):
    """A job of this flow is next, at this virtual time of its tenant and of its queue."""

    flow: Flow
    start: float
    queue_start: float


@dataclass
class Turns:
    """How far everybody is. `reached` is the virtual time of the queues among each other."""

    shares: dict[ShareKey, Share] = field(default_factory=dict)
    paces: dict[str, Pace] = field(default_factory=dict)
    reached: float = 0.0

    def plan(self, flows: Iterable[Flow], room: int, busy: Mapping[tuple[UUID, str], int]) -> list[Pick]:
        """Who is next, so many times; nothing is changed. `busy`: jobs on their way by (tenant, cap key)."""
        lines = _lines(self, flows, _Room(busy))
        queues = [(max(self._pace(queue).spent, self.reached), queue) for queue in lines]
        heapq.heapify(queues)
        picks: list[Pick] = []
        while queues and len(picks) < room:
            queue_start, queue = heapq.heappop(queues)
            if (found := lines[queue].next()) is None:
                continue
            flow, start = found
            picks.append(Pick(flow, start, queue_start))
            cost = self.shares[flow.share].cost
            heapq.heappush(queues, (queue_start + cost / WEIGHTS.get(queue, WEIGHTS["default"]), queue))
        return picks

    def charge(self, picks: Sequence[Pick]) -> None:
        """Count those of a plan that were handed out."""
        for pick in picks:
            share, pace = self.shares[pick.flow.share], self._pace(pick.flow.queue)
            share.vtime = max(share.vtime, pick.start) + share.cost / share.weight
            pace.reached = max(pace.reached, pick.start)
            weight = WEIGHTS.get(pick.flow.queue, WEIGHTS["default"])
            pace.spent = max(pace.spent, pick.queue_start) + share.cost / weight
            self.reached = max(self.reached, pick.queue_start)

    def _pace(self, queue: str) -> Pace:
        return self.paces.setdefault(queue, Pace())


def correct(share: Share, reached: float, *, seconds: float, handed: int) -> Share:
    """What has become known of a share's jobs: `handed` were charged as `cost` each, and took `seconds` in all."""
    vtime = share.vtime + (seconds - handed * share.cost) / share.weight
    cost = share.cost
    if handed:
        kept = _MEMORY**handed
        least, most = _BOUNDS
        cost = min(most, max(least, kept * cost + (1 - kept) * seconds / handed))
    return Share(min(vtime, max(share.vtime, reached + _LEAD)), cost, share.weight, share.at_once)


class _Room:
    """What the caps leave free."""

    def __init__(self, busy: Mapping[tuple[UUID, str], int]) -> None:
        self._of_cap = Counter(dict(busy))
        self._of_tenant: Counter[UUID] = Counter()
        for (tenant_id, _cap), number in busy.items():
            self._of_tenant[tenant_id] += number

    def has(self, flow: Flow, share: Share) -> bool:
        """Whether one more job of the flow may go."""
        free = flow.most is None or self._of_cap[flow.tenant_id, flow.cap_key] < flow.most
        return free and (share.at_once is None or self._of_tenant[flow.tenant_id] < share.at_once)

    def take(self, flow: Flow) -> None:
        """One more goes."""
        self._of_cap[flow.tenant_id, flow.cap_key] += 1
        self._of_tenant[flow.tenant_id] += 1


class _Line:
    """The tenants of one queue, the earliest first; of each, what waits the longest is first."""

    def __init__(self, turns: Turns, flows: Mapping[UUID, list[Flow]], reached: float, room: _Room) -> None:
        self._turns, self._room = turns, room
        self._waiting = {tenant: sorted((flow.head, flow) for flow in own) for tenant, own in flows.items()}
        self._heap = [
            (max(turns.shares[own[0].share].vtime, reached), min(flow.head for flow in own), tenant)
            for tenant, own in flows.items()
        ]
        heapq.heapify(self._heap)

    def next(self) -> tuple[Flow, float] | None:
        """The flow whose job is next, at which virtual time. None: what waits is held back by caps."""
        while self._heap:
            start, head, tenant = heapq.heappop(self._heap)
            for place, (_head, flow) in enumerate(self._waiting[tenant]):
                share = self._turns.shares[flow.share]
                if self._room.has(flow, share):
                    self._room.take(flow)
                    self._waiting[tenant].append(self._waiting[tenant].pop(place))  # its other flows are next
                    heapq.heappush(self._heap, (start + share.cost / share.weight, head, tenant))
                    return flow, start
        return None


def _lines(turns: Turns, flows: Iterable[Flow], room: _Room) -> dict[str, _Line]:
    found: dict[str, dict[UUID, list[Flow]]] = {}
    for flow in flows:
        turns.shares.setdefault(flow.share, Share())
        found.setdefault(flow.queue, {}).setdefault(flow.tenant_id, []).append(flow)
    return {queue: _Line(turns, own, turns.paces.get(queue, Pace()).reached, room) for queue, own in found.items()}


def in_turn(picks: Sequence[Pick], taken: Mapping[FlowKey, Sequence[T]]) -> Iterator[tuple[Pick, T]]:
    """What was found of each flow, in the order of the plan; picks for which nothing was found are left out."""
    rows = {key: iter(found) for key, found in taken.items()}
    for pick in picks:
        line = rows.get(pick.flow.key, iter(()))
        for row in line:
            yield pick, row
            break
