"""A second way to tell working time, which knows nothing of the product: a wall clock, looked at minute by minute.

People come when their clock first shows the opening hour on a day, and go when it first shows the closing hour. They
work on days, by their own calendar, on which the other party works too. Not a test.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
NOTHING = timedelta(0)


class Party(NamedTuple):
    """When somebody works: hours in minutes since midnight, weekdays with Monday as 0, free days."""

    zone: str
    free: tuple[date, ...] = ()
    opens: int = 9 * 60
    closes: int = 17 * 60
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)

    def works_on(self, day: date) -> bool:
        """Whether they work on that day."""
        return day.weekday() in self.weekdays and day not in self.free


class Wall(NamedTuple):
    """The working time of one party, which waits for the other."""

    owner: Party
    other: Party

    def shifts(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """When people come and go, from the day before that moment on."""
        day = start.astimezone(ZoneInfo(self.owner.zone)).date() - DAY
        for _day in range(500):
            if self.owner.works_on(day) and self.other.works_on(day):
                yield shift(self.owner.zone, day, self.owner.opens, self.owner.closes)
            day += DAY
        raise AssertionError("Nobody works any more.")

    def after(self, start: datetime, length: timedelta, stops: Iterable[tuple[datetime, datetime]] = ()) -> datetime:
        """When a stopwatch shows that much working time; it stands still between the two moments of each stop."""
        left = length
        for come, go in self.shifts(start):
            for begin, end in _running(max(come, start), go, sorted(stops)):
                if left <= end - begin:
                    return begin + left
                left -= end - begin
        raise AssertionError("Nobody works any more.")

    def worked(self, start: datetime, end: datetime) -> timedelta:
        """What the stopwatch shows from one moment to another."""
        total = NOTHING
        for come, go in self.shifts(start):
            if come >= end:
                return total
            total += max(NOTHING, min(go, end) - max(come, start))
        raise AssertionError("Nobody works any more.")

    def closing(self, start: datetime, days: int) -> datetime:
        """When people go on the n-th day after that moment; the first on which they still work is day 0."""
        return [go for (_come, go), _n in zip(self.still(start), range(days + 1), strict=False)][-1]

    def still(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The shifts that are not over at that moment."""
        return (each for each in self.shifts(start) if each[1] > start)

    def is_worked(self, moment: datetime) -> bool:
        """Whether people are there, or have gone at that very moment."""
        return any(come <= moment <= go for (come, go), _n in zip(self.shifts(moment), range(3), strict=False))


@cache
def shift(zone: str, day: date, opens: int, closes: int) -> tuple[datetime, datetime]:
    """When people come and go on a day: every minute of it is looked at."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    around = (midnight + n * MINUTE for n in range(-15 * 60, 39 * 60))
    shown = [(moment, moment.astimezone(ZoneInfo(zone))) for moment in around]
    ours = [(moment, local.hour * 60 + local.minute) for moment, local in shown if local.date() == day]
    over = ours[-1][0] + MINUTE
    come = next((moment for moment, minutes in ours if minutes >= opens), over)
    return come, next((moment for moment, minutes in ours if moment >= come and minutes >= closes), over)


def _running(
    begin: datetime, end: datetime, stops: Iterable[tuple[datetime, datetime]]
) -> Iterator[tuple[datetime, datetime]]:
    """What is left of a stretch between stops."""
    for since, until in stops:
        if since < end and until > begin:
            if begin < since:
                yield begin, since
            begin = max(begin, until)
    if begin < end:
        yield begin, end
