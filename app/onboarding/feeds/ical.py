"""A feed of whole days as RFC 5545 has it, written by the library `icalendar`. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from icalendar import Calendar, Event

_SILENT: Final = "TRANSPARENT"  # a date is a reminder: nobody is busy all day because of it
_REFRESH: Final = "PT1H"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One day in a calendar. `uid` stays, `sequence` only grows, `changed_at` (aware) is when it last may have."""

    uid: str
    day: date
    summary: str
    description: str
    url: str
    sequence: int
    changed_at: datetime
    cancelled: bool = False


def write_feed(entries: list[Entry], *, name: str, brand: str) -> bytes:
    """The feed. The same entries give the same bytes."""
    calendar = Calendar()
    calendar.add("prodid", f"-//{_plain(brand)}//Onboarding//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("x-published-ttl", _REFRESH)
    for entry in entries:
        calendar.add_component(_event(entry, brand))
    written: bytes = calendar.to_ical()
    return written


def _event(entry: Entry, brand: str) -> Event:
    event = Event()
    event.add("uid", entry.uid)
    event.add("dtstamp", entry.changed_at.astimezone(UTC).replace(microsecond=0))
    event.add("sequence", entry.sequence)
    event.add("dtstart", entry.day)
    event.add("dtend", entry.day + timedelta(days=1))
    event.add("summary", entry.summary)
    event.add("description", entry.description)
    event.add("url", entry.url)
    event.add("categories", [brand])
    event.add("status", "CANCELLED" if entry.cancelled else "CONFIRMED")
    event.add("transp", _SILENT)
    return event


def _plain(brand: str) -> str:
    """A name within an identifier whose parts are divided by slashes."""
    return " ".join(brand.replace("/", " ").split()) or "-"
