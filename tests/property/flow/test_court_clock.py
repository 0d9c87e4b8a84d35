"""The court clock over any history: somebody always has the ball, and the parts are the time that has passed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct, structs

from app.flow import events
from app.flow.calendar import Calendar
from app.flow.clocks.court import OF_REASONS, add_up, whose_move
from app.flow.decide import decide, new_state
from app.flow.definition import REASON_CODES
from app.flow.simulate import _aside, _begin, _forward
from app.kernel.errors import SlipwayError
from tests.unit.flow.running import STAFF, Run, managed_services

BEFORE_THE_CUSTOMER: dict[str, dict[str, Any]] = {
    "task.assign_team": {"engineer": "Ada", "fallback": "Bo"},
    "task.confirm_billing": {"entity_matches": True, "plan_matches": True, "bill_to_known": True},
    "task.schedule_kickoff": {"kickoff_on": "2026-03-09"},
}
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


def move(run):
    """Whose it is, and why."""
    ball = whose_move(run.definition, run.state)
    assert ball is not None
    return ball


def tasks_of(run):
    """The tasks that somebody can act on."""
    return [key for key, item in run.state.items.items() if item.state == "open" and key.startswith("task.")]


class TestWhoseMove:
    def hold(self, code):
        run = Run()
        run.apply(events.Held(by=STAFF, reason_code=code, reason="Wait."))
        return move(run)

    def test_on_hold_is_whoever_the_reason_names(self):
        for code in REASON_CODES:
            ball = self.hold(code)
            assert (ball.holder, ball.reason_code) == (OF_REASONS.get(code, "partner"), code)

    def blocked(self, task, kind, code):
        run = Run()
        run.accept()
        while others := [key for key in tasks_of(run) if key != task]:
            run.apply(events.ItemSkipped(by=STAFF, item=others[0], reason="Not needed."))
        note = "It does not go on."
        raised = events.ExceptionRaised(by=STAFF, item=task, type=kind, reason_code=code, note=note, blocks=True)
        run.apply(raised)
        return move(run)

    def test_of_a_blocked_step_is_whoever_its_trouble_names(self):
        ball = self.blocked("task.confirm_billing", "billing_mismatch", "waiting_billing_info")
        assert (ball.holder, ball.reason_code) == ("customer", "waiting_billing_info")
        ball = self.blocked("task.confirm_billing", "technical_blocker", "integration_failure")
        assert ball.holder == "third_party"
        ball = self.blocked("task.confirm_billing", "product_gap", "scope_mismatch")
        assert (ball.holder, ball.reason_code) == ("vendor", "scope_mismatch")
        assert self.blocked("task.confirm_billing", "timeline_risk", "scope_mismatch").holder == "partner"

    def test_is_the_partners_while_anything_of_theirs_is_open_and_then_the_customers(self):
        run = Run()
        assert move(run).holder == "partner"
        run.accept()
        for task, answers in BEFORE_THE_CUSTOMER.items():
            assert self.agrees(run) == "partner"
            run.complete(task, **answers)
        while any(run.definition.items[key].side == "partner" for key in tasks_of(run)):
            ours = next(key for key in tasks_of(run) if run.definition.items[key].side == "partner")
            assert self.agrees(run) == "partner"
            run.apply(events.ItemSkipped(by=STAFF, item=ours, reason="Not needed."))
        assert self.agrees(run) == "customer"
        run.apply(events.Cancelled(by=STAFF, reason="Withdrawn."))
        assert whose_move(run.definition, run.state) is None

    @staticmethod
    def agrees(run):
        """The holder; it is the partner exactly while one of their tasks or gates is open."""
        moving = [key for key, item in run.state.items.items() if item.state == "open"]
        sides = {run.definition.items[key].side for key in moving if key.split(".")[0] in {"task", "gate"}}
        holder = move(run).holder
        assert (holder == "partner") == ("partner" in sides)
        return holder

    def test_is_the_systems_while_only_an_action_runs_and_its_owners_once_it_has_failed(self):
        run = Run()
        run.until_workspace()
        while others := tasks_of(run):
            run.apply(events.ItemSkipped(by=STAFF, item=others[0], reason="Not needed."))
        assert run.item("task.create_workspace").state == "running"
        assert move(run).holder == "system"
        run.apply(events.ActionFailed(task="task.create_workspace", request=1, error="Refused."))
        assert move(run).holder == "partner"
