"""Business time: never a non-working day, adding and counting agree, clocks change, years end."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.flow.calendar import (
    MOMENT,
    BusinessTime,
    Calendar,
    CalendarRefused,
    NoWorkingTime,
    national_calendar,
    read_calendar,
)

BAVARIA = national_calendar("DE", zone="Europe/Berlin", subdivision="BY", first_year=2026)
NEW_YORK = national_calendar("US", zone="America/New_York", first_year=2026)
DUBAI = national_calendar("AE", zone="Asia/Dubai", first_year=2026)
ROUND_THE_CLOCK = Calendar(zone="Europe/Berlin", weekdays=tuple(range(7)), opens=0, closes=24 * 60)

calendars = st.sampled_from([BAVARIA, NEW_YORK, DUBAI, ROUND_THE_CLOCK])
times = st.builds(BusinessTime, calendars, st.none() | calendars)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2030, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis adds the zone
durations = st.integers(0, 60 * 400).map(lambda minutes: timedelta(minutes=minutes))


class TestAddBusiness:
    @given(times, moments, durations)
    @settings(max_examples=150)
    def test_ends_in_working_time_of_both(self, time, start, duration):
        end = time.add_business(start, duration)
        day = time.owner.day_at(end - timedelta(microseconds=1)) if duration else time.owner.day_at(end)
        assert time.works_on(day)
        opens, closes = time.owner.hours_of(day)
        assert opens <= end <= closes

    @given(times, moments, durations)
    @settings(max_examples=150)
    def test_is_undone_by_business_between(self, time, start, duration):
        assert time.business_between(start, time.add_business(start, duration)) == duration

    @given(times, moments, durations, durations)
    @settings(max_examples=100)
    def test_takes_two_parts_in_any_order(self, time, start, one, other):
        whole = time.add_business(start, one + other)
        split = time.add_business(time.add_business(start, one), other)
        swapped = time.add_business(time.add_business(start, other), one)
        # the end of a span and the start of the next hold the same working time
        assert time.business_between(split, whole) == time.business_between(swapped, whole) == timedelta(0)

    @given(times, moments, durations, durations)
    @settings(max_examples=100)
    def test_never_ends_earlier_for_a_longer_duration(self, time, start, one, other):
        short, long = sorted((one, other))
        assert time.add_business(start, short) <= time.add_business(start, long)

    def test_skips_the_hour_that_spring_takes(self):
        start = datetime(2026, 3, 29, 1, 0, tzinfo=ZoneInfo("Europe/Berlin"))
        end = BusinessTime(ROUND_THE_CLOCK).add_business(start, timedelta(hours=2))
        assert end == datetime(2026, 3, 29, 4, 0, tzinfo=ZoneInfo("Europe/Berlin"))

    def test_works_the_hour_that_autumn_gives_twice(self):
        start = datetime(2026, 10, 25, 0, 0, tzinfo=ZoneInfo("Europe/Berlin"))
        end = BusinessTime(ROUND_THE_CLOCK).add_business(start, timedelta(hours=4))
        assert end == datetime(2026, 10, 25, 3, 0, tzinfo=ZoneInfo("Europe/Berlin"))

    def test_tells_the_moment_in_utc(self):
        start = datetime(2026, 3, 2, 12, tzinfo=ZoneInfo("Europe/Berlin"))
        assert BusinessTime(BAVARIA).add_business(start, timedelta(hours=1)).tzinfo is UTC

    def test_refuses_a_negative_duration(self):
        with pytest.raises(CalendarRefused):
            BusinessTime(BAVARIA).add_business(datetime(2026, 1, 1, tzinfo=UTC), timedelta(hours=-1))


class TestAddDays:
    @given(times, moments, st.integers(0, 60))
    @settings(max_examples=150)
    def test_lands_on_a_day_that_works_for_both(self, time, start, days):
        due = time.add_days(start, days)
        assert due > start
        assert time.works_on(time.owner.day_at(due - timedelta(microseconds=1)))

    def test_passes_over_the_holidays_at_the_end_of_the_year(self):
        due = BusinessTime(BAVARIA).add_days(datetime(2026, 12, 30, 12, 0, tzinfo=UTC), 3)
        # 31 December, then 1 January (holiday), a weekend, 4 and 5 January
        assert due == datetime(2027, 1, 5, 17, 0, tzinfo=ZoneInfo("Europe/Berlin"))

    def test_waits_for_a_day_on_which_the_other_party_works(self):
        start = datetime(2026, 7, 2, 20, 0, tzinfo=UTC)
        alone = BusinessTime(BAVARIA).add_days(start, 0)
        both = BusinessTime(BAVARIA, NEW_YORK).add_days(start, 0)
        assert BAVARIA.day_at(alone) == date(2026, 7, 3)
        assert BAVARIA.day_at(both) == date(2026, 7, 6)  # 3 July is observed as a holiday in the United States

    def test_says_so_when_the_parties_share_no_day(self):
        weekend = Calendar(weekdays=(5, 6))
        with pytest.raises(NoWorkingTime):
            BusinessTime(BAVARIA, weekend).add_days(datetime(2026, 1, 1, tzinfo=UTC), 1)


class TestLatest:
    def test_refuses_work_that_takes_no_time(self):
        with pytest.raises(CalendarRefused, match="no time"):
            BusinessTime(BAVARIA).latest_for(datetime(2026, 3, 2, 12, tzinfo=UTC), timedelta(0))

    def test_day_that_closes_by_closing_time_is_that_very_day(self):
        time = BusinessTime(BAVARIA)
        closing = time.add_days(datetime(2026, 3, 3, 12, tzinfo=UTC), 0)
        assert time.latest_for_days(closing, 0) == closing - MOMENT


class TestOpening:
    @pytest.mark.parametrize(
        ("day", "days", "opens"),
        [
            (date(2026, 3, 6), 0, date(2026, 3, 6)),
            (date(2026, 3, 7), 0, date(2026, 3, 9)),  # a Saturday
            (date(2026, 3, 6), 1, date(2026, 3, 9)),
            (date(2026, 3, 9), -1, date(2026, 3, 6)),
        ],
    )
    def test_is_that_of_the_nth_working_day(self, day, days, opens):
        assert BusinessTime(BAVARIA).opening(day, days) == BAVARIA.hours_of(opens)[0]


def pausing(first, days):
    """A party that has so many days off in a row from a day on, and works on all others."""
    free = tuple(first + timedelta(days=day) for day in range(days))
    return BusinessTime(Calendar(weekdays=tuple(range(7)), holidays=free))


class TestLongestPause:
    NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)

    def test_is_looked_over_and_not_a_longer_one(self):
        assert pausing(date(2026, 6, 1), 399).add_days(self.NOON, 0) == datetime(2027, 7, 5, 17, tzinfo=UTC)
        with pytest.raises(NoWorkingTime):
            pausing(date(2026, 6, 1), 400).add_days(self.NOON, 0)

    def test_counts_anew_after_each_working_day(self):
        assert pausing(date(2026, 6, 2), 399).add_days(self.NOON, 1) == datetime(2027, 7, 6, 17, tzinfo=UTC)
        with pytest.raises(NoWorkingTime):
            pausing(date(2026, 6, 2), 400).add_days(self.NOON, 1)

    def test_is_looked_over_backward_too(self):
        first = date(2026, 6, 1) - timedelta(days=398)
        long_ago = datetime(2025, 4, 28, 17, tzinfo=UTC) - MOMENT
        assert pausing(first, 399).latest_for_days(self.NOON, 0) == long_ago
        with pytest.raises(NoWorkingTime):
            pausing(first - timedelta(days=1), 400).latest_for_days(self.NOON, 0)

    def test_counts_anew_after_each_working_day_before(self):
        evening = self.NOON + timedelta(hours=8)
        first = date(2026, 5, 31) - timedelta(days=398)
        long_ago = datetime(2025, 4, 27, 17, tzinfo=UTC) - MOMENT
        assert pausing(first, 399).latest_for_days(evening, 1) == long_ago
        with pytest.raises(NoWorkingTime):
            pausing(first - timedelta(days=1), 400).latest_for_days(evening, 1)

    def test_until_an_opening_is_as_long(self):
        opens = datetime(2027, 7, 5, 9, tzinfo=UTC)
        assert pausing(date(2026, 6, 1), 399).opening(date(2026, 6, 1), 0) == opens
        with pytest.raises(NoWorkingTime):
            pausing(date(2026, 6, 1), 400).opening(date(2026, 6, 1), 0)


class TestCalendar:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"zone": "Europe/Atlantis"},
            {"zone": "../etc/passwd"},
            {"weekdays": ()},
            {"weekdays": (7,)},
            {"opens": 600, "closes": 600},
            {"closes": 24 * 60 + 1},
        ],
    )
    def test_refuses_what_can_tell_no_working_time(self, wrong):
        with pytest.raises(CalendarRefused):
            Calendar(**wrong)

    def test_refuses_an_unknown_country(self):
        with pytest.raises(CalendarRefused, match="“XX”"):
            national_calendar("XX", zone="UTC", first_year=2026)

    def test_takes_weekends_from_the_country(self):
        egypt = national_calendar("EG", zone="Africa/Cairo", first_year=2026)
        assert (egypt.zone, egypt.weekdays) == ("Africa/Cairo", (0, 1, 2, 3, 6))
        assert read_calendar({"zone": "Africa/Cairo", "country": "EG"}, first_year=2026) == egypt

    def test_is_read_with_the_holidays_of_its_country(self):
        read = read_calendar({"zone": "Europe/Berlin", "country": "DE", "subdivision": "BY"}, first_year=2026)
        assert read == BAVARIA
        assert not read.works_on(date(2027, 12, 25))

    def test_is_read_with_own_hours_days_and_days_off(self):
        written = {
            "zone": "Africa/Cairo",
            "country": "EG",
            "opens": 480,
            "closes": 960,
            "weekdays": [0, 1],
            "holidays": ["2026-03-02"],
        }
        read = read_calendar(written, first_year=2026)
        assert (read.opens, read.closes, read.weekdays) == (480, 960, (0, 1))
        assert not read.works_on(date(2026, 3, 2))
        assert read.works_on(date(2026, 3, 3))
        assert not read.works_on(date(2026, 7, 23))  # Egypt's Revolution Day is not lost beside the own one

    @pytest.mark.parametrize(
        ("written", "said"),
        [
            ({"zone": "Mars/Base"}, "Mars/Base"),
            ({"country": "XX"}, "XX"),
            ({"country": "Germany"}, "Germany.*ISO 3166"),
            ({"country": "HolidayBase"}, "HolidayBase"),
            ({"country": "DE", "subdivision": "Bayern!"}, "DE-Bayern!"),
            ({"zon": "UTC"}, "zon"),
            ({"opens": 1020, "closes": 540}, "before they close"),
            ({"weekdays": []}, "working weekday"),
            ({"holidays": ["Christmas"]}, "holidays"),
        ],
    )
    def test_is_refused_when_it_cannot_be_read(self, written, said):
        with pytest.raises(CalendarRefused, match=said):
            read_calendar(written, first_year=2026)

    def test_counts_time_backwards_as_negative(self):
        time = BusinessTime(BAVARIA)
        monday, tuesday = datetime(2026, 3, 2, 12, tzinfo=UTC), datetime(2026, 3, 3, 12, tzinfo=UTC)
        assert time.business_between(tuesday, monday) == -time.business_between(monday, tuesday) == -timedelta(hours=8)
