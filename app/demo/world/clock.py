"""The business clock of the demo's cells: moved so that what is seeded lies in the past, and put back to now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

import psycopg

_FRIDAY = 4


class BusinessClock:
    """Moves `cell.clock` of every cell with the owners' logins, as only tests and the demo may (DESIGN 8)."""

    def __init__(self, cell_urls: Iterable[str]) -> None:
        self._connections = [psycopg.connect(url, autocommit=True) for url in cell_urls]

    def show(self, moment: datetime) -> None:
        """Let business time be `moment` now and run on from there; never later than the world's time."""
        for connection in self._connections:
            connection.execute("UPDATE cell.clock SET shift = least(%s - now(), interval '0') WHERE id = 1", [moment])

    def put_back(self) -> None:
        """Business time is the world's time again."""
        for connection in self._connections:
            connection.execute("UPDATE cell.clock SET shift = interval '0' WHERE id = 1")

    def close(self) -> None:
        """Give the connections back."""
        for connection in self._connections:
            connection.close()


def working_day(start: date, days: int) -> date:
    """The working day that many working days after (before, where negative) `start`; a weekend counts as its Friday."""
    day = start
    while day.weekday() > _FRIDAY:
        day -= timedelta(days=1)
    step = timedelta(days=1 if days >= 0 else -1)
    for _count in range(abs(days)):
        day += step
        while day.weekday() > _FRIDAY:
            day += step
    return day


def at_hour(day: date, hour: int) -> datetime:
    """A moment of that day, in UTC."""
    return datetime.combine(day, time(hour), tzinfo=UTC)
