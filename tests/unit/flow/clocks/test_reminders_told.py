"""What is kept of the reminders that were given, and which ones are never given."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from app.flow import events
from app.flow.calendar import BusinessTime
from app.flow.clocks.reminders import moments, reminders_of
from app.flow.commands import CancelReminder, StartReminder
from app.flow.definition import Duration, Reminder
from tests.unit.flow.clocks.test_reminders import STEP, give, given, waiting
from tests.unit.flow.parts.small import milestone, small, task
from tests.unit.flow.running import BERLIN, STAFF, of_type


class TestGiven:
    def test_each_is_counted_with_its_moment_and_the_next_one_has_a_number_of_its_own(self):
        run = waiting(due={"business_days": 3})
        known = run.state.reminders[STEP]
        assert (known.sent, known.last_at, known.version) == (0, None, 1)
        [armed] = of_type(give(run), StartReminder)
        after = run.state.reminders[STEP]
        assert (after.sent, after.last_at, after.given) == (1, known.due_at, (known.turn,))
        assert armed.version == after.version == 2

    def test_the_last_one_is_told_with_its_moment_and_takes_nothing_back(self):
        run = waiting(due={"business_days": 3})
        moments_ = given(run, most=3)
        last = give(run)
        assert (of_type(last, StartReminder), of_type(last, CancelReminder)) == ([], [])
        after = run.state.reminders[STEP]
        assert (after.armed, after.sent) == (False, 4)
        assert after.last_at is not None
        assert after.last_at > moments_[-1]

    def test_when_the_last_came_is_known_also_after_the_date_has_moved(self):
        run = waiting(due={"business_days": 3})
        give(run)
        before = run.state.reminders[STEP]
        run.apply(events.DueDateSet(by=STAFF, item=STEP, day=date(2026, 3, 12), reason="They are away."))
        after = run.state.reminders[STEP]
        assert after.version == before.version + 1
        assert (after.sent, after.last_at) == (1, before.last_at)


class TestNever:
    @pytest.mark.parametrize("hour", [8, 10])
    def test_at_once_where_an_earlier_day_has_left_no_time_for_it(self, hour: int):
        run = waiting(due={"business_days": 9})
        run.now = datetime(2026, 3, 11, hour, 0, tzinfo=UTC)  # a working day before the new date begins at eight
        run.apply(events.DueDateSet(by=STAFF, item=STEP, day=date(2026, 3, 12), reason="Sooner."))
        assert run.state.reminders[STEP].due_at == datetime(2026, 3, 13, 8, 0, tzinfo=UTC)

    def test_of_a_step_that_has_no_time(self):
        items = small(milestone("base", task("free"), task("timed", "due: {business_days: 1}"))).compile().items
        assert reminders_of(items["task.free"]) == ()
        assert len(reminders_of(items["task.timed"])) == 2


class TestOfTheDayItself:
    def test_one_comes_when_that_day_begins(self):
        rules = (Reminder(before=Duration(business_days=0)),)
        [(_turn, moment)] = moments(BusinessTime(BERLIN), datetime(2026, 3, 5, 16, tzinfo=UTC), rules)
        assert moment == datetime(2026, 3, 5, 8, tzinfo=UTC)
