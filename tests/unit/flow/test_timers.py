"""SLA ladders: once, never early, ended with their item."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import msgspec
import pytest

from app.flow import events
from app.flow.calendar import Calendar
from app.flow.commands import CancelTimer, NotifyRole, OpenException, StartTimer
from app.flow.steps.draft import Draft
from app.flow.steps.timers import TimerNotDue, restart_timers
from tests.unit.flow.parts.small import NEEDED, SmallRun, small
from tests.unit.flow.running import STAFF, Run, managed_services, of_type

TIMER = "environment_answer"


def waiting_for_customer() -> Run:
    run = Run()
    run.accept()
    run.complete("task.assign_team", engineer="Ada", fallback="Bo")
    run.complete("task.confirm_billing", entity_matches=True, plan_matches=True, bill_to_known=True)
    run.complete("task.schedule_kickoff", kickoff_on="2026-03-09")
    return run


def fire(run: Run):
    armed = run.state.timers[TIMER]
    run.now = max(run.now, armed.due_at)
    return run.apply(events.TimerFired(timer=TIMER, rung=armed.rung, version=armed.version))


class TestLadder:
    def test_starts_when_its_item_opens(self):
        started = of_type(waiting_for_customer().last, StartTimer)
        assert [(each.timer, each.item, each.rung) for each in started] == [(TIMER, "task.describe_environment", 0)]

    def test_climbs_rung_by_rung_to_an_exception(self):
        run = waiting_for_customer()
        told = []
        for _ in range(3):
            decision = fire(run)
            told += [each.role for each in of_type(decision, NotifyRole) if each.message == "sla_breached"]
        assert told == ["customer_owner", "onboarding_lead", "cs_leader"]
        rung = run.definition.timers[TIMER].ladder[2]
        assert of_type(run.last, NotifyRole)[0] == NotifyRole(
            message="sla_breached",
            role="cs_leader",
            side="partner",
            item="task.describe_environment",
            text=rung.message,
        )
        opened = of_type(run.last, OpenException)[0].exception
        assert (opened.type, opened.reason_code, opened.blocks) == ("timeline_risk", "waiting_customer_admin", False)
        assert not run.state.timers[TIMER].armed
        assert run.item("task.describe_environment").state == "open"

    def test_counts_each_rung_from_the_one_before(self):
        run = waiting_for_customer()
        first = run.state.timers[TIMER].due_at
        fire(run)
        assert run.state.timers[TIMER].due_at == first + timedelta(days=1)

    def test_never_fires_early(self):
        run = waiting_for_customer()
        armed = run.state.timers[TIMER]
        run.now = armed.due_at - timedelta(microseconds=1)
        with pytest.raises(TimerNotDue):
            run.apply(events.TimerFired(timer=TIMER, rung=0, version=armed.version))

    def test_fires_once(self):
        run = waiting_for_customer()
        fired = events.TimerFired(timer=TIMER, rung=0, version=1)
        run.now = run.state.timers[TIMER].due_at
        run.apply(fired)
        before = run.state
        again = run.apply(fired)
        assert (again.changes, again.commands) == ((), ())
        assert run.state is before

    def test_ends_with_its_item(self):
        run = waiting_for_customer()
        cancelled = of_type(run.describe(), CancelTimer)
        assert [each.timer for each in cancelled] == [TIMER]
        stale = run.apply(events.TimerFired(timer=TIMER, rung=0, version=1))
        assert stale.commands == ()

    def test_starts_anew_with_a_new_version_when_its_task_is_reopened(self):
        run = waiting_for_customer()
        for follower in ("task.create_workspace", "task.review_environment"):
            run.apply(
                events.ExceptionRaised(
                    by=STAFF,
                    item=follower,
                    type="timeline_risk",
                    reason_code="customer_no_response",
                    note="Hold on.",
                    blocks=True,
                )
            )
        run.describe()
        old = run.state.timers[TIMER]
        run.apply(events.TaskReopened(by=STAFF, task="task.describe_environment", reason="A site was forgotten."))
        new = run.state.timers[TIMER]
        assert not old.armed
        assert new.armed
        assert (new.rung, new.version) == (0, old.version + 1)
        run.now = new.due_at
        stale = run.apply(events.TimerFired(timer=TIMER, rung=0, version=old.version))
        assert stale.commands == ()

    def test_does_nothing_after_the_end_or_for_an_unknown_name(self):
        run = waiting_for_customer()
        assert run.apply(events.TimerFired(timer="nothing", rung=0, version=1)).commands == ()
        run.apply(events.Cancelled(by=STAFF, reason="Withdrawn."))
        assert run.apply(events.TimerFired(timer=TIMER, rung=0, version=1)).commands == ()

    def test_nothing_stays_armed_after_the_end(self):
        run = waiting_for_customer()
        run.apply(events.Cancelled(by=STAFF, reason="Withdrawn."))
        assert not any(timer.armed for timer in run.state.timers.values())


class TestAStageThatBeginsAnew:
    STAGE = "stage.preparation"

    def test_disarms_the_clock_of_what_waits_again_and_starts_it_when_that_opens(self):
        run = waiting_for_customer()
        before = run.state.timers[TIMER]
        decision = run.apply(events.RolledBack(by=STAFF, stage=self.STAGE, reason="Once more."))
        stopped = [each.timer for each in of_type(decision, CancelTimer)]
        again = of_type(decision, StartTimer)
        assert stopped == [TIMER]
        opened = run.item("task.describe_environment").state == "open"
        assert [(each.timer, each.version) for each in again] == ([(TIMER, before.version + 1)] if opened else [])
        assert run.state.timers[TIMER].armed == opened

    def test_leaves_the_clock_of_what_goes_on_alone(self):
        definition = managed_services()
        other = msgspec.structs.replace(definition.timers[TIMER], id="elsewhere", item="gate.handoff_quality")
        run = Run(definition=replace(definition, timers={"elsewhere": other}))
        before = run.state.timers["elsewhere"]
        assert before.armed
        draft = Draft(run.definition, run.state, run.now)
        restart_timers(draft, "task.assign_team", settled=False)
        assert (draft.timers["elsewhere"], draft.commands) == (before, [])
        restart_timers(draft, "gate.handoff_quality", settled=False)
        assert not draft.timers["elsewhere"].armed

    def test_runs_a_clock_that_starts_with_the_onboarding_once_more_where_its_item_was_settled(self):
        definition = managed_services()
        early = msgspec.structs.replace(definition.timers[TIMER], starts="started")
        run = Run(definition=replace(definition, timers={TIMER: early}))
        first = run.state.timers[TIMER]
        assert first.armed
        run.until_workspace()
        assert not run.state.timers[TIMER].armed
        run.apply(events.RolledBack(by=STAFF, stage=self.STAGE, reason="Once more."))
        assert run.state.timers[TIMER].armed
        assert run.state.timers[TIMER].version == first.version + 1


class TestAnExceptionOfALadder:
    @pytest.mark.parametrize(
        ("more", "code"), [("", "customer_no_response"), (", reason_code: scope_mismatch", "scope_mismatch")]
    )
    def test_says_that_nobody_answers_unless_the_template_says_why(self, more: str, code: str):
        rung = f"{{after: {{business_days: 1}}, role: lead, message: {{en: Slow}}, exception: timeline_risk{more}}}"
        run = SmallRun(small(NEEDED, timers=f"- {{id: slow, item: task.build, ladder: [{rung}]}}").compile())
        armed = run.state.timers["slow"]
        run.now = armed.due_at
        run.apply(events.TimerFired(timer="slow", rung=0, version=armed.version))
        [opened] = run.state.open_exceptions("task.build")
        assert (opened.type, opened.reason_code) == ("timeline_risk", code)
        assert opened.note == "“slow” passed rung 1 of its ladder."


class TestOtherHours:
    def change(self, run: Run, *holidays: date):
        calendar = Calendar(zone="Europe/Berlin", holidays=holidays)
        return run.apply(events.CalendarChanged(by=STAFF, side="customer", calendar=calendar, reason="A feast."))

    def test_put_off_what_runs_under_a_new_version_and_nothing_that_has_ended(self):
        run = waiting_for_customer()
        before = run.state.timers
        assert (before["kickoff_scheduled"].armed, before[TIMER].armed) == (False, True)
        [moved] = of_type(self.change(run, before[TIMER].due_at.date()), StartTimer)
        after = run.state.timers[TIMER]
        assert (moved.timer, moved.due_at, moved.version) == (TIMER, after.due_at, before[TIMER].version + 1)
        assert after.due_at > before[TIMER].due_at
        assert (after.version, after.armed) == (moved.version, True)
        assert {**run.state.timers, TIMER: before[TIMER]} == before

    def test_that_come_later_leave_what_runs_as_it_is(self):
        run = waiting_for_customer()
        before = run.state.timers
        assert not of_type(self.change(run, date(2026, 12, 24)), StartTimer)
        assert run.state.timers == before
