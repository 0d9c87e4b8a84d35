"""Business time: working hours, weekends, holidays and zones of one or two parties. Holds no clock.

Holidays are resolved to dates once, so that a recorded history replays to the same dates after the holiday library
was updated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays
import msgspec
from msgspec import Struct

from app.kernel.errors import Invalid

DAY = timedelta(days=1)
MINUTE, MOMENT = timedelta(minutes=1), timedelta(microseconds=1)
LONGEST_PAUSE = 400  # days searched for the next working day before we say there is none
YEARS_AHEAD = 5


class CalendarRefused(Invalid):
    """A calendar that cannot tell working time: unknown zone or country, no working day, closing before opening."""


class NoWorkingTime(Invalid):
    """The two parties share no working day within 400 days."""


class Calendar(Struct, frozen=True, kw_only=True):
    """Working time of one party. `opens` and `closes` are minutes since local midnight; weekday 0 is Monday."""

    zone: str = "UTC"
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    opens: int = 9 * 60
    closes: int = 17 * 60
    holidays: tuple[date, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what could never work, so that no search runs forever."""
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError) as trouble:
            raise CalendarRefused(
                f"“{self.zone}” is not a time zone; use an IANA name such as Europe/Berlin."
            ) from trouble
        if not self.weekdays or not set(self.weekdays) <= set(range(7)):
            raise CalendarRefused("A calendar needs at least one working weekday, numbered 0 (Monday) to 6 (Sunday).")
        if not 0 <= self.opens < self.closes <= 24 * 60:
            raise CalendarRefused("Working hours must open before they close, within one day.")

    def works_on(self, day: date) -> bool:
        """Whether this party works on that civil date."""
        return day.weekday() in self.weekdays and day not in _dates(self.holidays)

    def hours_of(self, day: date) -> tuple[datetime, datetime]:
        """The opening and closing moment (UTC) of a civil date, whether or not it is a working day."""
        return _moment(self.zone, day, self.opens), _moment(self.zone, day, self.closes)

    def end_of(self, day: date) -> datetime:
        """The moment (UTC) at which a civil date is over."""
        return _moment(self.zone, day, 24 * 60)

    def day_at(self, moment: datetime) -> date:
        """The civil date of a moment in this party's zone."""
        return moment.astimezone(ZoneInfo(self.zone)).date()

    @property
    def day_length(self) -> timedelta:
        """Working time of an ordinary day."""
        return timedelta(minutes=self.closes - self.opens)


class BusinessTime(Struct, frozen=True):
    """Working time of the owner of a piece of work, on days when the other party works too."""

    owner: Calendar
    other: Calendar | None = None

    def works_on(self, day: date) -> bool:
        """Whether both parties work on that civil date."""
        return self.owner.works_on(day) and (self.other is None or self.other.works_on(day))

    def add_business(self, start: datetime, duration: timedelta) -> datetime:
        """The moment (UTC) at which `duration` of working time has passed since `start`; never outside working time."""
        if duration < timedelta(0):
            raise CalendarRefused("A business duration cannot be negative.")
        left = duration
        for opens, closes in self._spans(start):
            begin = max(opens, start.astimezone(UTC))
            if left <= closes - begin:
                return begin + left
            left -= closes - begin
        raise NoWorkingTime("The two parties share no working day in the next 400 days; check both calendars.")

    def put_off(self, moment: datetime, duration: timedelta) -> datetime:
        """That moment, later by so much working time; by none it stays, also at closing time."""
        return self.add_business(moment, duration) if duration else moment

    def add_days(self, start: datetime, days: int) -> datetime:
        """Closing time of the n-th joint working day after `start`; day 0 is the first day with working time left."""
        if days < 0:
            raise CalendarRefused("A business duration cannot be negative.")
        for count, (_, closes) in enumerate(self._spans(start)):
            if count == days:
                return closes
        raise NoWorkingTime("The two parties share no working day in the next 400 days; check both calendars.")

    def business_between(self, start: datetime, end: datetime) -> timedelta:
        """Working time that passes from `start` to `end`; negative when `end` is earlier."""
        if end < start:
            return -self.business_between(end, start)
        total = timedelta(0)
        day, last = self.owner.day_at(start) - DAY, self.owner.day_at(end)
        while day <= last:
            if self.works_on(day):
                opens, closes = self.owner.hours_of(day)
                total += max(timedelta(0), min(closes, end) - max(opens, start))
            day += DAY
        return total

    def days_between(self, start: datetime, end: datetime) -> int:
        """Working days from `start` to `end`, by their closing times; negative when `end` is earlier."""
        if end < start:
            return -self.days_between(end, start)
        day, last, count = self.owner.day_at(start) - DAY, self.owner.day_at(end), 0
        while day <= last:
            count += self.works_on(day) and start < self.owner.hours_of(day)[1] <= end
            day += DAY
        return count

    def latest_for(self, end: datetime, duration: timedelta) -> datetime:
        """The latest moment from which `duration` of working time is over by `end`: `add_business` backward."""
        if duration <= timedelta(0):
            raise CalendarRefused("There is no latest start of work that takes no time.")
        left = duration
        for opens, closes in self._spans_before(end):
            worked = min(closes, end) - opens
            if left <= worked:
                return min(closes, end) - left
            left -= worked
        raise NoWorkingTime("The two parties share no working day in the 400 days before; check both calendars.")

    def latest_for_days(self, end: datetime, days: int) -> datetime:
        """The latest moment from which the n-th joint working day closes by `end`: `add_days` backward."""
        if days < 0:
            raise CalendarRefused("A business duration cannot be negative.")
        closed = (closes for _, closes in self._spans_before(end) if closes <= end)
        for count, closes in enumerate(closed):
            if count == days:
                return closes - MOMENT  # at closing time itself the day is over
        raise NoWorkingTime("The two parties share no working day in the 400 days before; check both calendars.")

    def opening(self, day: date, days: int) -> datetime:
        """When the n-th joint working day after a civil date opens (0: that day or the next); before it if negative."""
        left = abs(days)
        for _day in range(LONGEST_PAUSE * (left + 1)):
            if not left and self.works_on(day):
                return self.owner.hours_of(day)[0]
            day += DAY if days >= 0 else -DAY
            left -= bool(left) and self.works_on(day)
        raise NoWorkingTime("The two parties share no working day in the next 400 days; check both calendars.")

    def _spans_before(self, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Working spans that begin before `end`, the last first; stops when none comes for 400 days."""
        day, idle = self.owner.day_at(end), 0
        while idle < LONGEST_PAUSE:
            idle += 1
            if self.works_on(day):
                opens, closes = self.owner.hours_of(day)
                if opens < end:
                    idle = 0
                    yield opens, closes
            day -= DAY

    def _spans(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Working spans that end after `start`, in order; stops when none comes for 400 days."""
        day, idle = self.owner.day_at(start), 0
        while idle < LONGEST_PAUSE:
            idle += 1
            if self.works_on(day):
                opens, closes = self.owner.hours_of(day)
                if closes > start:
                    idle = 0
                    yield opens, closes
            day += DAY


class _Agreed(Calendar, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A party's calendar as it is agreed on: the working time, and whose public holidays are free."""

    country: str | None = None  # ISO 3166: the country, and its part where that has holidays of its own
    subdivision: str | None = None


def read_calendar(document: Mapping[str, Any], *, first_year: int) -> Calendar:
    """A calendar from a document such as `{"zone": "Europe/Berlin", "country": "DE", "subdivision": "BY"}`.

    Without `weekdays` the country's own working week counts. Public holidays are resolved for six years from
    `first_year`. Raises CalendarRefused.
    """
    try:
        agreed = msgspec.convert(document, _Agreed)
    except msgspec.ValidationError as trouble:
        raise CalendarRefused(f"The calendar cannot be read: {trouble}.") from trouble
    if agreed.country is None:
        national = Calendar(zone=agreed.zone)
    else:
        national = national_calendar(
            agreed.country, zone=agreed.zone, subdivision=agreed.subdivision, first_year=first_year
        )
    return Calendar(
        zone=agreed.zone,
        weekdays=agreed.weekdays if "weekdays" in document else national.weekdays,
        opens=agreed.opens,
        closes=agreed.closes,
        holidays=tuple(sorted({*agreed.holidays, *national.holidays})),
    )


def national_calendar(country: str, *, zone: str, subdivision: str | None = None, first_year: int) -> Calendar:
    """Monday to Friday, nine to five, with a country's public holidays (ISO 3166) for six years from `first_year`."""
    dates = _public_holidays(country, subdivision, range(first_year, first_year + YEARS_AHEAD + 1))
    if dates is None:
        place = f"{country}-{subdivision}" if subdivision else country
        raise CalendarRefused(f"There is no holiday calendar for “{place}”; use ISO 3166 codes such as DE and BY.")
    return Calendar(zone=zone, weekdays=_working_weekdays(dates), holidays=tuple(sorted(dates)))


def _public_holidays(country: str, subdivision: str | None, years: range) -> holidays.HolidayBase | None:
    if not re.fullmatch("[A-Z]{2}", country):  # the library would also take the names of its classes
        return None
    try:
        return holidays.country_holidays(country, subdiv=subdivision, years=years)
    except NotImplementedError:
        return None


def _working_weekdays(dates: holidays.HolidayBase) -> tuple[int, ...]:
    return tuple(day for day in range(7) if day not in dates.weekend)


@lru_cache(maxsize=256)
def _dates(days: tuple[date, ...]) -> frozenset[date]:
    return frozenset(days)


@lru_cache(maxsize=4096)
def _moment(zone: str, day: date, minutes: int) -> datetime:
    if minutes == 24 * 60:
        day, minutes = day + DAY, 0
    wall = datetime.combine(day, time(minutes // 60, minutes % 60), tzinfo=ZoneInfo(zone))
    moment = wall.astimezone(UTC)  # of an hour that comes twice, the first
    if _shown(moment, zone) == wall.replace(tzinfo=None):
        return moment
    moment = wall.replace(fold=1).astimezone(UTC)  # clocks jump over it: it is there when they have jumped
    while _shown(moment, zone) < wall.replace(tzinfo=None):
        moment += MINUTE
    return moment


def _shown(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
