"""The timeline: on which working day each item begins and ends when everybody is on time and nothing is left out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from app.flow.calendar import Calendar
from app.flow.decide import new_state
from app.flow.definition import Definition
from app.flow.schedule import Forecast
from app.flow.state import State
from app.templates.preview.board import Read

_MONDAY = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)  # nine o'clock in Berlin; any week without holidays would do
_ALWAYS = Calendar(zone="Europe/Berlin")
SCALE = 1_000


def timeline_of(definition: Definition, read: Read) -> dict[str, Any]:
    """Rows in the plan's order with their first and last working day, and where their bar stands on the scale."""
    forecast = Forecast(definition, _begun(definition), _MONDAY)
    rows = []
    for item in definition.items.values():
        begin = _working_day(forecast.at((item.key, "begin")))
        rows.append((item, begin, max(begin, _working_day(forecast.due(item.key)))))
    last = max((end for _, _, end in rows), default=1)
    return {
        "days": last,
        "scale": SCALE,
        "rows": [
            {
                "key": item.key,
                "kind": item.kind,
                "title": read(item.title),
                "side": item.side,
                "first": begin,
                "last": end,
                "x": round((begin - 1) / last * SCALE),
                "width": max(6, round((end - begin + 1) / last * SCALE)),
            }
            for item, begin, end in rows
        ],
    }


def _begun(definition: Definition) -> State:
    state = new_state(definition)
    return msgspec.structs.replace(state, status="running", started_at=_MONDAY, partner=_ALWAYS, customer=_ALWAYS)


def _working_day(moment: datetime) -> int:
    """The number of the working day that a moment lies in; the first is 1."""
    days, day = 1, _MONDAY.date()
    while day < moment.date():
        day += timedelta(days=1)
        days += day.weekday() < 5  # noqa: PLR2004 - Saturday
    return days
