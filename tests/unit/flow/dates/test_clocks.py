"""Business time against a model that knows nothing of ours: every minute, looked at one after the other."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from app.flow import events
from app.flow.calendar import BusinessTime, Calendar
from app.flow.dates.backward import look_back
from tests.unit.flow.running import BERLIN, MONDAY, STAFF, Run

MINUTE = timedelta(minutes=1)
HERE = Calendar(zone="Europe/Berlin", holidays=(date(2026, 12, 25), date(2027, 1, 1), date(2028, 2, 29)))
THERE = Calendar(zone="America/New_York", holidays=(date(2026, 11, 26), date(2026, 7, 3)))
NIGHT = Calendar(zone="Europe/Berlin", weekdays=tuple(range(7)), opens=0, closes=240)
ALWAYS = Calendar(zone="America/New_York", weekdays=tuple(range(7)), opens=0, closes=1440)
TABLE = [  # what the calendar does, who works, who else, from when
    ("spring takes an hour", NIGHT, None, datetime(2026, 3, 28, 22, 0, tzinfo=UTC)),
    ("autumn gives an hour twice", NIGHT, None, datetime(2026, 10, 24, 21, 30, tzinfo=UTC)),
    ("autumn there, and not here yet", ALWAYS, HERE, datetime(2026, 10, 31, 20, 0, tzinfo=UTC)),
    ("spring there, and not here yet", THERE, HERE, datetime(2026, 3, 6, 14, 7, tzinfo=UTC)),
    ("leap day", Calendar(zone="Europe/Berlin"), None, datetime(2028, 2, 28, 9, 0, tzinfo=UTC)),
    ("leap day is a holiday", HERE, THERE, datetime(2028, 2, 28, 9, 0, tzinfo=UTC)),
    ("no leap day", HERE, THERE, datetime(2027, 2, 26, 9, 0, tzinfo=UTC)),
    ("year end", HERE, THERE, datetime(2026, 12, 31, 15, 59, tzinfo=UTC)),
    ("a holiday of the other party only", HERE, THERE, datetime(2026, 11, 25, 15, 0, tzinfo=UTC)),
    ("a holiday of the own party only", THERE, HERE, datetime(2026, 12, 24, 15, 0, tzinfo=UTC)),
]
rows = pytest.mark.parametrize(("owner", "other", "start"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])


def is_worked(moment, owner, other):
    """Whether this minute is worked: by looking at a wall clock and two calendars."""
    local = moment.astimezone(ZoneInfo(owner.zone))
    free = any(
        local.weekday() not in party.weekdays or local.date() in party.holidays for party in (owner, other) if party
    )
    return not free and owner.opens <= local.hour * 60 + local.minute < owner.closes


def minutes(start, owner, other):
    """Every worked minute from a moment on."""
    moment = start
    while True:
        if is_worked(moment, owner, other):
            yield moment
        moment += MINUTE


def days(start, owner, other):
    """The end of every worked day from a moment on: after its last worked minute."""
    last = None
    for moment in minutes(start, owner, other):
        if last and moment.astimezone(ZoneInfo(owner.zone)).date() != last.astimezone(ZoneInfo(owner.zone)).date():
            yield last + MINUTE
        last = moment


class TestAgainstEveryMinute:
    @rows
    @pytest.mark.parametrize("long", [1, 59, 61, 480, 1_000])
    def test_so_much_working_time_is_over_when_so_many_worked_minutes_are(self, owner, other, start, long):
        worked = list(islice(minutes(start, owner, other), long))
        assert BusinessTime(owner, other).add_business(start, long * MINUTE) == worked[-1] + MINUTE

    @rows
    def test_working_time_between_two_moments_is_the_number_of_worked_minutes(self, owner, other, start):
        time, end = BusinessTime(owner, other), start + timedelta(days=4, minutes=83)
        worked = sum(is_worked(start + n * MINUTE, owner, other) for n in range(4 * 1440 + 83))
        assert time.business_between(start, end) == worked * MINUTE == -time.business_between(end, start)

    @rows
    def test_the_nth_working_day_closes_after_its_last_worked_minute(self, owner, other, start):
        time, expected = BusinessTime(owner, other), list(islice(days(start, owner, other), 4))
        assert [time.add_days(start, n) for n in range(4)] == expected
        assert time.days_between(start, expected[-1]) == 4
        assert time.days_between(expected[-1], start) == -4
        assert time.days_between(expected[0], expected[-1]) == 3

    @rows
    @pytest.mark.parametrize("long", [1, 61, 480, 1_000])
    def test_the_latest_start_is_the_last_minute_from_which_it_still_ends_in_time(self, owner, other, start, long):
        time, end = BusinessTime(owner, other), start + timedelta(days=6, minutes=11)
        latest = time.latest_for(end, long * MINUTE)
        worked = sum(is_worked(latest + n * MINUTE, owner, other) for n in range(int((end - latest) / MINUTE)))
        assert worked == long
        assert is_worked(latest, owner, other)

    @rows
    @pytest.mark.parametrize("count", [0, 1, 3])
    def test_the_latest_start_of_whole_days_is_the_moment_before_it_were_too_late(self, owner, other, start, count):
        time, end = BusinessTime(owner, other), start + timedelta(days=12, minutes=11)
        latest = time.latest_for_days(end, count)
        assert time.add_days(latest, count) <= end
        assert time.add_days(latest + timedelta(microseconds=1), count) > end


def dated(run):
    return {key: item.due_at for key, item in run.state.items.items()}


class TestPlan:
    @pytest.mark.parametrize(
        "start",
        [datetime(*day, 9, 0, tzinfo=UTC) for day in ((2026, 3, 25), (2026, 12, 22), (2028, 2, 24))],
        ids=["DST", "year end", "leap day"],
    )
    @pytest.mark.parametrize("side", ["partner", "customer"])
    def test_never_ends_on_a_day_on_which_one_party_does_not_work_and_a_zone_change_is_undone_exactly(
        self, start, side
    ):
        run = Run()
        run.now = start
        before, day = dated(run), timedelta(seconds=1)
        free = tuple((start + timedelta(days=n)).date() for n in range(2, 6))
        away = Calendar(zone="Pacific/Auckland", holidays=free)
        run.apply(events.CalendarChanged(by=STAFF, side=side, calendar=away, reason="They moved."))
        for key, item in run.state.items.items():
            plan = run.definition.items[key]
            if plan.due and not plan.children and item.state == "waiting":
                owner = away if plan.side == side else BERLIN
                assert item.due_at is not None
                local = (item.due_at - day).astimezone(ZoneInfo(owner.zone))
                assert local.weekday() < 5
                assert local.date() not in free
        run.apply(events.CalendarChanged(by=STAFF, side=side, calendar=BERLIN, reason="They came back."))
        assert dated(run) == before


class TestGoLive:
    def live(self, day):
        run = Run()
        run.apply(events.GoLiveSet(by=STAFF, day=day, reason="It is in the contract."))
        return run, look_back(run.definition, run.state)

    def test_nobody_wants_is_not_looked_at(self):
        run, back = self.live(None)
        assert back is None
        assert look_back(run.definition, Run().state) is None

    def test_is_met_on_the_very_day_and_lacks_a_day_on_the_day_before(self):
        _run, far = self.live(date(2026, 12, 1))
        assert far.late_by == 0
        expected = BERLIN.day_at(far.expected)
        assert self.live(expected)[1].late_by == 0
        time = BusinessTime(BERLIN, BERLIN)
        earlier, lacks = expected, 0
        while lacks < 3:
            earlier -= timedelta(days=1)
            lacks += time.works_on(earlier)
            if time.works_on(earlier):
                assert self.live(earlier)[1].late_by == lacks

    def test_leaves_each_step_days_to_spare_and_using_them_up_is_just_met(self):
        run, back = self.live(date(2026, 6, 1))
        assert back.latest
        for key, latest in back.latest.items():
            item, time = run.definition.items[key], run.state.time_for(run.definition.items[key].side)
            assert time.days_between(run.state.items[key].due_at, latest.due_at) == latest.to_spare
            if item.due and item.due.business_days and not item.children:
                assert self.moved(run, key, BERLIN.day_at(latest.due_at)).late_by == 0
                after = BERLIN.day_at(time.add_days(latest.due_at, 0))
                late = self.moved(run, key, after)
                assert late.late_by > 0 or late.latest[key].to_spare < 0

    def moved(self, run, key, day):
        tried = Run()
        tried.apply(events.GoLiveSet(by=STAFF, day=run.state.plan.go_live, reason="It is in the contract."))
        tried.apply(events.DueDateSet(by=STAFF, item=key, day=day, reason="As late as it may be."))
        return look_back(tried.definition, tried.state)

    def test_that_cannot_be_met_lacks_days_at_every_step_on_the_way(self):
        _run, back = self.live((MONDAY + timedelta(days=1)).date())
        assert back.late_by > 0
        assert min(latest.to_spare for latest in back.latest.values()) < 0
