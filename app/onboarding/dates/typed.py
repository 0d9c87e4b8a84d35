"""Working times as a form types them, and as a page shows them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any, Final, cast
from zoneinfo import available_timezones

import holidays

from app.flow.calendar import Calendar
from app.flow.definition import Side
from app.kernel.errors import Invalid
from app.onboarding.dates.operations import WorkingTime
from app.web.translations import mark

_HOUR: Final = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)")
_SHOWN = 6  # days off that a page names
MOST_DAYS = 400
ONE = ("side", "zone", "opens", "closes", "country", "subdivision", "days", "reason")


class TimesUnfit(Invalid):
    """A field of working times cannot be read; `place` is the field."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(message)
        self.place = place


@cache
def zones() -> tuple[str, ...]:
    """The time zones a form offers: those named after a place, and UTC."""
    return ("UTC", *sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/")))


@cache
def countries() -> frozenset[str]:
    """The countries (ISO 3166, two letters) whose public holidays are known."""
    return frozenset(code for code in holidays.list_supported_countries() if len(code) == len("DE"))


def typed_of(side: Side, calendar: Calendar) -> dict[str, Any]:
    """What a form starts with: the times as they are."""
    return {
        "side": side,
        "zone": calendar.zone,
        "weekdays": [str(day) for day in calendar.weekdays],
        "opens": _clock(calendar.opens),
        "closes": _clock(calendar.closes),
    } | dict.fromkeys(("country", "subdivision", "days", "reason"), "")


def read_typed(typed: Mapping[str, Any], known: Calendar) -> WorkingTime:
    """The working times that were typed. Without a country the days off stay as they are, and those typed come to them.

    Raises TimesUnfit.
    """
    wanted: dict[str, Any] = {"zone": typed["zone"], "weekdays": _weekdays(typed["weekdays"])}
    wanted |= {name: _minutes(name, typed[name]) for name in ("opens", "closes")}
    if wanted["zone"] not in zones() and wanted["zone"] != known.zone:
        raise TimesUnfit("zone", mark("Choose a time zone."))
    if wanted["opens"] >= wanted["closes"]:
        raise TimesUnfit("closes", mark("The day must end after it begins."))
    days = _days(typed["days"])
    if country := typed["country"]:
        wanted |= {"country": country, "subdivision": _region(country, typed["subdivision"].strip().upper())}
    else:
        days += known.holidays
    return WorkingTime(side=cast("Side", typed["side"]), calendar=wanted | {"holidays": sorted(set(days))})


def shown_times(calendar: Calendar, today: date) -> dict[str, Any]:
    """One side's working times as a page names them: `days_off` are the next ones."""
    coming = [day for day in calendar.holidays if day >= today]
    return {
        "zone": calendar.zone,
        "weekdays": list(calendar.weekdays),
        "opens": _clock(calendar.opens),
        "closes": _clock(calendar.closes),
        "days_off": coming[:_SHOWN],
        "more": max(0, len(coming) - _SHOWN),
    }


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _minutes(place: str, said: str) -> int:
    found = _HOUR.fullmatch(said.strip())
    minutes = int(found[1]) * 60 + int(found[2]) if found else 25 * 60
    if minutes > 24 * 60:
        raise TimesUnfit(place, mark("Write a time of day such as 09:00 or 17:30."))
    return minutes


def _weekdays(said: Sequence[str]) -> list[int]:
    days = sorted({int(day) for day in said if day in set("0123456")})
    if not days:
        raise TimesUnfit("weekdays", mark("Choose at least one day of the week."))
    return days


def _days(said: str) -> tuple[date, ...]:
    try:
        found = tuple(date.fromisoformat(line) for line in said.replace(",", " ").split())
    except ValueError:
        raise TimesUnfit("days", mark("Write each day such as 2026-12-24, one a line.")) from None
    if len(found) > MOST_DAYS:
        raise TimesUnfit("days", mark("These are more days than a calendar takes."))
    return found


def _region(country: str, region: str) -> str | None:
    if country not in countries():
        raise TimesUnfit("country", mark("The public holidays of this country are not known here."))
    if region and region not in holidays.list_supported_countries()[country]:
        raise TimesUnfit("subdivision", mark("This country has no such region; leave it empty for the whole country."))
    return region or None
