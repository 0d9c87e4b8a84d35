"""Dates of a part that happens several times: one more or one fewer moves them, and the part is the cause of it."""

from __future__ import annotations

from datetime import UTC, datetime

from app.flow import events
from app.flow.commands import Decision
from tests.unit.flow.dates.test_forward import due
from tests.unit.flow.parts.small import SmallRun, milestone, small, task
from tests.unit.flow.parts.test_repeated import add, asked, remove
from tests.unit.flow.running import STAFF

VISIT = task("visit", "repeat: {at_most: 3}, due: {business_days: 2}")
REPORT = task("report", "depends_on: [task.visit], due: {business_days: 1}")
WAITING = {"stage.work", "milestone.base", "task.report", "stage.live", "milestone.value"}  # for the visits
REPEATED = ("repeated", "task.visit")


def on_day(run: SmallRun, day: int) -> SmallRun:
    """A later morning."""
    run.now = datetime(2026, 3, day, 9, tzinfo=UTC)
    return run


def visited() -> SmallRun:
    """One visit, due on Wednesday; a report after it."""
    return SmallRun(small(milestone("base", VISIT, REPORT)).compile())


def causes(decision: Decision) -> dict[str, tuple[str, str | None]]:
    return {move.item: (move.cause, move.cause_item) for move in decision.moves}


class TestOneMore:
    def test_is_due_so_long_after_it_was_added_and_never_moved_there(self):
        run = on_day(visited(), 4)
        decision = add(run, "task.visit")
        second = run.item("task.visit#2")
        assert (second.due_at, second.due_cause) == (due(6), "repeated")
        assert run.item("task.visit#1").due_at == due(4)
        assert "task.visit#2" not in causes(decision)

    def test_has_a_date_also_where_its_turn_has_not_come(self):
        tell = task("tell", "depends_on: [task.see], due: {business_days: 3}")
        hall = milestone("hall", task("see"), tell, more="repeat: {at_most: 3}")
        run = on_day(SmallRun(small(hall).compile()), 4)
        add(run, "milestone.hall")
        last = run.item("task.tell#2")
        assert (last.state, last.due_at, last.due_cause) == ("waiting", due(9), "repeated")

    def test_moves_the_part_and_what_waits_for_it(self):
        run = on_day(visited(), 4)
        assert causes(add(run, "task.visit")) == dict.fromkeys({"task.visit", *WAITING}, REPEATED)
        assert (run.item("task.visit").due_at, run.item("task.report").due_at) == (due(6), due(10))

    def test_that_is_taken_away_again_gives_back_the_very_same_dates(self):
        run = on_day(visited(), 4)
        before = {key: item.due_at for key, item in run.state.items.items()}
        add(run, "task.visit")
        decision = remove(run, "task.visit#2")
        assert causes(decision) == dict.fromkeys({"task.visit", *WAITING}, REPEATED)
        assert {key: item.due_at for key, item in run.state.items.items()} == before

    def test_that_comes_from_a_list_is_due_when_the_list_is_given(self):
        run = on_day(SmallRun(asked()), 4)
        run.complete("task.ask", names="Rome\nOslo")
        for key in ("task.visit#1", "task.visit#2"):
            assert (run.item(key).due_at, run.item(key).due_cause) == (due(9), "repeated")


class TestOneOfThem:
    def test_that_ends_late_is_itself_the_cause(self):
        run = visited()
        add(run, "task.visit")
        decision = on_day(run, 10).complete("task.visit#1")
        assert run.item("task.visit").state == "open"
        assert causes(decision)["task.report"] == ("finished", "task.visit#1")
        assert run.item("task.report").due_at == due(11)

    def test_for_which_a_day_is_chosen_is_itself_the_cause(self):
        run = visited()
        chosen = events.DueDateSet(by=STAFF, item="task.visit#1", day=due(12).date(), reason="They asked.")
        assert causes(run.apply(chosen))["task.report"] == ("chosen", "task.visit#1")
        assert run.item("task.report").due_at == due(16)
