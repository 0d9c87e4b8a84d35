"""Exceptions, values, clocks and dates go with their items; a map is checked; two people agree."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.flow import events
from app.flow.commands import CancelTimer, ChangeException, StartTimer
from app.flow.decide import OnboardingEnded, WrongDefinition, decide, decide_by
from app.flow.events import MigrationMap
from app.flow.migration.asking import MigrationNotProposed, MigrationWaits, SameVersion
from app.flow.steps.holds import OnHold
from app.flow.steps.work import ReasonNeeded
from tests.unit.flow.migration.versions import (
    BILLING,
    OTHER,
    RENAMED,
    add_stage_before_rollout,
    add_stage_first,
    found,
    go_on,
    look,
    rename_kickoff,
    version,
    wish,
)
from tests.unit.flow.running import STAFF, Run, managed_services, of_type

PROMISE: dict[str, Any] = {"type": "nonstandard_promise", "reason_code": "scope_mismatch", "note": "We promised more."}


class TestExceptions:
    def test_follow_their_item_and_never_share_a_name(self):
        run = Run()
        run.until_workspace()
        run.apply(events.ExceptionRaised(by=STAFF, item="task.kickoff", **BILLING))
        decision = go_on(run, version(rename_kickoff), RENAMED)
        [opened] = decision.state.open_exceptions("task.first_meeting")
        assert opened.id == "task.kickoff#1"
        assert [each.exception.item for each in of_type(decision, ChangeException)] == ["task.first_meeting"]
        run.apply(events.ExceptionRaised(by=STAFF, item="task.first_meeting", **BILLING))
        assert sorted(run.state.exceptions) == ["task.first_meeting#2", "task.kickoff#1"]

    def test_take_the_new_route_where_their_role_is_gone(self):
        def without_the_manager(document):
            document["roles"] = [role for role in document["roles"] if role["id"] != "sales_manager"]
            for route in document["exceptions"]:
                route["route"] = [role for role in route["route"] if role != "sales_manager"] or ["csm"]

        run = Run()
        run.accept()
        run.apply(events.ExceptionRaised(by=STAFF, item="task.kickoff", **PROMISE))
        after = go_on(run, version(without_the_manager)).state
        assert after.exceptions["task.kickoff#1"].route == ("cs_leader",)

    def test_of_facts_that_are_not_asked_for_any_more_end(self):
        def ask_less(document):
            for field in document["handoff"]["fields"]:
                field["rule"] = "info"
                field.pop("exception", None)
                field.pop("reason_code", None)

        run = Run(packet={})
        assert run.state.open_exceptions()
        assert go_on(run, version(ask_less)).state.open_exceptions() == []


class TestValues:
    def test_that_do_not_fit_are_named_and_settled_by_hand(self):
        def other_fields(document):
            fields = found(document, "task.kickoff")["fields"]
            fields[0] |= {"type": "integer"}

        run = Run()
        run.until_launch()
        new, place = version(other_fields), "answers.kickoff.held_on"
        [problem] = look(run, new).plan.problems
        assert (problem.kind, problem.place, problem.item) == ("value", f"/values/{place}", "task.kickoff")
        [problem] = look(run, new, MigrationMap(values={place: "soon"})).plan.problems
        assert problem.reason == "This must be a whole number."
        after = go_on(run, new, MigrationMap(values={place: 9})).state
        assert after.items["task.kickoff"].answers == {"held_on": 9}
        assert after.migrations[0].values == {place: "2026-03-09"}

    def test_can_be_left_out_and_are_still_known(self):
        def fewer(document):
            document["handoff"]["fields"] = [
                field for field in document["handoff"]["fields"] if field["id"] != "renewal_signal"
            ]
            shows = found(document, "gate.handoff_quality")["shows"]
            shows.remove("packet.renewal_signal")

        run = Run()
        run.accept()
        new, place = version(fewer), "packet.renewal_signal"
        assert [each.place for each in look(run, new).plan.problems] == [f"/values/{place}"]
        after = go_on(run, new, MigrationMap(values={place: None})).state
        assert "renewal_signal" not in after.packet
        assert after.migrations[0].values == {place: "Known renewal_signal"}

    def test_that_are_needed_now_are_asked_for(self):
        def ask(document):
            document["inputs"].append({"id": "floor", "label": {"en": "Floor"}, "type": "integer", "required": True})

        run = Run()
        run.accept()
        new = version(ask)
        assert [each.place for each in look(run, new).plan.problems] == ["/values/inputs.floor"]
        assert look(run, new, MigrationMap(values={"inputs.floor": None})).plan.problems
        assert go_on(run, new, MigrationMap(values={"inputs.floor": 3})).state.inputs["floor"] == 3

    def test_that_fit_cannot_be_changed_on_the_way(self):
        run = Run()
        run.until_launch()
        wanted = MigrationMap(values={"answers.kickoff.held_on": "2026-01-01"})
        [problem] = look(run, version(lambda document: None), wanted).plan.problems
        assert problem.kind == "map"

    def test_owner_of_the_other_side_is_named(self):
        def give(document):
            found(document, "task.kickoff").update(side="customer", owner="customer_owner")

        run = Run()
        run.until_workspace()
        run.apply(events.OwnerAssigned(by=STAFF, item="task.kickoff", person="p-1"))
        assert [each.kind for each in look(run, version(give)).plan.problems] == ["owner"]
        after = go_on(run, version(give), MigrationMap(values={"owner.task.kickoff": None})).state
        assert after.items["task.kickoff"].assignee is None
        assert after.migrations[0].values == {"owner.task.kickoff": "p-1"}


class TestMap:
    @pytest.mark.parametrize(
        ("wanted", "place"),
        [
            (MigrationMap(items={"task.none": "task.kickoff"}), "/items/task.none"),
            (MigrationMap(items={"task.kickoff": "task.none"}), "/items/task.kickoff"),
            (MigrationMap(items={"task.kickoff": "stage.value"}), "/items/task.kickoff"),
            (MigrationMap(items={"task.kickoff": "task.announce"}), "/items/task.announce"),
            (MigrationMap(dropped=("task.none",)), "/dropped/task.none"),
            (MigrationMap(items={"task.kickoff": "task.kickoff"}, dropped=("task.kickoff",)), "/dropped/task.kickoff"),
        ],
    )
    def test_that_names_what_is_not_there_or_twice_is_told_where(self, wanted: MigrationMap, place: str):
        run = Run()
        run.accept()
        problems = look(run, version(lambda document: None), wanted).plan.problems
        assert place in [each.place for each in problems]

    def test_can_swap_two_items_and_calls_never_count_again(self):
        def add(document):
            found(document, "milestone.workspace_ready")["tasks"].append(
                dict(found(document, "task.create_workspace"), id="create_second", depends_on=["task.invite_admin"])
            )

        run = Run(definition=version(add, "1.9.0"))
        run.until_workspace()
        run.apply(events.ActionSucceeded(task="task.create_workspace", request=1, result={"id": "ws-1"}))
        swap = {"task.create_workspace": "task.create_second", "task.create_second": "task.create_workspace"}

        def other_way(document):
            add(document)
            found(document, "task.create_workspace")["depends_on"] = ["task.invite_admin"]
            found(document, "task.create_second")["depends_on"] = ["task.describe_environment"]
            found(document, "task.invite_admin")["depends_on"] = ["task.create_second"]

        after = go_on(run, version(other_way), MigrationMap(items=swap)).state
        assert (after.items["task.create_second"].state, after.items["task.create_workspace"].state) == (
            "done",
            "waiting",
        )
        assert after.items["task.create_workspace"].request == 1

    def test_cannot_put_open_work_into_what_is_finished(self):
        def move(document):
            tasks = found(document, "milestone.kickoff_complete")["tasks"]
            found(document, "milestone.ready_to_start")["tasks"].append(tasks.pop(0))
            del tasks[0]["depends_on"]

        run = Run()
        run.until_workspace()
        assert [each.kind for each in look(run, version(move)).plan.problems] == ["overtaken"]


class TestClocks:
    def test_that_run_are_armed_once_more_and_the_old_ones_are_stale(self):
        run = Run()
        run.until_workspace()
        run = Run()
        run.accept()
        before = run.state
        armed = {name: timer for name, timer in before.timers.items() if timer.armed}
        decision = go_on(run, version(lambda document: None))
        started = of_type(decision, StartTimer)
        assert {each.timer: (each.due_at, each.version) for each in started} == {
            name: (timer.due_at, timer.version + 1) for name, timer in armed.items()
        }
        late = events.TimerFired(timer="kickoff_scheduled", rung=0, version=1)
        assert decide(run.definition, run.state, late, run.now + timedelta(days=30)).state is run.state

    def test_of_another_length_count_what_is_used_up(self):
        def longer(document):
            document["timers"][0]["ladder"][0]["after"] = {"business_days": 5}

        run = Run()
        run.accept()
        was = run.state.timers["kickoff_scheduled"].due_at
        after = go_on(run, version(longer)).state.timers["kickoff_scheduled"].due_at
        time = run.state.time_for("partner")
        assert time.business_between(was, after) == 2 * run.state.partner.day_length

    @pytest.mark.parametrize(("length", "more"), [(5, 2), (4, 1), (2, 0)])
    def test_that_are_overdue_have_only_what_another_length_gives_them(self, length, more):
        def other(document):
            document["timers"][0]["ladder"][0]["after"] = {"business_days": length}

        run = Run()
        run.accept()
        armed = run.state.timers["kickoff_scheduled"]
        run.now = (armed.due_at + timedelta(days=1)).replace(hour=12)
        after = go_on(run, version(other)).state.timers["kickoff_scheduled"].due_at
        time = run.state.time_for("partner")
        assert after == time.add_business(run.now, more * run.state.partner.day_length)

    def test_whose_rung_is_gone_end(self):
        def shorter(document):
            del document["timers"][0]["ladder"][1]

        run = Run()
        run.accept()
        armed = run.state.timers["kickoff_scheduled"]
        run.now = armed.due_at
        run.apply(events.TimerFired(timer="kickoff_scheduled", rung=0, version=armed.version))
        assert run.state.timers["kickoff_scheduled"].rung == 1
        decision = go_on(run, version(shorter))
        assert [each.timer for each in of_type(decision, CancelTimer)] == ["kickoff_scheduled"]
        assert not of_type(decision, StartTimer)

    def test_of_a_version_without_them_end_and_new_ones_begin(self):
        def other(document):
            document["timers"][0]["id"] = "kickoff_planned"

        run = Run()
        run.accept()
        decision = go_on(run, version(other))
        assert [each.timer for each in of_type(decision, CancelTimer)] == ["kickoff_scheduled"]
        assert [(each.timer, each.rung) for each in of_type(decision, StartTimer)] == [("kickoff_planned", 0)]
        assert not decision.state.timers["kickoff_scheduled"].armed

    def test_that_were_climbed_to_the_end_do_not_begin_again(self):
        run = Run()
        run.accept()
        for rung in (0, 1):
            armed = run.state.timers["kickoff_scheduled"]
            run.now = armed.due_at
            run.apply(events.TimerFired(timer="kickoff_scheduled", rung=rung, version=armed.version))
        assert not of_type(go_on(run, version(lambda document: None)), StartTimer)


class TestDates:
    def test_that_move_have_the_one_cause(self):
        run = Run()
        run.until_workspace()
        before = run.state
        decision = go_on(run, version(add_stage_before_rollout))
        assert {move.cause for move in decision.moves} == {"migrated"}
        for move in decision.moves:
            assert before.items[move.item].due_at == move.was if move.item in before.items else move.was is None
            assert decision.state.items[move.item].due_at == move.becomes
        assert "task.pilot" in {move.item for move in decision.moves}

    def test_of_new_steps_are_their_own_baseline(self):
        run = Run()
        run.accept()
        after = go_on(run, version(add_stage_before_rollout)).state
        assert after.plan is not None
        assert after.plan.baseline["task.pilot"] == after.items["task.pilot"].due_at


class TestWhoAndWhen:
    def propose(self, run: Run, new, reason: str = "Better."):
        plan = look(run, new).plan
        return run.apply(
            events.MigrationProposed(
                by=STAFF, definition=new.digest, version=new.version, plan=plan.address, reason=reason
            )
        )

    def agree(self, run: Run, new, **more):
        event = events.Migrated(
            by=more.pop("by", OTHER),
            before=run.definition.digest,
            definition=new.digest,
            version=new.version,
            reason="Better.",
            proposed_by="person:mara",
            **more,
        )
        known = {run.definition.digest: run.definition, new.digest: new}
        return decide_by(known.__getitem__, run.state, event, run.now)

    def test_another_person_agrees(self):
        run, new = Run(), version(rename_kickoff)
        self.propose(run, new)
        with pytest.raises(MigrationNotProposed):
            self.agree(run, new, by=STAFF)
        assert self.agree(run, new).state.migration is None

    def test_nobody_agrees_to_something_else(self):
        run, new = Run(), version(rename_kickoff)
        with pytest.raises(MigrationNotProposed):
            self.agree(run, new)
        self.propose(run, new)
        with pytest.raises(MigrationNotProposed):
            self.agree(run, new, map=RENAMED)
        with pytest.raises(MigrationNotProposed):
            self.agree(run, version(add_stage_first))
        with pytest.raises(MigrationNotProposed):
            go_on(run, new)

    def test_one_waits_at_a_time_and_can_be_declined(self):
        run, new = Run(), version(rename_kickoff)
        self.propose(run, new)
        with pytest.raises(MigrationWaits):
            self.propose(run, new)
        with pytest.raises(ReasonNeeded):
            run.apply(events.MigrationDeclined(by=OTHER, reason=" "))
        run.apply(events.MigrationDeclined(by=OTHER, reason="Not now."))
        with pytest.raises(MigrationNotProposed):
            run.apply(events.MigrationDeclined(by=OTHER, reason="Not now."))
        self.propose(run, new)

    def test_needs_a_reason_and_another_version(self):
        run, new = Run(), version(rename_kickoff)
        with pytest.raises(ReasonNeeded):
            self.propose(run, new, reason=" ")
        with pytest.raises(SameVersion):
            self.propose(run, managed_services())
        with pytest.raises(SameVersion):
            go_on(run, managed_services())

    def test_not_before_the_start_not_after_the_end_not_while_held_not_from_elsewhere(self):
        run, new = Run(), version(add_stage_first)
        event = wish(run, new)
        with pytest.raises(WrongDefinition):
            decide(run.definition, run.state, event, run.now)
        run.apply(events.Held(by=STAFF, reason_code="customer_no_response", reason="Wait."))
        with pytest.raises(OnHold):
            go_on(run, new)
        run.apply(events.Resumed(by=STAFF))
        go_on(run, new)
        with pytest.raises(WrongDefinition):
            decide_by({new.digest: new}.__getitem__, run.state, event, run.now)
        run.apply(events.Cancelled(by=STAFF, reason="Over."))
        with pytest.raises(OnboardingEnded):
            go_on(run, version(add_stage_before_rollout, "2.0.1"))

    def test_the_plan_has_one_address_while_work_goes_on(self):
        run, new = Run(), version(rename_kickoff)
        run.until_workspace()
        before = look(run, new, RENAMED).plan
        run.complete("task.kickoff", held_on="2026-03-09")
        assert look(run, new, RENAMED).plan.address == before.address
        assert look(run, version(add_stage_first), RENAMED).plan.address != before.address
