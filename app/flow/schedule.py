"""The plan, forward: when each item begins and ends, by what has happened and by what the template gives it.

A pure function of definition and state: nothing here knows which way a state came about, so putting a cause back puts
back the very same dates.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Literal

from app.flow.calendar import BusinessTime
from app.flow.definition import Definition, Duration, Item, Side
from app.flow.state import LEFT_OUT, SETTLED, ItemStatus, Plan, State
from app.flow.steps.draft import due_after, reach

Edge = Literal["begin", "end"]
Node = tuple[str, Edge]  # an item's key, and which end of it
Basis = Literal["", "opened", "pinned"] | ItemStatus  # what fixes a node, if anything does
_NO_PLAN = Plan()
_moment = itemgetter(0)
_THAT_DAY = Duration(business_days=0)


def plan_due_dates(definition: Definition, state: State, start: datetime) -> dict[str, datetime]:
    """When each item is due (UTC) in histories whose dates do not follow what happens: planned once, at the start."""
    return _Once(definition, state, start).all()


class Forecast:
    """Begins and ends of all items of one state, and what each hangs on."""

    def __init__(self, definition: Definition, state: State, start: datetime) -> None:
        self.definition, self.state, self.start = definition, state, start
        self.plan = state.plan or _NO_PLAN
        self._binding: dict[Node, Node] = {}
        self._times: dict[Side, BusinessTime] = {"partner": state.time_for("partner")}
        self._times["customer"] = state.time_for("customer")
        # Kept by side, each by the item's key alone: most of what deciding an event costs is looking these up.
        self._begins: dict[str, datetime] = {}
        self._ends: dict[str, datetime] = {}
        self._fix()

    def _fix(self) -> None:
        """What is fixed whatever comes before it, as `basis` says of each."""
        for key, item in self.state.items.items():
            if item.opened_at and item.state != "waiting":
                self._begins[key] = item.opened_at
            if item.state in SETTLED and item.settled_at:
                self._ends[key] = item.settled_at
        for key in self.plan.pins:
            moment = self.basis((key, "end"))[1]
            if moment:
                self._ends[key] = moment

    def begin(self, key: str) -> datetime:
        """When the item began, or is expected to begin."""
        known = self._begins.get(key)
        if known is None:
            item = self.definition.items[key]
            known = self.begin(item.parent) if item.parent else self.start
            known = self._begins[key] = self._latest(known, self.joins(item))
        return known

    def end(self, key: str) -> datetime:
        """When the item ended, or is expected to end; what waits for it can begin then."""
        known = self._ends.get(key)
        if known is None:
            item = self.definition.items[key]
            known = self._after(item, self.begin(key))
            known = self._ends[key] = self._latest(known, self.definition.needed(item))
        return known

    def due(self, key: str) -> datetime:
        """The date of an item that has not ended; one without any time of its own has the day on which it begins."""
        item, end = self.definition.items[key], self.end(key)
        dated = item.due is not None or item.children or key in self.plan.pins
        return end if dated else _same_day(self.time_of(item), end)

    def at(self, node: Node) -> datetime:
        """The moment of a node."""
        return self.begin(node[0]) if node[1] == "begin" else self.end(node[0])

    def _latest(self, latest: datetime, earlier: Sequence[str]) -> datetime:
        ends = self._ends
        return max([latest, *[ends.get(name) or self.end(name) for name in earlier]]) if earlier else latest

    def binding(self, node: Node) -> Node:
        """Which of the nodes that this one comes after leaves it the latest moment; of several, the first."""
        if node not in self._binding:
            _, self._binding[node] = max(self.hangs_on(node), key=_moment)
        return self._binding[node]

    def basis(self, node: Node) -> tuple[Basis, datetime | None]:
        """What fixes a node whatever comes before it: it has happened, or a person chose its day; else ("", None)."""
        key, side = node
        item = self.state.items.get(key)
        if item is None:
            return ("", None)
        if side == "begin":
            return ("opened", item.opened_at) if item.opened_at and item.state != "waiting" else ("", None)
        if item.state in SETTLED:
            return (item.state, item.settled_at)
        if key in self.plan.pins:
            return ("pinned", self.pinned(key))
        return ("", None)

    def hangs_on(self, node: Node) -> list[tuple[datetime, Node]]:
        """What a node comes after, each with the earliest moment it leaves to this node."""
        key, side = node
        item = self.definition.items[key]
        if side == "begin":
            first: Node = (item.parent or "", "begin")
            moment, earlier = self.at(first) if item.parent else self.start, list(self.joins(item))
        else:
            first = (key, "begin")
            moment, earlier = self._after(item, self.at(first)), self.definition.needed(item)
        ends: list[Node] = [(name, "end") for name in earlier]
        return [(moment, first), *((self.at(end), end) for end in ends)]

    def joins(self, item: Item) -> tuple[str, ...]:
        """What the item begins after: all that it depends on, or with `any` the first of it that is not left out."""
        if item.join == "all" or not item.depends_on:
            return item.depends_on
        taken = [key for key in item.depends_on if not self._is_left_out(key)]
        return (min(taken, key=self.end),) if taken else item.depends_on

    def _is_left_out(self, key: str) -> bool:
        return key in self.state.items and self.state.items[key].state in LEFT_OUT

    def pinned(self, key: str) -> datetime:
        """The moment of a day that a person chose: its closing time, or that of the next day on which both work."""
        time = self.time_of(self.definition.items[key])
        return time.add_days(time.owner.hours_of(self.plan.pins[key])[0], 0)

    def time_of(self, item: Item) -> BusinessTime:
        """The business time in which an item is done."""
        return self._times[item.side]

    def _after(self, item: Item, begin: datetime) -> datetime:
        if item.due is None:
            return begin
        time = self.time_of(item)
        end = _reach(time, begin, item.due)
        for since, until in self.plan.pauses:
            if begin < until and since < end:
                end = time.put_off(end, time.business_between(max(since, begin), until))
        return end


@lru_cache(maxsize=8192)
def _reach(time: BusinessTime, start: datetime, duration: Duration) -> datetime:
    return reach(time, start, duration)


def _same_day(time: BusinessTime, begin: datetime) -> datetime:
    return _reach(time, begin, _THAT_DAY)


class _Once:
    def __init__(self, definition: Definition, state: State, start: datetime) -> None:
        self.definition, self.state, self.start = definition, state, start
        self.begins: dict[str, datetime] = {}
        self.ends: dict[str, datetime] = {}

    def all(self) -> dict[str, datetime]:
        return {key: self._end(item) for key, item in self.definition.items.items()}

    def _begin(self, item: Item) -> datetime:
        if item.key not in self.begins:
            items = self.definition.items
            earlier = [self._end(items[key]) for key in item.depends_on]
            joined = [min(earlier)] if item.join == "any" and earlier else earlier
            above = self._begin(items[item.parent]) if item.parent else self.start
            self.begins[item.key] = max([above, *joined])
        return self.begins[item.key]

    def _end(self, item: Item) -> datetime:
        if item.key not in self.ends:
            begin = self._begin(item)
            if item.due is not None:
                own = due_after(self.state, begin, item.due, item.side)
            else:
                own = max([begin, *(self._end(self.definition.items[child]) for child in self.definition.needed(item))])
            self.ends[item.key] = own
        return self.ends[item.key]
