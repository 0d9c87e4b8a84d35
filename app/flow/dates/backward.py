"""The plan, backward from a wanted go-live: latest dates, days to spare, and whether it is met."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from msgspec import Struct

from app.flow.calendar import MOMENT
from app.flow.definition import Definition, Duration, Item
from app.flow.schedule import Forecast
from app.flow.state import State
from app.flow.steps.draft import HOUR, reach

GO_LIVE = "go_live"  # the phase of a stage that ends with the customer being live


class Latest(Struct, frozen=True):
    """By when an item must have ended at the latest, and its float: working days to spare, negative when they lack."""

    due_at: datetime
    to_spare: int


class GoLive(Struct, frozen=True, kw_only=True):
    """Whether a wanted day is met. `late_by`: working days that lack; 0 when it is met."""

    by: datetime
    expected: datetime
    late_by: int
    latest: dict[str, Latest]


def goes_live(definition: Definition) -> list[Item]:
    """The stages with whose end the customer is live: those of that phase; all, where the template names none."""
    stages = definition.of_kind("stage")
    return [stage for stage in stages if stage.phase == GO_LIVE] or stages


def look_back(definition: Definition, state: State) -> GoLive | None:
    """The way back from the wanted go-live; None where nobody wants a day, or the onboarding does not run."""
    if state.plan is None or state.plan.go_live is None or state.started_at is None or state.status != "running":
        return None
    forecast = Forecast(definition, state, state.started_at)
    by = state.partner.end_of(state.plan.go_live)
    expected = max(forecast.end(stage.key) for stage in goes_live(definition))
    clock = state.time_for("partner")
    late_by = max(1, clock.days_between(by, expected)) if expected >= by else 0
    return GoLive(by=by, expected=expected, late_by=late_by, latest=_Backward(forecast, by).all())


class _Backward:
    """Latest begins and ends, each from what follows it."""

    def __init__(self, forecast: Forecast, by: datetime) -> None:
        self.forecast, self.by = forecast, by
        self.items = forecast.definition.items
        self.live = {stage.key for stage in goes_live(forecast.definition)}
        self.followers: dict[str, list[str]] = defaultdict(list)
        for item in self.items.values():
            for earlier in item.depends_on if item.join == "all" else ():  # of several nobody waits for one of them
                self.followers[earlier].append(item.key)
        self._begins: dict[str, datetime | None] = {}
        self._ends: dict[str, datetime | None] = {}

    def all(self) -> dict[str, Latest]:
        """Of every item that has not ended and that the go-live waits for."""
        found = {}
        for key, item in self.items.items():
            bound = self._end(key)
            if bound is not None and not self.forecast.state.is_settled(key):
                time = self.forecast.time_of(item)
                latest = self._reached(item, bound)
                found[key] = Latest(latest, time.days_between(self.forecast.due(key), latest))
        return found

    def _reached(self, item: Item, bound: datetime) -> datetime:
        """The date that an item has when it begins as late as it may."""
        begin = self._begin(item.key)
        if item.due is None and not item.children:
            return self.forecast.time_of(item).add_days(bound, 0)
        if begin is None or item.due is None:
            return bound
        return min(bound, reach(self.forecast.time_of(item), begin, item.due))

    def _begin(self, key: str) -> datetime | None:
        if key not in self._begins:
            item = self.items[key]
            bounds = [self._begin(child) for child in self.forecast.definition.needed(item)]
            own = self._end(key)
            if own is not None and key in self.forecast.plan.pins:
                own = min(own, self.forecast.pinned(key))
            bounds.append(own if own is None or item.due is None else self._before(item, own, item.due))
            self._begins[key] = _least(bounds)
        return self._begins[key]

    def _end(self, key: str) -> datetime | None:
        if key not in self._ends:
            item = self.items[key]
            bounds = [self._begin(follower) for follower in self.followers[key]]
            bounds.append(self._end(item.parent) if item.parent and not item.optional else None)
            bounds.append(self.by - MOMENT if key in self.live else None)
            self._ends[key] = _least(bounds)
        return self._ends[key]

    def _before(self, item: Item, end: datetime, duration: Duration) -> datetime:
        time = self.forecast.time_of(item)
        if duration.business_hours is not None:
            return time.latest_for(end, duration.business_hours * HOUR)
        return time.latest_for_days(end, duration.business_days or 0)


def _least(bounds: list[datetime | None]) -> datetime | None:
    return min((bound for bound in bounds if bound is not None), default=None)
