"""Dates, durations and numbers in two languages and in the reader's zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.web.page.formats import ZONE, Formats, initials
from app.web.translations import LOCALES

AR = Formats(LOCALES["ar"])
EN, DE = Formats(LOCALES["en"]), Formats(LOCALES["de"])
LATE = datetime(2026, 3, 12, 23, 30, tzinfo=UTC)


class TestDates:
    def test_are_written_as_the_reader_writes_them(self):
        assert EN.day(LATE) == "Thu 12 Mar"
        assert DE.day(LATE) == "Do., 12. März"
        assert EN.filters()["date"](date(2026, 3, 12)) == "12 Mar 2026"
        assert DE.filters()["datetime"](LATE) == "12.03.2026, 23:30"

    def test_are_on_the_reader_s_clock(self):
        before = ZONE.set(ZoneInfo("Europe/Berlin"))
        try:
            assert EN.day(LATE) == "Fri 13 Mar"
            assert EN.time(LATE) == "00:30"
            assert EN.day(date(2026, 3, 12)) == "Thu 12 Mar"
        finally:
            ZONE.reset(before)

    def test_are_said_from_now(self):
        assert EN.relative(LATE, LATE + timedelta(days=3)) == "3 days ago"
        assert DE.relative(LATE, LATE - timedelta(hours=2)) == "in 2 Stunden"


class TestDuration:
    @pytest.mark.parametrize(
        ("length", "english"),
        [
            (0, "0 seconds"),
            (0.4, "0 seconds"),
            (59, "59 seconds"),
            (60, "1 minute"),
            (93_600, "1 day 2 hours"),
            (86_400 + 59, "1 day"),
            (timedelta(hours=1, minutes=5, seconds=9), "1 hour 5 minutes"),
            (-7_200, "−2 hours"),  # noqa: RUF001 - a real minus sign, as numbers are set in print
            (86_400 * 400, "400 days"),
        ],
    )
    def test_shows_at_most_two_units(self, length, english):
        assert EN.duration(length).replace("\u00a0", " ") == english

    def test_speaks_german_and_keeps_a_number_with_its_unit(self):
        assert DE.duration(93_600) == "1\u00a0Tag 2\u00a0Stunden"


class TestSaid:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("plain", "plain"),
            ({"de": "Ja", "en": "Yes"}, "Ja"),
            ({"en": "Yes"}, "Yes"),
            ({"fr": "Oui"}, "Oui"),
            ({}, ""),
        ],
    )
    def test_takes_the_reader_s_language_else_english_else_any(self, text, said):
        assert DE.said(text) == said


class TestNumbers:
    def test_have_the_locale_s_separators(self):
        assert EN.number(1234.5) == "1,234.5"
        assert DE.number(1234.5) == "1.234,5"
        assert EN.percent(0.52) == "52%"

    @pytest.mark.parametrize(
        ("name", "letters"), [("Dana Weber", "DW"), ("Ana Maria Lopez", "AL"), ("x", "X"), ("", "")]
    )
    def test_initials_are_at_most_two(self, name, letters):
        assert initials(name) == letters


class TestFromTheRight:
    def test_months_are_words_since_figures_alone_can_be_read_from_either_end(self):
        assert AR.full_day("2026-03-18") == "18 مارس 2026"
        assert EN.full_day("2026-03-18") == "18 Mar 2026"

    def test_every_number_has_its_form_of_the_unit(self):
        days = [AR.duration(number * 86_400).replace("\u00a0", " ") for number in (1, 2, 3, 11)]
        assert days == ["يوم", "يومان", "3 أيام", "11 يومًا"]
