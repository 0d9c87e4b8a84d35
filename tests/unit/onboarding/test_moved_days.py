"""By how many working days a date has moved, as people read it: from day to day, whatever the hour."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from app.flow.calendar import BusinessTime, Calendar
from app.onboarding.dates.queries import _days

TIME = BusinessTime(Calendar(zone="Europe/Berlin"), Calendar(zone="Europe/Berlin", holidays=(date(2026, 3, 31),)))


@pytest.mark.parametrize(
    ("was", "becomes", "days"),
    [
        ("2026-03-27T17:00+01:00", "2026-03-27T09:28+01:00", 0),  # done in the morning of its day
        ("2026-03-27T13:00+01:00", "2026-03-27T17:00+01:00", 0),
        ("2026-03-27T17:00+01:00", "2026-03-27T23:59+01:00", 0),
        ("2026-03-27T17:00+01:00", "2026-03-29T12:00+02:00", 0),  # on Sunday: no working day has passed
        ("2026-03-27T17:00+01:00", "2026-03-30T09:30+02:00", 1),
        ("2026-03-30T09:30+02:00", "2026-03-27T17:00+01:00", -1),
        ("2026-03-27T17:00+01:00", "2026-04-01T09:00+02:00", 2),  # their holiday between
        ("2026-03-27T17:00+01:00", "2026-03-26T12:00+01:00", -1),
    ],
)
def test_counts_days_and_no_hours(was: str, becomes: str, days: int):
    assert _days(TIME, datetime.fromisoformat(was), datetime.fromisoformat(becomes)) == days
