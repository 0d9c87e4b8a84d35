"""Finished stays finished, begun goes on, what comes too late is skipped; nothing is lost, nothing is guessed."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from app.flow import events
from app.flow.commands import NotifyRole, RequestAction
from app.flow.decide import decide_by, replay
from app.flow.events import MigrationMap
from app.flow.migration.migrate import MigrationRefused
from app.flow.migration.standing import TOO_LATE
from app.flow.state import Plan
from app.flow.steps.work import StaleAction
from tests.unit.flow.migration.versions import (
    BILLING,
    RENAMED,
    add_stage_before_rollout,
    add_stage_first,
    drop_kickoff,
    found,
    go_on,
    look,
    milestone,
    rename_kickoff,
    task,
    version,
    wish,
)
from tests.unit.flow.running import STAFF, Run, managed_services, of_type


class TestWhatIsKept:
    def test_of_the_same_plan_everything_with_the_new_digest(self):
        run = Run()
        run.until_workspace()
        before = run.state
        decision = go_on(run, version(lambda document: None))
        after = decision.state
        assert after.items == before.items
        assert (after.definition, after.seq) == (run.definition.digest, before.seq + 1)
        assert (decision.changes, decision.moves) == ((), ())
        assert not of_type(decision, NotifyRole)
        assert not of_type(decision, RequestAction)

    def test_finished_work_stays_finished_under_its_new_key_with_its_answers(self):
        run = Run()
        run.until_launch()
        before = run.item("task.kickoff")
        after = go_on(run, version(rename_kickoff), RENAMED).state
        assert after.items["task.first_meeting"] == before
        assert before.answers == {"held_on": "2026-03-09"}
        assert "task.kickoff" not in after.items
        assert after.migrations[0].items == RENAMED.items

    def test_owners_dates_that_people_chose_and_baselines_go_with_their_item(self):
        run = Run()
        run.accept()
        run.apply(events.OwnerAssigned(by=STAFF, item="task.kickoff", person="p-1"))
        day = run.state.partner.day_at(run.now + timedelta(days=9))
        run.apply(events.DueDateSet(by=STAFF, item="task.kickoff", day=day, reason="They asked."))
        before = run.state
        after = go_on(run, version(rename_kickoff), RENAMED).state
        assert after.items["task.first_meeting"].assignee == "p-1"
        assert after.plan is not None
        assert before.plan is not None
        assert after.plan.pins == {"task.first_meeting": day}
        assert after.items["task.first_meeting"].due_at == before.items["task.kickoff"].due_at
        assert after.plan.baseline["task.first_meeting"] == before.plan.baseline["task.kickoff"]

    def test_a_stage_map_moves_where_it_stands(self):
        def rename(document):
            found(document, "stage.preparation")["id"] = "set_up"

        run = Run()
        run.until_workspace()
        plan = look(run, version(rename)).plan
        assert [each.item for each in plan.problems if each.kind == "unplaced"] == ["stage.preparation"]
        before = run.state
        after = go_on(run, version(rename), MigrationMap(items={"stage.preparation": "stage.set_up"})).state
        assert after.items["stage.set_up"] == before.items["stage.preparation"]
        assert {key: item for key, item in after.items.items() if key != "stage.set_up"} == {
            key: item for key, item in before.items.items() if key != "stage.preparation"
        }

    def test_a_result_under_way_arrives_all_the_same(self):
        run = Run()
        run.until_workspace()
        go_on(run, version(add_stage_before_rollout))
        run.apply(events.ActionSucceeded(task="task.create_workspace", request=1, result={"id": "ws-1"}))
        assert run.item("task.create_workspace").state == "done"

    def test_goes_on_to_the_end_in_the_new_version(self):
        run = Run()
        run.until_launch()
        go_on(run, version(rename_kickoff), RENAMED)
        run.apply(events.GateDecided(by=STAFF, gate="gate.launch", decision="launch"))
        assert run.item("milestone.monitored").state == "open"
        first, second = managed_services(), run.definition
        assert replay(first, run.history, second) == run.state


class TestWhatIsNew:
    def test_opens_in_its_turn(self):
        run = Run()
        run.until_workspace()
        after = go_on(run, version(add_stage_before_rollout)).state
        assert (after.items["stage.pilot"].state, after.items["task.pilot"].state) == ("waiting", "waiting")

    def test_is_not_needed_before_where_it_stands(self):
        run = Run()
        run.until_workspace()
        new = version(add_stage_first)
        assert {line.becomes for line in look(run, new).plan.of("not_needed")} == {
            "stage.welcome",
            "milestone.welcomed",
            "task.welcome",
        }
        before = run.state
        after = go_on(run, new).state
        late = after.items["task.welcome"]
        assert (late.state, late.settled_by, late.reason) == ("skipped", "system", TOO_LATE)
        assert all(after.items[key] == item for key, item in before.items.items())

    def test_is_not_needed_in_a_finished_stage_nor_milestone(self):
        def add(document):
            found(document, "milestone.ready_to_start")["tasks"].append(task("extra"))
            found(document, "stage.handoff")["milestones"].append(milestone("late", task("later")))

        run = Run()
        run.until_workspace()
        after = go_on(run, version(add)).state
        assert {after.items[key].state for key in ("task.extra", "milestone.late", "task.later")} == {"skipped"}
        assert after.items["stage.handoff"].state == "done"

    def test_begins_at_once_where_the_onboarding_stands(self):
        def add(document):
            found(document, "milestone.kickoff_complete")["tasks"].append(task("extra"))

        run = Run()
        run.until_workspace()
        decision = go_on(run, version(add))
        assert decision.state.items["task.extra"].state == "open"
        assert [each.item for each in of_type(decision, NotifyRole)] == ["task.extra"]
        assert [change.item for change in decision.changes] == ["task.extra"]

    def test_comes_first_where_what_follows_it_is_only_open(self):
        def put_before(document):
            found(document, "milestone.kickoff_complete")["tasks"].insert(0, task("extra"))
            found(document, "task.kickoff")["depends_on"] = ["task.extra"]

        run = Run()
        run.until_workspace()
        assert run.item("task.kickoff").state == "open"
        new = version(put_before)
        assert [line.becomes for line in look(run, new).plan.of("set_back")] == ["task.kickoff"]
        go_on(run, new)
        assert (run.item("task.extra").state, run.item("task.kickoff").state) == ("open", "waiting")
        run.apply(events.TaskCompleted(by=STAFF, task="task.extra"))
        assert run.item("task.kickoff").state == "open"

    def test_gate_before_a_stage_that_has_not_begun_has_to_be_decided(self):
        run = Run()
        run.until_workspace()

        def add(document):
            gate = dict(found(document, "gate.launch"), id="budget")
            found(document, "stage.value")["gates"] = [gate]
            found(document, "milestone.first_ticket_solved")["depends_on"] = ["gate.budget"]

        assert go_on(run, version(add)).state.items["gate.budget"].state == "waiting"

    def test_work_moved_behind_a_gate_waits_for_it(self):
        def move(document):
            tasks = found(document, "milestone.kickoff_complete")["tasks"]
            found(document, "milestone.monitored")["tasks"].insert(0, tasks.pop(0))
            del tasks[0]["depends_on"]

        run = Run()
        run.until_workspace()
        after = go_on(run, version(move)).state
        assert (after.items["task.kickoff"].state, after.items["stage.rollout"].state) == ("waiting", "waiting")

    def test_needs_never_moves_first_value_out_of_reach(self):
        def prove_earlier(document):
            document["first_value"]["milestone"] = "ready_to_start"

        run = Run()
        run.until_workspace()
        document_change = version(prove_earlier)
        assert [each.kind for each in look(run, document_change).plan.problems] == ["first_value"]


class TestWhatHasNoPlace:
    def test_is_named_when_work_is_on_it_and_kept_as_it_was(self):
        run = Run()
        run.until_launch()
        with pytest.raises(MigrationRefused) as refused:
            go_on(run, version(drop_kickoff))
        assert refused.value.errors == [
            ("/map/items/task.kickoff", "Work is on it and the new version does not have it.")
        ]
        before = run.item("task.kickoff")
        after = go_on(run, version(drop_kickoff), MigrationMap(dropped=("task.kickoff",))).state
        assert after.migrations[0].departed == {"task.kickoff": before}

    def test_comes_back_with_the_dates_that_it_was_planned_and_promised_for(self):
        run = Run()
        day = run.state.partner.day_at(run.now + timedelta(days=9))
        run.apply(events.DueDateSet(by=STAFF, item="task.kickoff", day=day, reason="They asked."))
        before, old = run.state.plan or Plan(), run.definition
        run.until_launch()
        left = go_on(run, version(drop_kickoff), MigrationMap(dropped=("task.kickoff",))).state
        plan = left.plan or before
        assert "task.kickoff" not in plan.baseline.keys() | plan.pins.keys()
        assert left.migrations[0].baseline == {"task.kickoff": before.baseline["task.kickoff"]}
        assert left.migrations[0].pins == {"task.kickoff": day}
        back = go_on(run, old).state.plan or Plan()
        assert (back.baseline["task.kickoff"], back.pins) == (before.baseline["task.kickoff"], {"task.kickoff": day})

    def test_keeps_no_dates_where_that_was_not_done_yet_when_it_went(self):
        run = Run()
        run.until_launch()
        gone, old = version(drop_kickoff), run.definition
        event = msgspec.structs.replace(wish(run, gone, MigrationMap(dropped=("task.kickoff",))), keeps_dates=False)
        known = {old.digest: old, gone.digest: gone}
        run.definition, run.state = gone, decide_by(known.__getitem__, run.state, event, run.now).state
        assert (run.state.migrations[0].baseline, run.state.migrations[0].pins) == ({}, {})
        back = go_on(run, old).state.plan
        assert back is not None
        assert "task.kickoff" not in back.baseline

    def test_goes_by_itself_when_nobody_has_touched_it(self):
        def drop(document):
            document["stages"][2]["milestones"][1]["tasks"].pop()

        run = Run()
        run.accept()
        plan = look(run, version(drop)).plan
        assert plan.problems == ()
        assert [(line.was, line.worked_on) for line in plan.of("dropped")] == [("task.announce", False)]
        assert go_on(run, version(drop)).state.migrations[0].departed == {}

    def test_cannot_go_while_a_call_is_under_way(self):
        def drop(document):
            milestone_ = found(document, "milestone.workspace_ready")
            milestone_["tasks"] = [task("invite_admin")]
            gate = found(document, "gate.launch")
            gate["validations"] = gate["validations"][:1]

        run = Run()
        run.until_workspace()
        gone = MigrationMap(dropped=("task.create_workspace",))
        [problem] = look(run, version(drop), gone).plan.problems
        assert (problem.kind, problem.item) == ("in_flight", "task.create_workspace")
        run.apply(events.ActionUnknown(task="task.create_workspace", request=1, error="Nobody knows."))
        [problem] = look(run, version(drop), gone).plan.problems
        assert problem.kind == "in_flight"

    def test_a_late_result_of_what_is_gone_is_fenced_off(self):
        def rename(document):
            text = found(document, "task.create_workspace")
            text["id"] = "make_workspace"
            found(document, "task.invite_admin")["depends_on"] = ["task.make_workspace"]
            found(document, "gate.launch")["validations"].pop()

        run = Run()
        run.until_workspace()
        wanted = MigrationMap(items={"task.create_workspace": "task.make_workspace"})
        assert [each.kind for each in look(run, version(rename), wanted).plan.problems] == ["in_flight"]
        run.apply(events.ActionUnknown(task="task.create_workspace", request=1, error="Nobody knows."))
        go_on(run, version(rename), wanted)
        assert (run.item("task.make_workspace").state, run.item("task.make_workspace").request) == ("blocked", 1)
        with pytest.raises(StaleAction):
            run.apply(events.ActionSucceeded(task="task.create_workspace", request=1, result={"id": "ws-1"}))

    def test_comes_back_as_it_was_with_a_version_that_has_it_again(self):
        run = Run()
        run.until_launch()
        before = run.item("task.kickoff")
        go_on(run, version(drop_kickoff), MigrationMap(dropped=("task.kickoff",)))
        back = version(lambda document: None, "2.0.1")
        assert [line.becomes for line in look(run, back).plan.of("restored")] == ["task.kickoff"]
        assert go_on(run, back).state.items["task.kickoff"] == before

    def test_cannot_be_left_out_to_begin_anew(self):
        run = Run()
        run.until_launch()
        [problem] = look(run, version(lambda document: None), MigrationMap(dropped=("task.kickoff",))).plan.problems
        assert problem.place == "/dropped/task.kickoff"

    def test_leaves_no_exception_without_an_owner(self):
        run = Run()
        run.accept()
        run.apply(events.ExceptionRaised(by=STAFF, item="task.announce", **BILLING))

        def drop(document):
            document["stages"][2]["milestones"][1]["tasks"].pop()

        assert [each.kind for each in look(run, version(drop)).plan.problems] == ["exception"]
