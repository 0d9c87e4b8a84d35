"""The plan forward: what joins several, and how long a hold puts a date off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from app.flow import events
from app.flow.schedule import Forecast, plan_due_dates
from app.flow.state import Plan
from tests.unit.flow.parts.small import SmallRun, milestone, small, task
from tests.unit.flow.running import STAFF

BEGUN = datetime(2026, 3, 2, 10, tzinfo=UTC)  # a Monday; both work from nine to five in Berlin, 08:00 to 16:00 here


def due(day: int) -> datetime:
    return datetime(2026, 3, day, 16, tzinfo=UTC)


class TestPlannedOnce:
    @pytest.mark.parametrize(("join", "day"), [("all", 9), ("any", 5)])
    def test_what_joins_several_begins_after_all_or_after_the_first(self, join: str, day: int):
        one, two = task("one", "due: {business_days: 3}"), task("two", "due: {business_days: 1}")
        after = task("joined", f"join: {join}, depends_on: [task.one, task.two], due: {{business_days: 1}}")
        run = SmallRun(small(milestone("both", one, two) + milestone("last", after)).compile())
        dates = plan_due_dates(run.definition, run.state, BEGUN)
        assert (dates["task.one"], dates["task.two"], dates["task.joined"]) == (due(5), due(3), due(day))
        assert dates["milestone.last"] == due(day)
        assert dates["milestone.both"] == due(5)


class TestWhatBeginsAgain:
    def test_is_the_cause_of_what_has_to_wait_for_it_once_more(self):
        one, two = task("one", "due: {business_days: 3}"), task("two", "due: {business_days: 1}")
        after = task("joined", "depends_on: [task.one, task.two], due: {business_days: 1}")
        run = SmallRun(small(milestone("base", one, two, after)).compile())
        before = run.item("task.joined").due_at
        run.complete("task.one")
        earlier = run.item("task.joined").due_at
        assert before is not None
        assert earlier is not None
        assert earlier < before
        moves = run.apply(events.TaskReopened(by=STAFF, task="task.one", reason="Not all of it.")).moves
        told = {move.item: (move.cause, move.cause_item) for move in moves}
        assert told["task.joined"] == ("reopened", "task.one")
        assert run.item("task.joined").due_at == before


class TestWhatEndsLate:
    @pytest.mark.parametrize("late", ["one", "two"])
    def test_is_the_cause_of_what_joins_it_with_others(self, late: str):
        one, two = (task(name, "due: {business_days: 2}") for name in ("one", "two"))
        after = task("joined", "depends_on: [task.one, task.two], due: {business_days: 1}")
        run = SmallRun(small(milestone("base", one, two, after)).compile())
        run.complete("task.two" if late == "one" else "task.one")
        run.now = datetime(2026, 3, 10, 9, tzinfo=UTC)
        told = {move.item: (move.cause, move.cause_item) for move in run.complete(f"task.{late}").moves}
        assert told["task.joined"] == told["milestone.base"] == ("finished", f"task.{late}")


class TestBegin:
    @pytest.mark.parametrize(("state", "hours"), [("open", 3), ("running", 3), ("waiting", 0)])
    def test_is_when_it_was_opened_unless_it_waits_again(self, state: str, hours: int):
        run = SmallRun(small(milestone("base", task("build", "due: {business_days: 3}"))).compile())
        items = {key: msgspec.structs.replace(item, opened_at=BEGUN) for key, item in run.state.items.items()}
        late = msgspec.structs.replace(items["task.build"], state=state, opened_at=BEGUN + timedelta(hours=3))
        known = msgspec.structs.replace(run.state, items=items | {"task.build": late})
        assert Forecast(run.definition, known, BEGUN).at(("task.build", "begin")) == BEGUN + timedelta(hours=hours)


class TestAHold:
    """A task of three days, begun on Monday at ten: it is due on Thursday at five."""

    def put_off(self, since: datetime, until: datetime) -> datetime:
        run = SmallRun(small(milestone("base", task("build", "due: {business_days: 3}"))).compile())
        items = {key: msgspec.structs.replace(item, opened_at=BEGUN) for key, item in run.state.items.items()}
        state = msgspec.structs.replace(run.state, items=items, plan=Plan(pauses=((since, until),)))
        return Forecast(run.definition, state, BEGUN).due("task.build")

    @pytest.mark.parametrize(
        ("since", "until", "end"),
        [
            (BEGUN - timedelta(hours=1), BEGUN, due(5)),  # over when it began
            (BEGUN - timedelta(hours=1), BEGUN + timedelta(hours=1), datetime(2026, 3, 6, 9, tzinfo=UTC)),
            (BEGUN, BEGUN + timedelta(hours=8), datetime(2026, 3, 6, 14, tzinfo=UTC)),
            (due(5), due(5) + timedelta(days=4), due(5)),  # it began when the task was late
            (due(5) - timedelta(hours=1), due(5), datetime(2026, 3, 6, 9, tzinfo=UTC)),
        ],
    )
    def test_puts_a_date_off_by_its_working_time_within_the_task(self, since: datetime, until: datetime, end: datetime):
        assert self.put_off(since, until) == end
