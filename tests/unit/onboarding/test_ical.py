"""The feed's text: as RFC 5545 has it, the same for the same entries, and read again by a parser."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from icalendar import Calendar

from app.onboarding.feeds.ical import Entry, write_feed

ENTRY = Entry(
    uid="5d3e@northwind.example",
    day=date(2028, 2, 29),
    summary="Kick-off, Teil 1; “Größe” \\ alles · Contoso",
    description="Still to be done. https://northwind.example/t/1/onboardings/2/dates",
    url="https://northwind.example/t/1/onboardings/2/dates",
    sequence=7,
    changed_at=datetime(2028, 2, 1, 9, 30, 15, 99, tzinfo=UTC),
)
GOLDEN = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//North wind//Onboarding//EN
CALSCALE:GREGORIAN
METHOD:PUBLISH
X-WR-CALNAME:Contoso
X-PUBLISHED-TTL:PT1H
BEGIN:VEVENT
SUMMARY:Kick-off\\, Teil 1\\; “Größe” \\\\ alles · Contoso
DTSTART;VALUE=DATE:20280229
DTEND;VALUE=DATE:20280301
DTSTAMP:20280201T093015Z
UID:5d3e@northwind.example
SEQUENCE:7
CATEGORIES:North/wind
DESCRIPTION:Still to be done. https://northwind.example/t/1/onboardings/2/
 dates
STATUS:CONFIRMED
TRANSP:TRANSPARENT
URL:https://northwind.example/t/1/onboardings/2/dates
END:VEVENT
END:VCALENDAR
"""


def written(*entries: Entry) -> bytes:
    return write_feed(list(entries), name="Contoso", brand="North/wind")


class TestFeed:
    def test_is_this_very_text(self):
        assert written(ENTRY).decode() == GOLDEN.replace("\n", "\r\n")

    def test_is_read_again_by_a_parser_with_all_that_was_said(self):
        calendar = Calendar.from_ical(written(ENTRY, replace(ENTRY, uid="other@x", cancelled=True)))
        events: list[Any] = list(calendar.walk("VEVENT"))
        first, second = events
        assert not calendar.errors
        assert (first["dtstart"].dt, first["dtend"].dt) == (date(2028, 2, 29), date(2028, 3, 1))
        assert first["dtstart"].params["VALUE"] == "DATE"
        assert (str(first["summary"]), int(first["sequence"])) == (ENTRY.summary, 7)
        assert first["dtstamp"].dt == datetime(2028, 2, 1, 9, 30, 15, tzinfo=UTC)
        assert [str(each["status"]) for each in (first, second)] == ["CONFIRMED", "CANCELLED"]

    def test_has_no_line_above_75_bytes_and_none_that_its_contents_could_begin(self):
        evil = replace(ENTRY, summary="x\r\nBEGIN:VALARM\r\n" + "ä" * 200, description="a\nEND:VCALENDAR")
        lines = written(evil).split(b"\r\n")
        assert max(len(line) for line in lines) <= 75
        assert b"BEGIN:VALARM" not in lines
        assert lines.count(b"END:VCALENDAR") == 1

    def test_may_be_empty(self):
        assert Calendar.from_ical(written()).walk("VEVENT") == []
