"""The court clock over any history: somebody always has the ball, and the parts are the time that has passed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct, structs

from app.flow import events
from app.flow.calendar import Calendar
from app.flow.clocks.court import add_up, whose_move
from app.flow.decide import decide, new_state
from app.flow.definition import REASON_CODES
from app.flow.simulate import _aside, _begin, _forward
from app.kernel.errors import SlipwayError
from tests.unit.flow.running import STAFF, managed_services

DEFINITION = managed_services()
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland")


class Stretch(Struct):
    """A line of the ledger as the rows have it."""

    began_at: datetime
    holder: str
    reason_code: str | None
    ended_at: datetime | None = None


def calendar(chance: Random, day: date) -> Calendar:
    """Working hours of a party that may be at the other end of the world, with holidays of its own."""
    opens = chance.randrange(0, 12 * 60)
    free = tuple(sorted({day + timedelta(days=chance.randrange(120)) for _each in range(6)}))
    closes = min(24 * 60, opens + chance.randrange(60, 12 * 60))
    return Calendar(zone=chance.choice(ZONES), opens=opens, closes=closes, holidays=free)


def way(state, chance):
    """One event that might happen: work, trouble, a hold, its end, a roll back."""
    number = chance.randrange(10)
    if state.hold is not None and number < 4:
        return events.Resumed(by=STAFF)
    if number == 0:
        return events.Held(by=STAFF, reason_code=chance.choice(REASON_CODES), reason="Wait.")
    if number == 1:
        stages = [stage.key for stage in DEFINITION.of_kind("stage")]
        return events.RolledBack(by=STAFF, stage=chance.choice(stages), reason="Once more.")
    ways = list(_forward(DEFINITION, state, chance) if number < 8 else _aside(DEFINITION, state, chance))
    return chance.choice(ways) if ways else events.Resumed(by=STAFF)


def walk(seed, steps):
    """A random history with the ledger that is written along it; gives the state, the ledger and the last moment."""
    chance = Random(seed)  # noqa: S311  # a repeatable walk, not a secret
    now = datetime(2026, chance.randrange(1, 13), 20, tzinfo=UTC) + timedelta(seconds=chance.randrange(10**6))
    first = _begin(DEFINITION, chance)
    first = structs.replace(first, partner=calendar(chance, now.date()), customer=calendar(chance, now.date()))
    state, ledger, event = new_state(DEFINITION), list[Stretch](), first
    for _step in range(steps):
        before = whose_move(DEFINITION, state)
        try:
            state = decide(DEFINITION, state, event, now).state
        except SlipwayError:
            event = way(state, chance)
            continue
        after = whose_move(DEFINITION, state)
        if after != before:
            if ledger:
                ledger[-1].ended_at = now
            if after:
                ledger.append(Stretch(now, after.holder, after.reason_code))
        if state.ended_at:
            break
        now += timedelta(seconds=chance.choice((0, 1, 59, chance.randrange(10**6))))
        event = way(state, chance)
    return state, ledger, now


def seconds_worked(start, end, owner, other):
    """Seconds between two moments that are worked: every local day of the owner, looked at one by one."""
    zone, total = ZoneInfo(owner.zone), 0.0
    day = start.astimezone(zone).date() - timedelta(days=1)
    while day <= end.astimezone(zone).date():
        free = any(day.weekday() not in party.weekdays or day in party.holidays for party in (owner, other))
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
        for minute in () if free else range(owner.opens, owner.closes):
            wall = (midnight + timedelta(minutes=minute)).astimezone(UTC)
            total += max(0.0, (min(wall + timedelta(minutes=1), end) - max(wall, start)).total_seconds())
        day += timedelta(days=1)
    return total


class TestCourtClock:
    @given(st.integers(0, 2**32))
    @settings(max_examples=60, deadline=None)
    def test_the_parts_are_the_elapsed_business_time_to_the_second(self, seed: int):
        state, ledger, now = walk(seed, 40)
        clock, end = state.time_for("partner"), state.ended_at or now
        parts = add_up(ledger, clock, end)
        assert sum((part.spent for part in parts), timedelta()) == clock.business_between(state.started_at, end)
        for part in parts:
            assert sum((spent for _code, spent in part.reasons), timedelta()) <= part.spent
        assert [stretch.ended_at for stretch in ledger[:-1]] == [stretch.began_at for stretch in ledger[1:]]

    @given(st.integers(0, 2**32))
    @settings(max_examples=5, deadline=None)
    def test_that_is_the_time_that_a_wall_clock_shows(self, seed: int):
        state, ledger, now = walk(seed, 12)
        end = state.ended_at or now
        parts = add_up(ledger, state.time_for("partner"), end)
        expected = seconds_worked(state.started_at, end, state.partner, state.customer)
        assert sum(part.spent.total_seconds() for part in parts) == expected
