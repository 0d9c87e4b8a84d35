"""Where an item of the new version stands: what is set back, what would be asked twice, and what comes too late."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.flow import events
from app.flow.commands import RequestAction
from app.flow.definition import Definition
from app.flow.migration.mapping import Problem
from app.flow.migration.migrate import Preview
from tests.unit.flow.migration.versions import BILLING, Document, found, go_on, look, task, version
from tests.unit.flow.parts.small import SmallRun, milestone, small
from tests.unit.flow.parts.small import task as step
from tests.unit.flow.running import STAFF, Run, of_type

WORKSPACE = "task.create_workspace"
CHANGED = "A call to another system is under way for it, and it would change."
TOO_FAR = "A call is under way for it, and where it would stand has not begun."


def at_work() -> Run:
    """The connector is asked for the workspace; the kickoff is open."""
    run = Run()
    run.until_workspace()
    return run


def in_flight(reason: str, item: str = WORKSPACE) -> Problem:
    return Problem(kind="in_flight", place=f"/items/{item}", reason=reason, item=item)


def put_before_the_kickoff(document: Document) -> None:
    found(document, "milestone.kickoff_complete")["tasks"].insert(0, task("extra"))
    found(document, "task.kickoff")["depends_on"] = ["task.extra"]


def put_off_the_workspace(document: Document) -> None:
    """It is asked for in the next stage."""
    tasks = found(document, "milestone.workspace_ready")["tasks"]
    found(document, "milestone.monitored")["tasks"].insert(0, tasks.pop(0))


class TestSetBack:
    def test_has_not_begun_and_is_due_after_what_comes_first_now(self):
        run = at_work()
        go_on(run, version(put_before_the_kickoff))
        kickoff = run.item("task.kickoff")
        assert (kickoff.state, kickoff.opened_at) == ("waiting", None)
        run.now = run.now.replace(day=5)
        run.apply(events.TaskCompleted(by=STAFF, task="task.extra"))
        assert run.item("task.kickoff").opened_at == run.now.replace(minute=run.now.minute - 1)

    def test_is_what_a_person_had_begun_and_a_call_does_now(self):
        def call(document: Document) -> None:
            kickoff = found(document, "task.kickoff")
            for name in ("fields", "evidence"):
                del kickoff[name]
            kickoff.update(kind="action", action={"connector": "product_admin", "action": "invite", "input": {}})

        run = at_work()
        assert [line.becomes for line in look(run, version(call)).plan.of("set_back")] == ["task.kickoff"]
        decision = go_on(run, version(call))
        assert run.item("task.kickoff").state == "running"
        assert [each.task for each in of_type(decision, RequestAction)] == ["task.kickoff"]


class TestACallUnderWay:
    def problems(self, change: Callable[[Document], object], *, unknown: bool = False) -> list[Problem]:
        run = at_work()
        if unknown:
            run.apply(events.ActionUnknown(task=WORKSPACE, request=1, error="Nobody knows."))
        return list(look(run, version(change)).plan.problems)

    @pytest.mark.parametrize("unknown", [False, True])
    def test_has_to_end_where_its_turn_has_not_come(self, *, unknown: bool):
        assert self.problems(put_off_the_workspace, unknown=unknown) == [in_flight(TOO_FAR)]

    @pytest.mark.parametrize(("name", "other"), [("connector", "other_admin"), ("action", "make_workspace")])
    def test_has_to_end_before_another_one_takes_its_place(self, name: str, other: str):
        def change(document: Document) -> None:
            found(document, WORKSPACE)["action"][name] = other

        assert self.problems(change) == [in_flight(CHANGED)]

    def test_has_to_end_before_a_person_does_it(self):
        def change(document: Document) -> None:
            workspace = found(document, WORKSPACE)
            workspace.update(kind="message")
            del workspace["action"]
            found(document, "gate.launch")["validations"].pop()

        assert self.problems(change) == [in_flight(CHANGED)]

    def test_goes_on_with_another_input(self):
        def change(document: Document) -> None:
            found(document, WORKSPACE)["action"]["input"]["seats"] = "inputs.seats"

        assert self.problems(change) == []
        run = at_work()
        decision = go_on(run, version(change))
        assert run.item(WORKSPACE).state == "running"
        assert not of_type(decision, RequestAction)


def line(name: str, *before: str) -> str:
    return step(name, f"depends_on: [{', '.join(before)}]" if before else "")


def worked(*tasks: str) -> Definition:
    return small(milestone("base", *tasks)).compile()


class TestTooLate:
    """One task after the other; the second was left out before its turn came, the third is done."""

    def went_on(self) -> SmallRun:
        tasks = (line("one"), line("two", "task.one"), line("three", "task.two"), line("four"))
        run = SmallRun(worked(*tasks))
        run.apply(events.ItemSkipped(by=STAFF, item="task.two", reason="Sold."))
        run.complete("task.three")
        assert run.item("task.two").opened_at is None
        return run

    def looked_at(self, run: Run, *tasks: str) -> Preview:
        text = milestone("base", *tasks)
        return look(run, small(text, inputs="- {id: more, label: {en: M}, type: text}").compile())

    @pytest.mark.parametrize(
        ("two", "three", "fate"),
        [
            (("task.one", "task.new"), ("task.two",), "not_needed"),  # before what was left out before what is done
            (("task.one",), ("task.two", "task.new"), "not_needed"),
            (("task.one",), ("task.two",), "added"),
        ],
    )
    def test_is_what_stands_before_what_is_done_whatever_lies_between(
        self, two: tuple[str, ...], three: tuple[str, ...], fate: str
    ):
        run = self.went_on()
        tasks = (line("new"), line("one"), line("two", *two), line("three", *three), line("four"))
        lines = {each.becomes: each.fate for each in self.looked_at(run, *tasks).plan.lines}
        assert lines["task.new"] == fate
        assert {each for key, each in lines.items() if key != "task.new"} == {"kept"}

    def test_is_not_what_stands_before_open_work_alone(self):
        run = self.went_on()
        tasks = (line("new"), line("one", "task.new"), line("two", "task.one"), line("three", "task.two"))
        lines = {each.becomes: each.fate for each in self.looked_at(run, *tasks, line("four", "task.new")).plan.lines}
        assert (lines["task.new"], lines["task.one"], lines["task.four"]) == ("added", "set_back", "set_back")


class TestWhatHasNoPlace:
    TOLD = "A call to another system is under way, or its outcome is not known."

    @pytest.mark.parametrize("outcome", [events.ActionFailed, events.ActionUnknown, None])
    def test_is_told_while_the_outcome_of_its_call_is_open(self, outcome):
        def drop(document: Document) -> None:
            found(document, "milestone.workspace_ready")["tasks"] = [task("invite_admin")]
            found(document, "gate.launch")["validations"].pop()

        run, key = Run(), "task.create_workspace"
        run.until_workspace()
        if outcome:
            run.apply(outcome(task=key, request=1, error="Nobody knows."))
        expected = Problem(kind="in_flight", place=f"/items/{key}", reason=self.TOLD, item=key)
        assert look(run, version(drop)).plan.problems == (expected,)

    def test_is_told_while_somebody_has_to_look_at_it(self):
        def drop(document: Document) -> None:
            found(document, "milestone.people_ready")["tasks"].pop()

        run, key = Run(), "task.announce"
        run.accept()
        run.apply(events.ExceptionRaised(by=STAFF, item=key, **BILLING))
        reason = "An exception is open on it. Resolve it, or say where the item goes."
        expected = Problem(kind="exception", place=f"/items/{key}", reason=reason, item=key)
        assert look(run, version(drop)).plan.problems == (expected,)
