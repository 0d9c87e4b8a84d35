"""Clocks that stand still: only for what a person says, only for the other side, and exactly as long as it lasts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from app.flow import events
from app.flow.calendar import Calendar
from app.flow.clocks.pauses import reasons_that_pause
from app.flow.commands import CancelTimer, ContinueTimer, PauseTimer, StartTimer
from app.flow.decide import new_state, replay
from app.flow.definition import Definition
from app.flow.reading import read_definition
from app.flow.state import State
from app.templates.library import open_shelf
from tests.unit.flow.dates.test_clocks import minutes
from tests.unit.flow.running import BERLIN, STAFF, Run, full_packet, managed_services, of_type, started

THEIRS = "environment_answer"  # a clock of the customer's, on task.describe_environment
OURS = "kickoff_scheduled"  # one of the partner's, from the start on


def raised(item: str, code: str) -> events.ExceptionRaised:
    note = "We wait for them."
    return events.ExceptionRaised(by=STAFF, item=item, type="timeline_risk", reason_code=code, note=note)


def closed(number: int = 1, item: str = "task.schedule_kickoff") -> events.ExceptionResolved:
    key = f"{item}#{number}"
    return events.ExceptionResolved(by=STAFF, exception=key, resolution="close", reason="They answered.")


def paused(code: str = "waiting_customer_admin", item: str = "task.schedule_kickoff") -> Run:
    run = Run()
    run.apply(raised(item, code))
    return run


class TestPause:
    def test_stops_the_partners_clock_while_the_customer_is_waited_for(self):
        run = paused()
        timer = run.state.timers[OURS]
        assert not timer.armed
        assert timer.paused is not None
        assert (timer.paused.reason_code, timer.paused.exception) == (
            "waiting_customer_admin",
            "task.schedule_kickoff#1",
        )
        [told] = of_type(run.last, PauseTimer)
        assert (told.timer, told.version, told.reason_code) == (OURS, timer.version, "waiting_customer_admin")

    def test_fires_nothing_meanwhile(self):
        run = paused()
        timer = run.state.timers[OURS]
        run.now = timer.due_at + timedelta(days=9)
        assert run.apply(events.TimerFired(timer=OURS, rung=0, version=timer.version)).commands == ()

    def test_of_a_step_is_also_one_of_what_it_stands_in(self):
        item = managed_services().items["task.schedule_kickoff"]
        assert item.parent is not None
        assert paused(item=item.parent).state.timers[OURS].paused
        assert paused(item=managed_services().stage_of(item.key).key).state.timers[OURS].paused

    def test_is_none_for_another_step_or_for_ones_own_delay(self):
        assert paused(item="task.train_staff").state.timers[OURS].armed
        assert paused("scope_mismatch").state.timers[OURS].armed
        assert paused("waiting_internal_provisioning").state.timers[OURS].armed

    def test_of_the_customers_clock_waits_for_us_and_not_for_the_customer(self):
        for code, stands in (("customer_no_response", False), ("waiting_internal_provisioning", True)):
            run = Run()
            run.accept()
            run.complete("task.assign_team", engineer="Ada", fallback="Bo")
            run.complete("task.confirm_billing", entity_matches=True, plan_matches=True, bill_to_known=True)
            run.complete("task.schedule_kickoff", kickoff_on="2026-03-09")
            run.apply(raised("task.describe_environment", code))
            assert (run.state.timers[THEIRS].paused is not None) == stands

    def test_is_never_caused_by_an_escalation_itself(self):
        run = Run()
        for _rung in range(2):
            timer = run.state.timers[OURS]
            run.now = max(run.now, timer.due_at)
            run.apply(events.TimerFired(timer=OURS, rung=timer.rung, version=timer.version))
        [opened] = [each for each in run.state.open_exceptions() if each.item == "task.schedule_kickoff"]
        assert (opened.reason_code, opened.raised_by) == ("customer_no_response", None)
        assert not run.state.timers[OURS].paused

    def test_from_the_first_moment_where_the_reason_was_there_before(self):
        run = Run()
        run.apply(raised("task.describe_environment", "integration_failure"))
        run.accept()
        run.complete("task.assign_team", engineer="Ada", fallback="Bo")
        run.complete("task.confirm_billing", entity_matches=True, plan_matches=True, bill_to_known=True)
        run.complete("task.schedule_kickoff", kickoff_on="2026-03-09")
        assert run.state.timers[THEIRS].paused

    def test_is_none_in_an_onboarding_of_before(self):
        run = Run()
        run.state = new_state(run.definition)
        run.apply(msgspec.structs.replace(started(full_packet(run.definition)), pauses=False))
        run.apply(raised("task.schedule_kickoff", "waiting_customer_admin"))
        assert run.state.timers[OURS].armed
        assert run.state.open_exceptions("task.schedule_kickoff")[0].raised_by is None


class TestWhatGoesOn:
    @pytest.mark.parametrize("away", [timedelta(minutes=7), timedelta(days=1), timedelta(days=4, minutes=3)])
    def test_has_exactly_the_worked_minutes_that_were_left(self, away: timedelta):
        run = paused()
        pause = run.state.timers[OURS].paused
        assert pause is not None
        due, since = run.state.timers[OURS].due_at, pause.since
        run.now = since + away
        again = run.now
        decision = run.apply(closed())
        [went_on] = of_type(decision, ContinueTimer)
        [armed] = of_type(decision, StartTimer)
        left = sum(moment < due for moment, _ in zip(minutes(since, BERLIN, BERLIN), range(3_000), strict=False))
        worked = minutes(again, BERLIN, BERLIN)
        last = [next(worked) for _minute in range(left)][-1]
        assert armed.due_at == last + timedelta(minutes=1) == run.state.timers[OURS].due_at
        assert (went_on.paused_since, armed.version) == (since, 2)

    def test_waits_for_the_last_of_several_reasons(self):
        run = paused()
        run.apply(raised("task.schedule_kickoff", "integration_failure"))
        before = run.state.timers[OURS].paused
        run.apply(closed(1))
        after = run.state.timers[OURS].paused
        assert before is not None
        assert after is not None
        assert (after.since, after.reason_code) == (before.since, "integration_failure")
        run.apply(closed(2))
        assert run.state.timers[OURS].armed

    def test_is_nothing_once_its_step_is_done(self):
        run = paused()
        run.accept()
        run.complete("task.assign_team", engineer="Ada", fallback="Bo")
        run.complete("task.confirm_billing", entity_matches=True, plan_matches=True, bill_to_known=True)
        decision = run.complete("task.schedule_kickoff", kickoff_on="2026-03-09")
        timer = run.state.timers[OURS]
        assert (timer.armed, timer.paused) == (False, None)
        assert not [each for each in of_type(decision, CancelTimer) if each.timer == OURS]
        run.apply(closed())
        assert not run.state.timers[OURS].armed

    def test_keeps_what_was_left_through_a_hold(self):
        run = paused()
        timer = run.state.timers[OURS]
        run.apply(events.Held(by=STAFF, reason_code="scope_mismatch", reason="Wait."))
        run.now += timedelta(days=7)
        run.apply(events.Resumed(by=STAFF))
        assert run.state.timers[OURS] == timer
        run.now = datetime(2026, 3, 16, 9, 0, tzinfo=UTC)
        run.apply(closed())
        clock = run.state.time_for("partner")
        assert timer.paused is not None
        left = clock.business_between(timer.paused.since, timer.due_at)
        assert clock.business_between(run.history[-1].at, run.state.timers[OURS].due_at) == left

    def test_begins_anew_after_a_roll_back(self):
        run = paused()
        run.accept()
        run.apply(events.RolledBack(by=STAFF, stage="stage." + run.definition.of_kind("stage")[0].id, reason="Again."))
        assert replay(run.definition, run.history) == run.state

    def test_is_the_same_in_a_replay_and_in_its_json(self):
        run = paused()
        run.now += timedelta(days=2)
        run.apply(closed())
        assert replay(run.definition, run.history) == run.state
        assert msgspec.json.decode(msgspec.json.encode(run.state), type=State) == run.state


class TestTemplate:
    @staticmethod
    def with_pauses(codes: list[str] | None) -> Definition:
        document = dict(open_shelf("msp/managed-services").template.document)
        document["timers"] = [{**timer, **({} if codes is None else {"pauses": codes})} for timer in document["timers"]]
        return read_definition(document, "digest")

    @pytest.mark.parametrize(
        ("codes", "stands"),
        [(None, True), ([], False), (["ai_uncertainty"], False), (["waiting_customer_admin"], True)],
    )
    def test_says_what_pauses_a_clock(self, codes: list[str] | None, *, stands: bool):
        definition = self.with_pauses(codes)
        run = Run(definition=definition)
        run.apply(raised("task.schedule_kickoff", "waiting_customer_admin"))
        assert (run.state.timers[OURS].paused is not None) == stands
        assert ("waiting_customer_admin" in reasons_that_pause(definition, definition.timers[OURS])) == stands


class TestOneHoliday:
    def test_of_the_other_party_counts_neither_before_nor_after_a_pause(self):
        run = Run()
        run.now += timedelta(hours=1)
        free = Calendar(zone="Europe/Berlin", holidays=(date(2026, 3, 5),))
        run.apply(events.CalendarChanged(by=STAFF, side="customer", calendar=free, reason="Their feast."))
        run.apply(raised("task.schedule_kickoff", "waiting_customer_admin"))
        timer = run.state.timers[OURS]
        run.now = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
        run.apply(closed())
        clock = run.state.time_for("partner")
        assert timer.paused is not None
        left = clock.business_between(timer.paused.since, timer.due_at)
        assert clock.business_between(datetime(2026, 3, 4, 15, 0, tzinfo=UTC), run.state.timers[OURS].due_at) == left
        assert clock.works_on(BERLIN.day_at(run.state.timers[OURS].due_at))
