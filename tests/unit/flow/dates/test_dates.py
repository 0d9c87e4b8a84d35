"""Every date that moves has one recorded cause; putting a cause back gives the very same dates."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.flow import events
from app.flow.calendar import Calendar
from app.flow.dates.follow import DateReasonNeeded, DayRefused
from app.flow.decide import decide, new_state, replay
from app.flow.schedule import Forecast
from app.flow.simulate import walk
from app.flow.state import State
from app.flow.steps.draft import NotOpen
from tests.unit.flow.running import BERLIN, MONDAY, STAFF, Run, full_packet, managed_services, started

BILLING, KICKOFF = "task.confirm_billing", "task.schedule_kickoff"
WHY = "The customer asked for it."


@cache
def walked(seed):
    """One random history."""
    return walk(managed_services(), seed)[0]


def dates(state):
    return {key: item.due_at for key, item in state.items.items()}


def chosen(item, day, reason=WHY):
    return events.DueDateSet(by=STAFF, item=item, day=day, reason=reason)


class TestEveryMove:
    @pytest.mark.parametrize("seed", range(12))
    def test_is_told_once_and_every_change_of_a_date_is_one(self, seed):
        definition = managed_services()
        state = new_state(definition)
        for entry in walked(seed):
            decision = decide(definition, state, entry.event, entry.at)
            changed = {key for key, due in dates(state).items() if due != decision.state.items[key].due_at}
            assert {move.item for move in decision.moves} == changed
            assert len(decision.moves) == len(changed)
            for move in decision.moves:
                assert (move.was, move.becomes) == (
                    state.items[move.item].due_at,
                    decision.state.items[move.item].due_at,
                )
            state = decision.state

    @pytest.mark.parametrize("seed", range(12))
    def test_lies_in_something_that_happened_to_that_very_item(self, seed):
        definition = managed_services()
        state = new_state(definition)
        for entry in walked(seed):
            decision = decide(definition, state, entry.event, entry.at)
            for move in decision.moves:
                assert move.cause_item is not None
                was, now = state.items[move.cause_item], decision.state.items[move.cause_item]
                assert (was.state, was.opened_at) != (now.state, now.opened_at)
                assert {"finished": "done", "skipped": "skipped"}.get(move.cause, now.state) == now.state
            state = decision.state

    @pytest.mark.parametrize("seed", range(12))
    def test_leads_from_the_baseline_to_the_date(self, seed):
        definition = managed_services()
        state, moved = new_state(definition), dict[str, list[Any]]()
        for entry in walked(seed):
            decision = decide(definition, state, entry.event, entry.at)
            for move in decision.moves:
                moved.setdefault(move.item, []).append(move)
            state = decision.state
        assert state.plan is not None
        for key, item in state.items.items():
            path = moved.get(key, [])
            assert [state.plan.baseline[key], *(move.becomes for move in path)][-1] == item.due_at
            assert [move.was for move in path] == [state.plan.baseline[key], *(move.becomes for move in path)][:-1]

    @pytest.mark.parametrize("seed", range(12))
    def test_of_what_has_not_ended_is_a_function_of_the_state_alone(self, seed):
        definition = managed_services()
        history = walked(seed)
        for length in range(1, len(history), 5):
            state = replay(definition, history[:length])
            if state.status == "running" and state.started_at:
                plan = Forecast(definition, state, state.started_at)
                assert all(state.is_settled(key) or item.due_at == plan.due(key) for key, item in state.items.items())


class TestSlip:
    def test_of_an_item_moves_all_that_waits_for_it_and_is_their_cause(self):
        run = Run()
        before = dates(run.state)
        run.now += timedelta(days=7)
        decision = run.accept()
        moved = {move.item: move for move in decision.moves}
        assert moved["task.solve_first_ticket"].cause == "finished"
        assert moved["task.solve_first_ticket"].cause_item == "gate.handoff_quality"
        assert moved["task.solve_first_ticket"].was == before["task.solve_first_ticket"]
        assert all(move.was and move.becomes > move.was for move in decision.moves)

    def test_an_item_that_ends_early_pulls_the_rest_forward(self):
        run = Run()
        run.accept()
        run.now += timedelta(days=3)
        decision = run.complete("task.assign_team", engineer="Ada", fallback="Bo")
        late = {move.item for move in decision.moves if move.was and move.becomes > move.was}
        assert decision.moves
        assert not (late and {move.item for move in decision.moves} - late)

    def test_a_reopened_item_gives_back_the_very_same_dates(self):
        run = Run()
        run.accept()
        before = dates(run.state)
        run.now += timedelta(days=1)
        run.complete("task.confirm_billing", entity_matches=True, plan_matches=True, bill_to_known=True)
        if all(item.state == "waiting" for item in [run.item("task.schedule_kickoff")]):
            run.apply(events.TaskReopened(by=STAFF, task=BILLING, reason="The wrong entity."))
            assert dates(run.state) == before
            assert {move.cause for move in run.last.moves} <= {"reopened"}


class TestChosenDay:
    def test_stays_and_moves_what_waits_for_it(self):
        run = Run()
        run.accept()
        decision = run.apply(chosen(KICKOFF, date(2026, 3, 20)))
        [own] = [move for move in decision.moves if move.item == KICKOFF]
        assert (own.cause, own.cause_item) == ("chosen", KICKOFF)
        assert run.state.partner.day_at(run.item(KICKOFF).due_at) == date(2026, 3, 20)
        assert {(move.cause, move.cause_item) for move in decision.moves} == {("chosen", KICKOFF)}
        run.now += timedelta(days=10)
        run.complete("task.assign_team", engineer="Ada", fallback="Bo")
        assert run.state.partner.day_at(run.item(KICKOFF).due_at) == date(2026, 3, 20)

    def test_put_back_gives_the_very_same_dates(self):
        run = Run()
        run.accept()
        before = dates(run.state)
        run.apply(chosen(KICKOFF, date(2026, 3, 20)))
        run.apply(chosen(KICKOFF, None))
        assert dates(run.state) == before
        assert {move.cause for move in run.last.moves} == {"released"}

    @given(st.lists(st.tuples(st.sampled_from([KICKOFF, BILLING, "gate.launch"]), st.integers(1, 60)), max_size=6))
    @settings(max_examples=15, deadline=None)
    def test_in_any_number_and_order_is_undone_exactly(self, wishes):
        run = Run()
        run.accept()
        before, pinned = dates(run.state), set()
        for item, days in wishes:
            day = (MONDAY + timedelta(days=days)).date()
            if day.weekday() < 5:
                run.apply(chosen(item, day))
                pinned.add(item)
        for item in pinned:
            run.apply(chosen(item, None))
        assert dates(run.state) == before

    @pytest.mark.parametrize("day", [date(2026, 3, 1), date(2026, 2, 27), date(2026, 3, 7), date(2026, 3, 8)])
    def test_is_refused_where_nobody_works_or_it_is_over(self, day):
        run = Run()
        with pytest.raises(DayRefused):
            run.apply(chosen(KICKOFF, day))

    @pytest.mark.parametrize("reason", ["", "  ", "x" * 2_001])
    def test_needs_its_reason(self, reason):
        with pytest.raises(DateReasonNeeded):
            Run().apply(chosen(KICKOFF, date(2026, 3, 20), reason))

    def test_may_be_today_with_a_reason_as_long_as_may_be(self):
        run = Run()
        run.apply(chosen(KICKOFF, run.now.date(), "x" * 2_000))
        assert run.item(KICKOFF).due_at.date() == run.now.date()

    def test_is_refused_for_what_has_ended_and_for_giving_back_what_nobody_chose(self):
        run = Run()
        run.accept()
        with pytest.raises(NotOpen, match="finished"):
            run.apply(chosen("gate.handoff_quality", date(2026, 3, 20)))
        with pytest.raises(NotOpen, match="Nobody"):
            run.apply(chosen(KICKOFF, None))

    def test_counts_for_the_first_day_of_both_where_a_calendar_takes_it_away(self):
        run = Run()
        run.accept()
        run.apply(chosen(KICKOFF, date(2026, 3, 20)))
        free = Calendar(zone="Europe/Berlin", holidays=(date(2026, 3, 20),))
        run.apply(events.CalendarChanged(by=STAFF, side="customer", calendar=free, reason=WHY))
        assert run.state.partner.day_at(run.item(KICKOFF).due_at) == date(2026, 3, 23)


class TestWantedDay:
    def test_comes_with_the_start(self):
        run = Run.__new__(Run)
        run.definition, run.now, run.history = managed_services(), MONDAY, []
        run.state = new_state(run.definition)
        first = started(full_packet(run.definition))
        run.apply(msgspec.structs.replace(first, go_live=date(2026, 6, 1)))
        assert run.state.plan
        assert run.state.plan.go_live == date(2026, 6, 1)

    def test_may_be_today_and_not_yesterday(self):
        run = Run()
        run.apply(events.GoLiveSet(by=STAFF, day=MONDAY.date(), reason=WHY))
        assert run.state.plan
        assert run.state.plan.go_live == MONDAY.date()
        with pytest.raises(DayRefused):
            run.apply(events.GoLiveSet(by=STAFF, day=MONDAY.date() - timedelta(days=1), reason=WHY))


class TestCalendar:
    @pytest.mark.parametrize("side", ["partner", "customer"])
    def test_of_one_party_moves_dates_with_one_cause_and_back_gives_the_very_same(self, side):
        run = Run()
        run.accept()
        before = dates(run.state)
        free = Calendar(zone="Asia/Dubai", holidays=tuple(date(2026, 3, day) for day in range(4, 12)))
        moved = run.apply(events.CalendarChanged(by=STAFF, side=side, calendar=free, reason=WHY)).moves
        assert moved
        assert {(move.cause, move.cause_item) for move in moved} == {("calendar", None)}
        run.apply(events.CalendarChanged(by=STAFF, side=side, calendar=BERLIN, reason=WHY))
        assert dates(run.state) == before

    def test_needs_its_reason(self):
        with pytest.raises(DateReasonNeeded):
            Run().apply(events.CalendarChanged(by=STAFF, side="partner", calendar=Calendar(), reason=" "))


class TestWhatWasBegunBefore:
    def old(self):
        """An onboarding of a journal that was written before dates followed."""
        run = Run.__new__(Run)
        run.definition, run.now, run.history = managed_services(), MONDAY, []
        run.state = new_state(run.definition)
        plain = msgspec.to_builtins(started(full_packet(run.definition)))
        del plain["follows"], plain["go_live"]
        run.apply(msgspec.convert(plain, events.Event))
        return run

    def test_keeps_its_dates_as_they_were_planned_once(self):
        run = self.old()
        assert run.state.plan is None
        before = dates(run.state)
        run.now += timedelta(days=7)
        assert run.accept().moves == ()
        assert run.item("task.solve_first_ticket").due_at == before["task.solve_first_ticket"]

    def test_loads_from_a_snapshot_without_a_plan(self):
        run = self.old()
        plain = msgspec.to_builtins(run.state)
        assert "plan" not in plain
        assert msgspec.convert(plain, State) == run.state

    def test_follows_from_the_first_date_that_a_person_chooses(self):
        run = self.old()
        run.now += timedelta(days=7)
        run.accept()
        before = dates(run.state)
        decision = run.apply(chosen(KICKOFF, date(2026, 3, 27)))
        assert run.state.plan.baseline == before
        assert {move.cause for move in decision.moves} == {"chosen", "replanned"}
        assert replay(run.definition, run.history) == run.state
