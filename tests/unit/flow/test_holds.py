"""Hold and resume: nobody moves a held onboarding, no clock runs, and nothing that happens meanwhile is lost."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import pytest

from app.flow import events
from app.flow.commands import CancelTimer, ChangeException, RequestAction, StartTimer
from app.flow.decide import OnboardingEnded, decide, replay
from app.flow.steps.draft import LONGEST_STATEMENT
from app.flow.steps.holds import HoldRefused, NotHeld, OnHold
from tests.unit.flow.running import BERLIN, CUSTOMER, PROOF, STAFF, Run, full_packet, managed_services, of_type
from tests.unit.flow.test_timers import TIMER, waiting_for_customer

HELD = events.Held(by=STAFF, reason_code="waiting_customer_admin", reason="Their administrator is away.")
RESUMED = events.Resumed(by=STAFF)
BEGUN = datetime.fromisoformat("2026-03-03T15:00:00+00:00")  # Tuesday, four in the afternoon in Berlin
ENDED = datetime.fromisoformat("2026-03-10T09:00:00+00:00")  # the Tuesday after, ten in the morning
HOURS = timedelta(hours=1 + 3 * 8 + 8 + 1)  # between the two, a weekend left out


def held_over_a_weekend() -> Run:
    """Held on a Tuesday at four; the next event comes on the Tuesday after, at ten."""
    run = waiting_for_customer()
    run.now = BEGUN
    run.apply(HELD)
    run.now = ENDED
    return run


class TestHold:
    def test_says_who_holds_it_since_when_and_why(self):
        run = held_over_a_weekend()
        hold = run.state.hold
        assert hold is not None
        assert (hold.by, hold.since, hold.reason_code) == (STAFF.actor, BEGUN, "waiting_customer_admin")
        assert hold.reason == "Their administrator is away."
        assert run.state.phase == "held"

    def test_disarms_every_clock(self):
        run = held_over_a_weekend()
        assert [each.timer for each in of_type(run.last, CancelTimer)] == [TIMER]
        assert not any(timer.armed for timer in run.state.timers.values())

    def test_lets_no_clock_fire(self):
        run = held_over_a_weekend()
        armed = run.state.timers[TIMER]
        run.now = armed.due_at + timedelta(days=30)
        before = run.state
        assert run.apply(events.TimerFired(timer=TIMER, rung=armed.rung, version=armed.version)).commands == ()
        assert run.state is before

    @pytest.mark.parametrize(
        "event",
        [
            events.TaskCompleted(by=CUSTOMER, task="task.describe_environment"),
            events.TaskReopened(by=STAFF, task="task.assign_team", reason="Again."),
            events.GateDecided(by=STAFF, gate="gate.launch", decision="launch"),
            events.MilestoneProven(by=STAFF, milestone="milestone.first_ticket_solved", evidence=PROOF),
            events.ExceptionResolved(by=STAFF, exception="x#1", resolution="skip", reason="Away with it."),
            HELD,
        ],
        ids=lambda event: type(event).__name__,
    )
    def test_refuses_what_moves_it_and_names_itself(self, event: events.Event):
        run = held_over_a_weekend()
        with pytest.raises(OnHold, match=r"on hold since 2026-03-03 15:00 UTC: “Their administrator is away\.”"):
            run.apply(event)

    @pytest.mark.parametrize("reason", ["", " \n ", "x" * 2_001])
    def test_needs_a_reason_of_some_words(self, reason: str):
        with pytest.raises(HoldRefused):
            Run().apply(events.Held(by=STAFF, reason_code="scope_mismatch", reason=reason))

    def test_needs_a_reason_code_that_is_known(self):
        with pytest.raises(HoldRefused, match="is not a reason code"):
            Run().apply(events.Held(by=STAFF, reason_code="lunch", reason="We eat."))

    def test_is_not_possible_after_the_end(self):
        run = Run()
        run.apply(events.Cancelled(by=STAFF, reason="Withdrawn."))
        with pytest.raises(OnboardingEnded):
            run.apply(HELD)

    def test_ends_with_a_cancellation(self):
        run = held_over_a_weekend()
        run.apply(events.Cancelled(by=STAFF, reason="They will not come back."))
        assert (run.state.phase, run.state.hold) == ("cancelled", None)


class TestResume:
    def test_arms_each_clock_with_the_time_it_had_left(self):
        run = held_over_a_weekend()
        before = run.state.timers[TIMER]
        clock = run.state.time_for("customer")
        [started] = of_type(run.apply(RESUMED), StartTimer)
        assert started.version == before.version + 1
        assert clock.business_between(BEGUN, before.due_at) > timedelta(0)
        assert clock.business_between(BEGUN, before.due_at) == clock.business_between(ENDED, started.due_at)
        assert started.due_at == run.state.timers[TIMER].due_at

    def test_moves_every_open_date_by_the_business_time_held(self):
        run = held_over_a_weekend()
        before = {key: item.due_at for key, item in run.state.items.items() if not run.state.is_settled(key)}
        settled = {key: item for key, item in run.state.items.items() if run.state.is_settled(key)}
        run.apply(RESUMED)
        clock = run.state.time_for("partner")
        for key, due in before.items():
            assert due is not None
            moved = clock.business_between(due, run.item(key).due_at)
            # What has not begun is planned anew behind what has, and whole days end when the day does.
            begun = run.definition.items[key].kind == "task" and run.item(key).state == "open"
            assert moved == HOURS if begun else moved > timedelta(0), key
            assert run.item(key).due_cause == "held"
        assert settled == {key: run.item(key) for key in settled}

    def test_moves_no_date_where_no_working_time_has_passed(self):
        run = waiting_for_customer()
        run.now = datetime.fromisoformat("2026-03-06T18:00:00+00:00")
        before = run.item("task.describe_environment")
        run.apply(HELD)
        run.now = datetime.fromisoformat("2026-03-08T12:00:00+00:00")
        run.apply(RESUMED)
        assert (run.item("task.describe_environment"), run.state.timers[TIMER].armed) == (before, True)

    def test_gives_the_first_response_of_an_exception_the_time_that_was_left(self):
        run = Run(
            {name: value for name, value in full_packet(managed_services()).items() if name != "business_outcome"}
        )
        [opened] = run.state.open_exceptions()
        run.now = BEGUN
        run.apply(HELD)
        run.now = ENDED
        run.apply(RESUMED)
        [changed] = of_type(run.last, ChangeException)
        clock = run.state.time_for("partner")
        assert opened.respond_by is not None
        assert changed.exception.respond_by is not None
        assert clock.business_between(opened.respond_by, changed.exception.respond_by) == HOURS

    def test_is_refused_where_nothing_is_held(self):
        with pytest.raises(NotHeld):
            Run().apply(RESUMED)

    def test_lets_everything_go_on(self):
        run = held_over_a_weekend()
        run.apply(RESUMED)
        run.describe()
        assert run.item("task.describe_environment").state == "done"
        assert run.state.hold is None


class TestAHoldInWhichNobodyWouldHaveWorked:
    CLOSED = datetime.fromisoformat("2026-03-06T16:00:00+00:00")  # Friday, five in the afternoon in Berlin

    @pytest.mark.parametrize("long", [timedelta(0), timedelta(hours=1), timedelta(days=2, hours=16)])
    def test_moves_no_date_no_clock_and_no_reminder(self, long: timedelta):
        run = waiting_for_customer()
        run.now = self.CLOSED
        before = run.state
        assert self.CLOSED.time() in {item.due_at.time() for item in before.items.values() if item.due_at}
        run.apply(HELD)
        run.now = self.CLOSED + long
        assert run.apply(RESUMED).moves == ()
        assert {key: item.due_at for key, item in run.state.items.items()} == {
            key: item.due_at for key, item in before.items.items()
        }
        assert run.state.timers[TIMER].due_at == before.timers[TIMER].due_at
        for key, known in before.reminders.items():
            assert known.due_at < self.CLOSED or run.state.reminders[key].due_at == known.due_at


class TestWhatArrivesMeanwhile:
    def test_is_recorded_and_starts_nothing(self):
        run = Run()
        run.until_workspace()
        run.apply(HELD)
        decision = run.apply(events.ActionSucceeded(task="task.create_workspace", request=1, result={"id": "ws-1"}))
        assert (run.item("task.create_workspace").state, run.item("task.invite_admin").state) == ("done", "waiting")
        assert not of_type(decision, RequestAction)
        run.apply(RESUMED)
        assert run.item("task.invite_admin").state in {"open", "running"}

    def test_may_be_trouble_that_waits_for_the_end_of_the_hold(self):
        run = Run()
        run.until_workspace()
        run.apply(HELD)
        run.apply(events.ActionUnknown(task="task.create_workspace", request=1, error="It did not answer."))
        [trouble] = run.state.open_exceptions("task.create_workspace")
        with pytest.raises(OnHold):
            run.apply(events.ExceptionResolved(by=STAFF, exception=trouble.id, resolution="retry", reason="Again."))
        run.apply(RESUMED)
        run.apply(events.ExceptionResolved(by=STAFF, exception=trouble.id, resolution="retry", reason="Again."))
        assert (run.item("task.create_workspace").state, run.item("task.create_workspace").request) == ("running", 2)

    def test_replays_to_the_same_state(self):
        run = held_over_a_weekend()
        run.apply(events.OwnerAssigned(by=STAFF, item="task.describe_environment", person="p"))
        run.apply(RESUMED)
        run.describe()
        assert replay(run.definition, run.history) == run.state

    def test_keeps_a_journal_of_before_readable(self):
        run = waiting_for_customer()
        assert run.state.hold is None
        assert decide(run.definition, run.state, HELD, BEGUN).state.partner == BERLIN


class TestBeforeDatesFollowed:
    """Onboardings that began when dates did not follow yet: their own due dates are moved, nothing is planned anew."""

    @staticmethod
    def begun() -> Run:
        run = Run()
        run.state = msgspec.structs.replace(run.state, plan=None)
        run.accept()
        return run

    def test_a_hold_moves_every_open_date_by_the_time_held_and_no_other(self):
        run = self.begun()
        before = dict(run.state.items)
        run.now = BEGUN
        run.apply(HELD)
        run.now = ENDED
        run.apply(RESUMED)
        for key, was in before.items():
            if was.due_at is None or was.state == "done":
                assert run.item(key).due_at == was.due_at, key
            else:
                clock = run.state.time_for(run.definition.items[key].side)
                assert run.item(key).due_at == clock.add_business(was.due_at, clock.business_between(BEGUN, ENDED)), key
                assert run.item(key).due_cause == "held"
        assert run.state.plan is None

    def test_a_hold_of_a_minute_counts_and_one_outside_working_time_does_not(self):
        run = self.begun()
        due = run.item("task.assign_team").due_at
        assert due is not None
        for start, minutes in ((datetime.fromisoformat("2026-03-03T01:00:00+00:00"), 0), (BEGUN, 1)):
            cause = run.item("task.assign_team").due_cause
            run.now = start
            run.apply(HELD)
            run.now = start + timedelta(minutes=1)
            run.apply(RESUMED)
            was, due = due, run.item("task.assign_team").due_at
            assert due is not None
            assert run.state.time_for("partner").business_between(was, due) == timedelta(minutes=minutes)
            assert run.item("task.assign_team").due_cause == ("held" if minutes else cause)

    def test_a_roll_back_moves_what_begins_anew_by_the_time_since_its_stage_began(self):
        run = waiting_for_customer()
        run.state = msgspec.structs.replace(run.state, plan=None)
        before, stage = dict(run.state.items), run.item("stage.preparation")
        assert stage.opened_at is not None
        run.now = ENDED
        run.apply(events.RolledBack(by=STAFF, stage="stage.preparation", reason="Once more."))
        due = before["task.review_environment"].due_at
        assert due is not None
        clock = run.state.time_for("partner")
        passed = clock.business_between(stage.opened_at, ENDED)
        assert run.item("task.review_environment").due_at == clock.add_business(due, passed)
        assert run.item("task.review_environment").due_cause == "rolled_back"
        assert run.item("task.assign_team") == before["task.assign_team"]


class TestReason:
    def test_may_have_exactly_as_many_characters_as_it_says(self):
        run = Run()
        run.apply(events.Held(by=STAFF, reason_code="scope_mismatch", reason="x" * LONGEST_STATEMENT))
        assert run.state.phase == "held"
