"""What the dry run says of each item, what a map means for each of several, and whose an exception is."""

from __future__ import annotations

import msgspec
import pytest

from app.flow import events
from app.flow.definition import CRITERION_ERROR
from app.flow.events import MigrationMap
from app.flow.migration.mapping import Problem
from app.flow.migration.parts import each_of, find_item, of_pattern, parts_left
from app.flow.migration.plan import Line
from app.flow.migration.standing import is_the_engines
from app.flow.steps.exceptions import STALLED
from tests.unit.flow.migration.test_parts import renamed, without
from tests.unit.flow.migration.versions import (
    BILLING,
    RENAMED,
    add_stage_before_rollout,
    drop_kickoff,
    found,
    go_on,
    look,
    rename_kickoff,
    version,
)
from tests.unit.flow.parts.test_repeated import begun, sites
from tests.unit.flow.running import STAFF, Run

DROPPED = MigrationMap(dropped=("task.kickoff",))


class TestLines:
    def launched(self) -> Run:
        run = Run()
        run.until_launch()
        return run

    def test_say_what_becomes_of_what_is_there_and_of_what_is_new(self):
        def change(document):
            rename_kickoff(document)
            add_stage_before_rollout(document)

        lines = {line.becomes: line for line in look(self.launched(), version(change), RENAMED).plan.lines}
        first, gate = lines["task.first_meeting"], lines["gate.launch"]
        assert (first.was, first.fate, first.state, first.worked_on) == ("task.kickoff", "kept", "done", True)
        assert (gate.was, gate.fate, gate.state, gate.worked_on) == ("gate.launch", "kept", "open", True)
        assert lines["task.announce"] == Line(
            fate="kept", was="task.announce", becomes="task.announce", state="waiting", worked_on=False
        )
        assert lines["task.pilot"] == Line(fate="not_needed", was=None, becomes="task.pilot", state="")
        begun = Run()
        begun.accept()
        [line] = [one for one in look(begun, version(change), RENAMED).plan.lines if one.becomes == "task.pilot"]
        assert line == Line(fate="added", was=None, becomes="task.pilot", state="")

    def test_say_what_has_no_place_and_what_comes_back(self):
        run = self.launched()
        [line] = look(run, version(drop_kickoff), DROPPED).plan.of("dropped")
        assert line == Line(fate="dropped", was="task.kickoff", becomes=None, state="done", worked_on=True)
        go_on(run, version(drop_kickoff), DROPPED)
        [line] = look(run, version(lambda document: None, "2.0.1")).plan.of("restored")
        assert line == Line(fate="restored", was=None, becomes="task.kickoff", state="done", worked_on=True)


class TestProblems:
    def test_a_call_that_would_be_another_one_is_waited_for(self):
        def call_another(document):
            found(document, "task.create_workspace")["action"]["action"] = "make_workspace"

        run = Run()
        run.until_workspace()
        reason = "A call to another system is under way for it, and it would change."
        [problem] = look(run, version(call_another)).plan.problems
        assert problem == Problem(
            kind="in_flight",
            place="/items/task.create_workspace",
            reason=reason,
            item="task.create_workspace",
        )

    def test_open_work_has_no_place_in_what_is_finished(self):
        def move(document):
            tasks = found(document, "milestone.kickoff_complete")["tasks"]
            found(document, "milestone.ready_to_start")["tasks"].append(tasks.pop(0))
            del tasks[0]["depends_on"]

        run = Run()
        run.until_workspace()
        reason = "It is not finished, and what it would stand in is. Leave it out first."
        [problem] = look(run, version(move)).plan.problems
        assert problem == Problem(kind="overtaken", place="/items/task.kickoff", reason=reason, item="task.kickoff")


class TestWhoseAnExceptionIs:
    @pytest.mark.parametrize(
        ("kind", "place", "engines"),
        [
            (CRITERION_ERROR, None, True),
            ("timeline_risk", STALLED, True),
            ("missing_outcome", "packet.business_outcome", True),
            ("timeline_risk", None, False),
            ("technical_blocker", "undo", False),
        ],
    )
    def test_is_the_engines_where_it_looks_again_by_itself(self, kind: str, place: str | None, *, engines: bool):
        run = Run()
        run.apply(events.ExceptionRaised(by=STAFF, item="task.kickoff", **BILLING))
        [opened] = run.state.exceptions.values()
        assert is_the_engines(msgspec.structs.replace(opened, type=kind, place=place)) is engines


class TestEachOfSeveral:
    @pytest.mark.parametrize(
        ("wanted", "items", "dropped"),
        [
            (
                {"items": {"task.look": "task.inspect"}},
                {"task.look#1": "task.inspect#1", "task.look#2": "task.inspect#2"},
                (),
            ),
            (
                {"items": {"milestone.site": "milestone.place"}},
                {
                    "milestone.site": "milestone.place",
                    "milestone.site#1": "milestone.place#1",
                    "milestone.site#2": "milestone.place#2",
                },
                (),
            ),
            (
                {"items": {"task.look": "task.inspect", "task.look#2": "task.plan"}},
                {"task.look#1": "task.inspect#1", "task.look#2": "task.plan"},
                (),
            ),
            ({"dropped": ("task.look", "task.plan")}, {}, ("task.look#1", "task.look#2", "task.plan")),
            (
                {"dropped": ("milestone.site",), "items": {"task.fix#1": "task.plan"}},
                {"task.fix#1": "task.plan"},
                (
                    "milestone.site",
                    *("milestone.site#1", "task.look#1", "task.setup#1"),
                    *("milestone.site#2", "task.look#2", "task.fix#2", "task.setup#2"),
                ),
            ),
        ],
        ids=["a pattern", "the part", "one of them", "left out", "the part left out"],
    )
    def test_a_map_is_written_out(self, wanted, items: dict[str, str], dropped: tuple[str, ...]):
        run = begun("Berlin", "Oslo")
        told = each_of(sites(), run.state, MigrationMap(**wanted))
        assert (told.items, told.dropped) == (items, dropped)

    def test_parts_that_have_no_place_are_left_with_their_names(self):
        run = begun("Berlin", "Oslo")
        mine = run.state.parts
        assert parts_left(sites(), renamed(), run.state, MigrationMap()) == {}
        assert parts_left(sites(), without(), run.state, MigrationMap()) == mine
        assert parts_left(sites(), renamed(), run.state, MigrationMap(dropped=("milestone.site",))) == mine
        away = MigrationMap(items={"milestone.site": "milestone.end"})
        assert parts_left(sites(), renamed(), run.state, away) == mine

    def test_is_found_by_its_pattern(self):
        assert [of_pattern(key) for key in ("task.look#12", "answers.look#2.ok", "task.plan")] == [
            *("task.look", "answers.look.ok", "task.plan")
        ]
        for key, item in (("task.plan", "task.plan"), ("task.look#9", "task.look"), ("task.look", "task.look")):
            known = find_item(sites(), key)
            assert known is not None
            assert known.key == item
        assert find_item(sites(), "task.none") is None
