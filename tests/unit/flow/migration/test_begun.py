"""What has begun goes on where the new version has it, and what stands before it comes too late; open work can wait."""

from __future__ import annotations

import pytest

from app.flow import events
from app.flow.definition import Definition
from app.flow.migration.mapping import Problem
from app.flow.migration.plan import Fate
from tests.unit.flow.migration.versions import (
    Document,
    add_stage_before_rollout,
    found,
    go_on,
    look,
    version,
)
from tests.unit.flow.migration.versions import milestone as part
from tests.unit.flow.migration.versions import task as step
from tests.unit.flow.parts.small import NEEDED, SmallRun, milestone, small, task
from tests.unit.flow.running import PROOF, STAFF, Run

MORE = "- {id: more, label: {en: M}, type: text}"
OVERTAKEN = "It is not finished, and what it would stand in is. Leave it out first."


def line(name: str, *before: str, more: str = "") -> str:
    waits = f"depends_on: [{', '.join(before)}]" if before else ""
    return task(name, ", ".join(each for each in (waits, more) if each))


def begun(*tasks: str, done: tuple[str, ...] = ()) -> SmallRun:
    """These tasks in one milestone, some of them done."""
    run = SmallRun(small(milestone("base", *tasks)).compile())
    for name in done:
        run.complete(f"task.{name}")
    return run


def fates(run: Run, milestones: str) -> dict[str | None, Fate]:
    plan = look(run, small(milestones, inputs=MORE).compile()).plan
    return {each.becomes: each.fate for each in plan.lines}


def problems(run: Run, milestones: str) -> list[Problem]:
    return list(look(run, small(milestones, inputs=MORE).compile()).plan.problems)


class TestOpenWork:
    """One is done, one was left out, two others are open; the last was open at once and waits for some of them now."""

    @pytest.mark.parametrize(
        ("join", "before", "fate"),
        [
            ("all", ("one", "left"), "kept"),
            ("all", ("one", "open"), "set_back"),
            ("any", ("one", "open"), "kept"),
            ("any", ("open", "other"), "set_back"),
            ("any", ("left", "open"), "set_back"),
            ("any", ("one", "left"), "kept"),
        ],
    )
    def test_goes_on_as_far_as_all_or_any_before_it_is_done(self, join: str, before: tuple[str, ...], fate: Fate):
        run = begun(*map(task, ("one", "left", "open", "other", "last")), done=("one",))
        run.apply(events.ItemSkipped(by=STAFF, item="task.left", reason="Sold."))
        waits = line("last", *(f"task.{each}" for each in before), more=f"join: {join}")
        found_ = fates(run, milestone("base", *map(task, ("one", "left", "open", "other")), waits))
        assert (found_["task.last"], found_["task.open"]) == (fate, "kept")

    @pytest.mark.parametrize(("done", "fate"), [((), "set_back"), (("one",), "kept")])
    def test_of_a_milestone_goes_on_once_something_in_it_is_done(self, done: tuple[str, ...], fate: Fate):
        run = SmallRun(small(NEEDED + milestone("two", task("one"), task("next"))).compile())
        for name in done:
            run.complete(f"task.{name}")
        later = milestone("two", task("one"), task("next"), more="depends_on: [milestone.base]")
        found_ = fates(run, NEEDED + later)
        assert (found_["milestone.two"], found_["task.next"]) == (fate, fate)

    @pytest.mark.parametrize(("done", "fate"), [((), "set_back"), (("task.see#2",), "kept")])
    def test_of_several_goes_on_once_something_in_one_of_them_is_done(self, done: tuple[str, ...], fate: Fate):
        text = milestone("hall", task("see"), task("tell"), more="repeat: {at_most: 3}, AFTER")
        run = SmallRun(small(NEEDED + text.replace(", AFTER", "")).compile())
        run.apply(events.PartAdded(by=STAFF, item="milestone.hall", name="Rome"))
        for key in done:
            run.complete(key)
        found_ = fates(run, NEEDED + text.replace("AFTER", "depends_on: [milestone.base]"))
        assert found_["milestone.hall"] == found_["milestone.hall#2"] == fate

    def test_of_a_person_goes_on_where_it_is_blocked(self):
        run = begun(task("one"), task("two"))
        note = {"type": "timeline_risk", "reason_code": "scope_mismatch", "note": "Late."}
        run.apply(events.ExceptionRaised(by=STAFF, item="task.one", blocks=True, **note))
        assert run.item("task.one").state == "blocked"
        text = milestone("base", task("one", kind="message"), task("two"))
        assert problems(run, text) == []
        assert fates(run, text)["task.one"] == "kept"


class TestACall:
    def test_that_was_not_asked_for_yet_may_become_another_one(self):
        def change(document: Document) -> None:
            found(document, "task.create_workspace")["action"]["action"] = "make_workspace"

        run = Run()
        run.accept()
        assert look(run, version(change)).plan.problems == ()


class TestWhatIsOptional:
    """The milestone is reached, its stage is not over: what is optional in it is offered still."""

    tour = task("tour", "optional: true")

    def reached(self, *more: str) -> SmallRun:
        run = SmallRun(small(NEEDED + milestone("next", task("rest"), *more)).compile())
        run.complete("task.build")
        return run

    def test_goes_on_until_its_stage_ends(self):
        run = SmallRun(small(milestone("base", task("build"), self.tour) + milestone("next", task("rest"))).compile())
        run.complete("task.build")
        before = run.item("task.tour")
        assert (run.item("milestone.base").state, before.state) == ("done", "open")
        other = small(milestone("base", task("build"), self.tour) + milestone("next", task("rest")), inputs=MORE)
        assert go_on(run, other.compile()).state.items["task.tour"] == before

    def test_may_be_moved_to_what_is_reached_in_an_open_stage_and_nothing_else_may(self):
        moved = milestone("base", task("build"), self.tour) + milestone("next", task("rest"))
        assert problems(self.reached(self.tour), moved) == []
        overtaken = Problem(kind="overtaken", place="/items/task.tour", reason=OVERTAKEN, item="task.tour")
        needed = moved.replace("optional: true", "optional: false")
        assert problems(self.reached(task("tour")), needed) == [overtaken]

    def test_has_no_place_in_a_stage_that_is_over(self):
        def first(document: Document) -> None:
            tasks = found(document, "milestone.kickoff_complete")["tasks"]
            tasks.append(step("tour", optional=True))

        def moved(document: Document) -> None:
            found(document, "milestone.ready_to_start")["tasks"].append(step("tour", optional=True))

        run = Run(definition=version(first, "1.9.0"))
        run.until_workspace()
        assert run.item("task.tour").state == "open"
        [problem] = look(run, version(moved)).plan.problems
        assert (problem.kind, problem.item) == ("overtaken", "task.tour")


class TestTooLate:
    def test_is_what_stands_before_what_is_done_beside_what_is_still_open(self):
        run = begun(task("one"), task("three"), done=("three",))
        tasks = (line("new"), line("one"), line("three", "task.new", "task.one"))
        assert fates(run, milestone("base", *tasks))["task.new"] == "not_needed"

    def test_is_not_one_of_several_any_of_which_was_enough(self):
        run = begun(task("one"), task("three"), task("four"), done=("one", "three"))
        waits = line("three", "task.new", "task.one", more="join: any")
        assert fates(run, milestone("base", task("new"), task("one"), waits, task("four")))["task.new"] == "added"

    def test_is_also_what_stands_before_the_milestone_of_it(self):
        run = begun(task("one"), task("two"), done=("one",))
        new = milestone("first", task("begin")) + milestone(
            "second", task("check"), more="depends_on: [milestone.first]"
        )
        found_ = fates(run, new + milestone("base", line("one", "task.check"), task("two")))
        late = {key for key, fate in found_.items() if fate == "not_needed"}
        assert late == {"milestone.first", "task.begin", "task.check"}

    def test_is_nothing_before_a_milestone_whose_stage_has_not_begun_though_something_in_it_is_done(self):
        def change(document: Document) -> None:
            add_stage_before_rollout(document)
            monitored, tasks = (
                found(document, "milestone.monitored"),
                found(document, "milestone.kickoff_complete")["tasks"],
            )
            monitored["tasks"].insert(0, tasks.pop(0))
            monitored["depends_on"].append("milestone.surveyed")
            found(document, "stage.rollout")["milestones"].insert(0, part("surveyed", step("survey")))
            del tasks[0]["depends_on"]

        run = Run()
        run.until_workspace()
        run.complete("task.kickoff", held_on="2026-03-09")
        lines = {each.becomes: each.fate for each in look(run, version(change)).plan.lines}
        assert {lines[key] for key in ("task.pilot", "task.survey")} == {"added"}
        assert lines["task.kickoff"] == "kept"


class TestFirstValue:
    REASON = "It proves first value in the new version, and is over before it was."

    @staticmethod
    def proves(name: str) -> Definition:
        def change(document: Document) -> None:
            document["first_value"]["milestone"] = name

        return version(change)

    def test_is_not_proven_by_what_is_over(self):
        run = Run()
        run.until_workspace()
        key = "milestone.ready_to_start"
        expected = Problem(kind="first_value", place=f"/items/{key}", reason=self.REASON, item=key)
        assert look(run, self.proves("ready_to_start")).plan.problems == (expected,)

    def test_may_be_proven_by_what_is_to_come(self):
        run = Run()
        run.until_workspace()
        assert look(run, self.proves("monitored")).plan.problems == ()

    def test_that_was_reached_stays_reached_whatever_proves_it_now(self):
        def by_a_person(document: Document) -> None:
            document["first_value"]["milestone"] = "kickoff_complete"
            found(document, "milestone.kickoff_complete")["evidence"]["source"] = "person"

        run = Run(definition=version(by_a_person, "1.9.0"))
        run.until_workspace()
        run.complete("task.kickoff", held_on="2026-03-09")
        run.complete("task.confirm_goals", approved=True)
        run.apply(events.MilestoneProven(by=STAFF, milestone="milestone.kickoff_complete", evidence=PROOF))
        reached = run.state.first_value_at
        assert reached is not None
        assert go_on(run, self.proves("ready_to_start")).state.first_value_at == reached
