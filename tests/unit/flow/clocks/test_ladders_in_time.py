"""Ladders over the days on which calendars play tricks: every rung against moments that were worked out by hand.

The rungs of both clocks are four hours, then a working day, then twelve hours; each says so in the local time of whose
clock it is, with its distance from UTC. What nobody responds to is told at closing time of the next working day, and so
on: the day begins to count when it is told.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import msgspec
import pytest

from app.flow.decide import replay
from app.flow.definition import Duration
from app.flow.state import State
from tests.unit.flow.clocks.playing import THEIRS, Played
from tests.unit.flow.clocks.wall import Party

CLOSED = (date(2026, 12, 24), date(2026, 12, 25), date(2027, 1, 1))
BERLIN, NEW_YORK, KOLKATA = Party("Europe/Berlin"), Party("America/New_York"), Party("Asia/Kolkata")
FEAST = Party("America/New_York", free=(date(2026, 11, 26),))
ALWAYS = Party("Europe/Berlin", opens=0, closes=1440, weekdays=tuple(range(7)))
HOWE = Party("Australia/Lord_Howe", opens=0, closes=1440, weekdays=tuple(range(7)))  # half an hour, twice a year
NIGHT = Party("Europe/Berlin", opens=150, closes=6 * 60, weekdays=tuple(range(7)))  # from half past two


def at(text: str) -> datetime:
    """A moment."""
    return datetime.fromisoformat(text)


def moments(text: str) -> list[datetime]:
    """Moments."""
    return [at(each) for each in text.split()]


OUR_LADDER = [  # what the calendar does, who works, who else, when it begins, the three rungs of our clock
    (
        "spring, over the weekend",
        (BERLIN, BERLIN, "2026-03-27T15:30+01:00"),  # 1.5 h on Friday
        "2026-03-30T11:30+02:00 2026-03-31T11:30+02:00 2026-04-01T15:30+02:00",
    ),
    (
        "autumn, over the weekend",
        (BERLIN, BERLIN, "2026-10-23T15:30+02:00"),
        "2026-10-26T11:30+01:00 2026-10-27T11:30+01:00 2026-10-28T15:30+01:00",
    ),
    (
        "the hour that spring takes",
        (ALWAYS, ALWAYS, "2026-03-28T20:00+01:00"),  # the second rung would be midnight, was there the hour
        "2026-03-29T00:00+01:00 2026-03-30T01:00+02:00 2026-03-30T13:00+02:00",
    ),
    (
        "the hour that autumn gives twice",
        (ALWAYS, ALWAYS, "2026-10-24T20:00+02:00"),
        "2026-10-25T00:00+02:00 2026-10-25T23:00+01:00 2026-10-26T11:00+01:00",
    ),
    (
        "within the hour that comes twice, the second time",
        (ALWAYS, ALWAYS, "2026-10-24T23:30+02:00"),
        "2026-10-25T02:30+01:00 2026-10-26T02:30+01:00 2026-10-26T14:30+01:00",
    ),
    (
        "spring in New York, three weeks before",
        (NEW_YORK, BERLIN, "2026-03-06T16:00-05:00"),
        "2026-03-09T12:00-04:00 2026-03-10T12:00-04:00 2026-03-11T16:00-04:00",
    ),
    (
        "autumn in New York, a week after",
        (NEW_YORK, BERLIN, "2026-10-30T16:00-04:00"),
        "2026-11-02T12:00-05:00 2026-11-03T12:00-05:00 2026-11-04T16:00-05:00",
    ),
    (
        "no daylight saving in Kolkata, while they turn their clocks there",
        (KOLKATA, BERLIN, "2026-03-27T15:30+05:30"),
        "2026-03-30T11:30+05:30 2026-03-31T11:30+05:30 2026-04-01T15:30+05:30",
    ),
    (
        "half an hour given on Lord Howe",
        (HOWE, HOWE, "2026-04-04T22:00+11:00"),
        "2026-04-05T01:30+10:30 2026-04-06T01:30+10:30 2026-04-06T13:30+10:30",
    ),
    (
        "half an hour taken on Lord Howe",
        (HOWE, HOWE, "2026-10-03T22:00+10:30"),
        "2026-10-04T02:30+11:00 2026-10-05T02:30+11:00 2026-10-05T14:30+11:00",
    ),
    (
        "a night that opens in the hour that is not there",
        (NIGHT, NIGHT, "2026-03-28T04:00+01:00"),  # 2 h; then 3 h from three o'clock on; a day is 3.5 h
        "2026-03-29T05:00+02:00 2026-03-30T05:00+02:00 2026-04-03T03:00+02:00",
    ),
    (
        "leap day",
        (BERLIN, BERLIN, "2028-02-28T15:00+01:00"),
        "2028-02-29T11:00+01:00 2028-03-01T11:00+01:00 2028-03-02T15:00+01:00",
    ),
    (
        "leap day, free",
        (BERLIN._replace(free=(date(2028, 2, 29),)), BERLIN, "2028-02-28T15:00+01:00"),
        "2028-03-01T11:00+01:00 2028-03-02T11:00+01:00 2028-03-03T15:00+01:00",
    ),
    (
        "no leap day",
        (BERLIN, BERLIN, "2027-02-26T15:00+01:00"),
        "2027-03-01T11:00+01:00 2027-03-02T11:00+01:00 2027-03-03T15:00+01:00",
    ),
    (
        "year end",
        (BERLIN._replace(free=CLOSED), BERLIN, "2026-12-30T15:00+01:00"),
        "2026-12-31T11:00+01:00 2027-01-04T11:00+01:00 2027-01-05T15:00+01:00",
    ),
    (
        "Christmas, on which only they are closed",
        (BERLIN, BERLIN._replace(free=CLOSED), "2026-12-23T15:00+01:00"),
        "2026-12-28T11:00+01:00 2026-12-29T11:00+01:00 2026-12-30T15:00+01:00",
    ),
    (
        "a feast of theirs",
        (BERLIN, FEAST, "2026-11-25T15:00+01:00"),
        "2026-11-27T11:00+01:00 2026-11-30T11:00+01:00 2026-12-01T15:00+01:00",
    ),
    (
        "a feast of ours",
        (FEAST, BERLIN, "2026-11-25T15:00-05:00"),
        "2026-11-27T11:00-05:00 2026-11-30T11:00-05:00 2026-12-01T15:00-05:00",
    ),
    (
        "begun by night",
        (BERLIN, BERLIN, "2026-03-28T23:59:59+01:00"),
        "2026-03-30T13:00+02:00 2026-03-31T13:00+02:00 2026-04-01T17:00+02:00",
    ),
    (
        "begun on a broken second",
        (BERLIN, BERLIN, "2026-03-27T15:29:59.000001+01:00"),
        "2026-03-30T11:29:59.000001+02:00 2026-03-31T11:29:59.000001+02:00 2026-04-01T15:29:59.000001+02:00",
    ),
]
ladders = pytest.mark.parametrize(
    ("begin", "rungs"), [row[1:] for row in OUR_LADDER], ids=[row[0] for row in OUR_LADDER]
)


class TestOurClock:
    @ladders
    def test_climbs_at_these_moments(self, begin, rungs):
        partner, customer, start = begin
        played = Played(at(start), partner, customer)
        played.until(at(start) + timedelta(days=14))
        assert played.of("ours") == moments(rungs)
        assert replay(played.definition, played.history) == played.state
        assert msgspec.json.decode(msgspec.json.encode(played.state), type=State) == played.state

    @ladders
    def test_of_the_other_side_climbs_at_the_same_moments_when_the_sides_are_changed(self, begin, rungs):
        partner, customer, start = begin
        played = Played(at(start), customer, partner)
        played.until(at(start) + timedelta(days=14))
        assert played.of("theirs") == moments(rungs)


STOPS = [  # what stops it, from when to when, and the three rungs of the clock that stood still
    (
        "over the hour that spring takes",
        ("2026-03-27T15:30+01:00", "2026-03-27T16:30+01:00", "2026-03-30T14:00+02:00"),  # 3 of 4 h were left
        "2026-03-30T17:00+02:00 2026-03-31T17:00+02:00 2026-04-02T13:00+02:00",
    ),
    (
        "over the hour that autumn gives twice",
        ("2026-10-23T15:30+02:00", "2026-10-23T16:30+02:00", "2026-10-26T14:00+01:00"),
        "2026-10-26T17:00+01:00 2026-10-27T17:00+01:00 2026-10-29T13:00+01:00",
    ),
    (
        "over a weekend only",
        ("2026-03-27T15:30+01:00", "2026-03-27T17:00+01:00", "2026-03-30T09:00+02:00"),
        "2026-03-30T11:30+02:00 2026-03-31T11:30+02:00 2026-04-01T15:30+02:00",
    ),
    (
        "by night",
        ("2026-03-27T15:30+01:00", "2026-03-29T01:59+01:00", "2026-03-29T03:01+02:00"),
        "2026-03-30T11:30+02:00 2026-03-31T11:30+02:00 2026-04-01T15:30+02:00",
    ),
    (
        "for nothing, at the moment at which it begins",
        ("2026-03-27T15:30+01:00", "2026-03-27T15:30+01:00", "2026-03-27T15:30+01:00"),
        "2026-03-30T11:30+02:00 2026-03-31T11:30+02:00 2026-04-01T15:30+02:00",
    ),
    (
        "over leap day",
        ("2028-02-28T15:00+01:00", "2028-02-28T16:00+01:00", "2028-03-01T09:00+01:00"),
        "2028-03-01T12:00+01:00 2028-03-02T12:00+01:00 2028-03-03T16:00+01:00",
    ),
]
stops = pytest.mark.parametrize(("stop", "rungs"), [row[1:] for row in STOPS], ids=[row[0] for row in STOPS])


class TestAClockThatStandsStill:
    @stops
    @pytest.mark.parametrize("way", ["pause", "hold"])
    def test_goes_on_with_what_was_left(self, stop, rungs, way):
        start, since, until = (at(each) for each in stop)
        played = Played(start, BERLIN, BERLIN)
        getattr(played, way)(since, until)
        played.until(start + timedelta(days=20))
        assert played.of("ours") == moments(rungs)
        free = Played(start, BERLIN, BERLIN)
        free.until(start + timedelta(days=20))
        assert played.of("theirs") == (moments(rungs) if way == "hold" else free.of("theirs"))  # a pause is one side's
        assert replay(played.definition, played.history) == played.state

    def test_between_two_rungs_moves_only_the_later_ones(self):
        played = Played(at("2026-03-27T15:30+01:00"), BERLIN, BERLIN)
        played.pause(at("2026-03-30T12:30+02:00"), at("2026-03-31T09:30+02:00"))  # an hour of the second had passed
        played.until(at("2026-04-30T12:00+02:00"))
        assert played.of("ours") == moments("2026-03-30T11:30+02:00 2026-03-31T16:30+02:00 2026-04-02T12:30+02:00")

    @pytest.mark.parametrize("way", ["pause", "hold"])
    def test_for_no_time_at_the_very_moment_of_a_rung_does_not_put_it_off(self, way):
        played = Played(at("2026-03-27T09:00+01:00"), BERLIN, BERLIN, lengths=(Duration(business_hours=8),) * 3)
        due = at("2026-03-27T17:00+01:00")
        played.until(due - timedelta(seconds=1))
        before = played.state.timers["ours"].due_at
        assert before == due
        played.before_it_fires = (due,)
        getattr(played, way)(due, due)
        assert played.state.timers["ours"].due_at == before


RESPONSES = [  # what the calendar does, when it is raised, by when somebody is to respond, when three people are told
    ("spring", BERLIN, BERLIN, "2026-03-26T10:00+01:00", Duration(business_days=1),
     "2026-03-27T17:00+01:00 2026-03-31T17:00+02:00 2026-04-02T17:00+02:00"),
    ("autumn", BERLIN, BERLIN, "2026-10-23T10:00+02:00", Duration(business_hours=10),
     "2026-10-26T12:00+01:00 2026-10-27T14:00+01:00 2026-10-28T16:00+01:00"),
    ("leap day", BERLIN, BERLIN, "2028-02-28T16:30+01:00", Duration(business_hours=4),
     "2028-02-29T12:30+01:00 2028-02-29T16:30+01:00 2028-03-01T12:30+01:00"),
    ("year end", BERLIN._replace(free=CLOSED), BERLIN, "2026-12-30T10:00+01:00", Duration(business_days=1),
     "2026-12-31T17:00+01:00 2027-01-05T17:00+01:00 2027-01-07T17:00+01:00"),
    ("a feast of theirs", BERLIN, FEAST, "2026-11-25T12:00+01:00", Duration(business_hours=6),
     "2026-11-27T10:00+01:00 2026-11-27T16:00+01:00 2026-11-30T14:00+01:00"),
    ("Kolkata", KOLKATA, NEW_YORK, "2026-03-06T16:45+05:30", Duration(business_hours=1),
     "2026-03-09T09:45+05:30 2026-03-09T10:45+05:30 2026-03-09T11:45+05:30"),
    ("half an hour on Lord Howe", HOWE, HOWE, "2026-10-03T23:00+10:30", Duration(business_hours=3),
     "2026-10-04T02:00+10:30 2026-10-04T05:30+11:00 2026-10-04T08:30+11:00"),
]  # fmt: skip


class TestWhatNobodyRespondsTo:
    @pytest.mark.parametrize(
        ("partner", "customer", "start", "within", "rungs"),
        [row[1:] for row in RESPONSES],
        ids=[row[0] for row in RESPONSES],
    )
    def test_is_told_to_three_people_at_these_moments(self, partner, customer, start, within, rungs):
        played = Played(at(start) - timedelta(days=1), partner, customer, within=within)
        name = played.trouble(at(start))
        assert played.state.exceptions[name].respond_by == moments(rungs)[0]
        played.until(at(start) + timedelta(days=20))
        first = [each for each in played.fired if each.what == "response"][:3]
        assert [each.at for each in first] == moments(rungs)

    def test_waits_through_a_hold_and_stops_when_somebody_responds(self):
        played = Played(at("2026-03-26T09:00+01:00"), BERLIN, BERLIN, within=Duration(business_hours=10))
        name = played.trouble(at("2026-03-27T10:00+01:00"))  # 7 h on Friday, 3 h on Monday: noon
        played.hold(at("2026-03-27T16:00+01:00"), at("2026-03-30T10:00+02:00"))  # 1 h on Friday, 1 h on Monday
        assert played.state.exceptions[name].respond_by == at("2026-03-30T14:00+02:00")
        played.until(at("2026-03-30T14:00+02:00"))
        assert played.of("response") == moments("2026-03-30T14:00+02:00")
        played.answer(at("2026-03-31T15:59:59+02:00"), name)  # a second before the second rung
        played.until(at("2026-05-30T14:00+02:00"))
        assert played.of("response") == moments("2026-03-30T14:00+02:00")

    def test_of_the_customers_step_runs_in_the_partners_time(self):
        played = Played(at("2026-03-05T09:00+01:00"), BERLIN, NEW_YORK, within=Duration(business_hours=8))
        played.trouble(at("2026-03-06T13:00+01:00"), THEIRS)
        played.until(at("2026-03-09T13:00+01:00"))
        assert played.of("response") == moments("2026-03-09T13:00+01:00")
