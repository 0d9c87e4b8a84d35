"""Clocks and dates around the days on which calendars play tricks, against a wall clock and a stopwatch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.flow.definition import Duration, Item
from tests.unit.flow.clocks.playing import OURS, THEIRS, Played
from tests.unit.flow.clocks.wall import NOTHING, Party, Wall

TURNS = {  # a moment at which something happens to the calendar, for each zone
    "Europe/Berlin": ("2026-03-29T01:00", "2026-10-25T01:00", "2028-02-28T23:00"),
    "America/New_York": ("2026-03-08T07:00", "2026-11-01T06:00", "2027-01-01T05:00"),
    "Asia/Kolkata": ("2026-03-29T01:00", "2028-02-29T00:00", "2026-12-31T18:30"),
    "Australia/Lord_Howe": ("2026-04-04T15:00", "2026-10-03T15:30", "2028-02-29T13:00"),
    "Africa/Cairo": ("2026-04-23T22:00", "2026-10-29T21:00", "2026-12-31T22:00"),  # at midnight
    "Pacific/Auckland": ("2026-04-04T14:00", "2026-09-26T14:00", "2027-12-31T11:00"),
}
HOURS = ((540, 1020), (0, 1440), (150, 480), (60, 135), (1260, 1440))  # also by night, when clocks turn
WEEKS = (tuple(range(5)), tuple(range(7)), (0, 1, 2, 3, 6))
SECOND = timedelta(seconds=1)
lengths = st.builds(lambda hours: Duration(business_hours=hours), st.integers(1, 30)) | st.builds(
    lambda days: Duration(business_days=days), st.integers(1, 3)
)


@dataclass(frozen=True)
class Ground:
    """Two parties, and when something begins."""

    partner: Party
    customer: Party
    start: datetime

    @property
    def walls(self) -> dict[str, Wall]:
        """The working time of each clock."""
        return {"ours": Wall(self.partner, self.customer), "theirs": Wall(self.customer, self.partner)}


@st.composite
def grounds(draw: Any) -> Ground:
    """Around a turn of one of the two zones."""
    zones = [draw(st.sampled_from(sorted(TURNS))) for _party in range(2)]
    turn = datetime.fromisoformat(draw(st.sampled_from(TURNS[zones[0]]))).replace(tzinfo=UTC)
    parties = []
    for zone in zones:
        opens, closes = draw(st.sampled_from(HOURS))
        free = {turn.date() + timedelta(days=draw(st.integers(-2, 8))) for _day in range(draw(st.integers(0, 3)))}
        parties.append(Party(zone, tuple(sorted(free)), opens, closes, draw(st.sampled_from(WEEKS))))
    return Ground(parties[0], parties[1], turn + draw(st.integers(-3 * 86_400, 86_400)) * SECOND)


def length_of(length: Duration, wall: Wall) -> timedelta:
    """The working time of a rung: a day is as long as a working day is."""
    if length.business_hours is not None:
        return timedelta(hours=length.business_hours)
    return timedelta(minutes=(length.business_days or 0) * (wall.owner.closes - wall.owner.opens))


def climbed(wall: Wall, start: datetime, rungs: Any, stops: Any = ()) -> list[datetime]:
    """When each rung is due, by the stopwatch."""
    due, found = start, []
    for rung in rungs:
        due = wall.after(due, length_of(rung, wall), stops)
        found.append(due)
    return found


class TestRungs:
    @given(grounds(), st.tuples(lengths, lengths, lengths), st.sampled_from(["pause", "hold"]), st.data())
    @settings(max_examples=60, deadline=None)
    def test_are_due_when_the_stopwatch_shows_it_also_with_stops_between(self, ground, rungs, way, data):
        played, moment, stops = Played(ground.start, ground.partner, ground.customer, rungs), ground.start, []
        for _stop in range(data.draw(st.integers(0, 3))):
            since = moment + data.draw(st.integers(0, 200_000)) * SECOND
            moment = since + data.draw(st.integers(0, 200_000)) * SECOND
            getattr(played, way)(since, moment)
            stops.append((since, moment))
        played.until(ground.start + timedelta(days=150))
        for clock, wall in ground.walls.items():
            stood = stops if way == "hold" or clock == "ours" else ()
            assert played.of(clock) == climbed(wall, ground.start, rungs, stood)
            assert all(wall.is_worked(moment) for moment in played.of(clock))

    @given(grounds(), lengths)
    @settings(max_examples=40, deadline=None)
    def test_of_what_nobody_responds_to_are_due_by_the_wall_clock(self, ground, within):
        played = Played(ground.start, ground.partner, ground.customer, within=within)
        played.trouble(ground.start)
        played.until(ground.start + timedelta(days=150))
        wall, due, expected = ground.walls["ours"], ground.start, []
        for _rung in range(3):
            hours, days = within.business_hours, within.business_days
            due = wall.after(due, timedelta(hours=hours)) if hours else wall.closing(due, days or 0)
            expected.append(due)
        assert played.of("response")[:3] == expected
        assert all(wall.is_worked(moment) for moment in expected)


class TestUndone:
    @given(grounds(), grounds(), st.sampled_from(["partner", "customer"]), st.integers(0, 90_000), st.data())
    @settings(max_examples=40, deadline=None)
    def test_a_calendar_that_is_put_back_puts_back_every_moment_and_in_between_all_is_due_by_it(
        self, ground, other, side, later, data
    ):
        rungs = (Duration(business_hours=30), Duration(business_days=2), Duration(business_hours=3))
        played = Played(ground.start, ground.partner, ground.customer, rungs, within=Duration(business_days=3))
        played.trouble(ground.start)
        if data.draw(st.booleans()):
            waited = played.trouble(ground.start + 60 * SECOND, OURS, "waiting_customer_admin")
            played.answer(ground.start + 60 * SECOND, waited)
        moment = ground.start + later * SECOND
        played.until(moment)
        fired, awaited, dates = list(played.fired), played.awaited(), played.dates()
        played.move_to(moment, side, other.partner)
        there = Ground(**{**vars(ground), side: other.partner})
        for due, clock, rung in played.awaited():
            if clock in there.walls:
                wall = there.walls[clock]
                begun = [each.at for each in fired if each.what == clock] or [ground.start]
                assert due == wall.after(begun[-1], length_of(rungs[rung], wall))
                assert wall.is_worked(due)
            elif clock == "response":
                assert there.walls["ours"].is_worked(due)
        assert {key: due for key, due in played.dates().items() if due} == planned(played, there)
        played.move_to(moment, side, getattr(ground, side))
        assert (played.awaited(), played.dates(), played.fired) == (awaited, dates, fired)

    @given(grounds(), st.integers(0, 400_000), st.sampled_from(["pause", "hold"]))
    @settings(max_examples=40, deadline=None)
    def test_a_stop_for_no_time_changes_no_moment(self, ground, later, way):
        played, moment = Played(ground.start, ground.partner, ground.customer), ground.start + later * SECOND
        played.until(moment)
        awaited, dates = played.awaited(), played.dates()
        getattr(played, way)(moment, moment)
        assert (played.awaited(), played.dates()) == (awaited, dates)


class TestDates:
    @given(grounds(), st.integers(0, 300_000), st.integers(0, 300_000))
    @settings(max_examples=40, deadline=None)
    def test_are_due_by_the_wall_clock_on_working_days_of_both_also_after_a_hold(self, ground, later, long):
        played = Played(ground.start, ground.partner, ground.customer)
        assert played.dates() == planned(played, ground)
        since = ground.start + later * SECOND
        played.hold(since, since + long * SECOND)
        expected = planned(played, ground, (since, since + long * SECOND))
        assert played.dates() == expected
        for key, item in played.definition.items.items():
            if item.due and item.kind == "task":
                wall = ground.walls["ours" if item.side == "partner" else "theirs"]
                assert wall.is_worked(expected[key])

    def test_have_a_step_of_each_side(self):
        items = Played(datetime(2026, 3, 2, 8, tzinfo=UTC), Party("UTC"), Party("UTC")).definition.items
        assert (items[OURS].side, items[THEIRS].side) == ("partner", "customer")


def planned(played: Played, ground: Ground, held: tuple[datetime, datetime] | None = None) -> dict[str, datetime]:
    """The date of each step where nothing is done yet: the longest way to it, measured with the wall clock."""
    items, ends = played.definition.items, dict[str, datetime]()

    def wall(item: Item) -> Wall:
        return ground.walls["ours" if item.side == "partner" else "theirs"]

    def begin(item: Item) -> datetime:
        above = begin(items[item.parent]) if item.parent else ground.start
        return max([above, *(end(items[key]) for key in item.depends_on)])

    def own(item: Item) -> datetime:
        since = begin(item)
        if item.due is None:
            return since
        hours, days = item.due.business_hours, item.due.business_days
        done = wall(item).after(since, timedelta(hours=hours)) if hours else wall(item).closing(since, days or 0)
        if held and since < held[1] and held[0] < done:
            lost = wall(item).worked(max(held[0], since), held[1])
            return wall(item).after(done, lost) if lost > NOTHING else done
        return done

    def end(item: Item) -> datetime:
        if item.key not in ends:
            below = [end(items[key]) for key in item.children if not items[key].optional]
            ends[item.key] = max([own(item), *below])
        return ends[item.key]

    return {
        key: end(item) if item.due or item.children else wall(item).closing(end(item), 0) for key, item in items.items()
    }
