"""Due dates, forward from the start: each item begins when its parent has begun and all it depends on is due."""

from __future__ import annotations

from datetime import datetime

from app.flow.definition import Definition, Item
from app.flow.state import State
from app.flow.steps.draft import due_after


def plan_due_dates(definition: Definition, state: State, start: datetime) -> dict[str, datetime]:
    """When each item is due (UTC) if everything takes the time the template gives it, on both parties' calendars."""
    return _Plan(definition, state, start).all()


class _Plan:
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
            above = self._begin(items[item.parent]) if item.parent else self.start
            self.begins[item.key] = max([above, *earlier])
        return self.begins[item.key]

    def _end(self, item: Item) -> datetime:
        if item.key not in self.ends:
            begin = self._begin(item)
            if item.due is not None:
                own = due_after(self.state, begin, item.due, item.side)
            else:
                own = max([begin, *(self._end(self.definition.items[child]) for child in item.children)])
            self.ends[item.key] = own
        return self.ends[item.key]
