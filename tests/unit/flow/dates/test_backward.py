"""The latest dates before a wanted go-live, against a small plan that was worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime

from app.flow import events
from app.flow.calendar import MOMENT
from app.flow.dates.backward import goes_live, look_back
from app.flow.definition import Definition
from tests.unit.flow.parts.small import SmallRun, milestone, small, task
from tests.unit.flow.running import STAFF

WANTED = date(2026, 6, 1)  # a Monday; in summer both close at 15:00 UTC
OVER = datetime(2026, 6, 1, 22, tzinfo=UTC)
CHAIN = milestone(
    "base",
    task("two_days", "due: {business_days: 2}"),
    task("same_day", "depends_on: [task.two_days], due: {business_days: 0}"),
    task("no_time", "depends_on: [task.same_day]"),
    task("three_hours", "depends_on: [task.no_time], due: {business_hours: 3}"),
)


def plan_of(milestones: str = CHAIN) -> Definition:
    """A template whose middle stage ends with the customer being live."""
    return small(milestones, stage="phase: go_live").compile()


def wanting(definition: Definition, day: date = WANTED) -> SmallRun:
    run = SmallRun(definition)
    run.apply(events.GoLiveSet(by=STAFF, day=day, reason="It is in the contract."))
    return run


def latest(run: SmallRun) -> dict[str, datetime]:
    back = look_back(run.definition, run.state)
    assert back is not None
    return {key: each.due_at for key, each in back.latest.items()}


def closing(day: int, month: int = 5) -> datetime:
    return datetime(2026, month, day, 15, tzinfo=UTC)


class TestGoesLive:
    def test_is_with_the_stages_of_that_phase(self):
        assert [stage.key for stage in goes_live(plan_of())] == ["stage.work"]

    def test_is_with_all_of_them_where_the_template_names_none(self):
        definition = small(CHAIN).compile()
        assert goes_live(definition) == definition.of_kind("stage")


class TestLatest:
    def test_is_worked_out_from_the_wanted_day_back(self):
        assert latest(wanting(plan_of())) == {
            "stage.work": OVER - MOMENT,
            "milestone.base": OVER - MOMENT,
            "task.three_hours": closing(1, month=6),
            "task.no_time": closing(1, month=6),  # the day on which the three hours begin at the latest
            "task.same_day": closing(29),  # they begin at noon, when 1 June is not over yet
            "task.two_days": closing(28),
        }

    def test_of_what_comes_before_a_chosen_day_ends_before_it(self):
        run = wanting(plan_of())
        run.apply(events.DueDateSet(by=STAFF, item="task.no_time", day=date(2026, 5, 20), reason="They asked for it."))
        found = latest(run)
        assert (found["task.two_days"], found["task.same_day"]) == (closing(19), closing(20))
        assert found["task.three_hours"] == closing(1, month=6)
