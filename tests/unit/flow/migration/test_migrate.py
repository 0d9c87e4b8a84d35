"""What a migration takes over beside the items: exceptions, proposals, reminders, facts, dates; what it refuses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from app.flow import events
from app.flow.commands import CancelReminder, ChangeException, StartReminder
from app.flow.events import MigrationMap
from app.flow.migration.asking import check_reason
from app.flow.migration.mapping import Problem, has_work_on_it
from app.flow.migration.migrate import MigrationRefused
from app.flow.state import Plan, Proof
from app.flow.steps.draft import LONGEST_STATEMENT
from app.flow.steps.work import ReasonNeeded
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
from tests.unit.flow.running import STAFF, Run, full_packet, managed_services, of_type

NEW = "2.0.0"
OLD = managed_services().version


def same(number: str = NEW):
    return version(lambda document: None, number)


def at_work() -> Run:
    run = Run()
    run.until_workspace()
    return run


def problem(place: str, reason: str, item: str | None = None) -> Problem:
    return Problem(kind="map", place=place, reason=reason, item=item)


class TestMap:
    @pytest.mark.parametrize(
        ("wanted", "problems"),
        [
            (
                MigrationMap(items={"task.none": "task.kickoff"}),
                [problem("/items/task.none", f"Version {OLD} has no “task.none”.")],
            ),
            (
                MigrationMap(items={"task.kickoff": "task.none"}),
                [problem("/items/task.kickoff", f"Version {NEW} has no “task.none”.", "task.kickoff")],
            ),
            (
                MigrationMap(items={"task.kickoff": "stage.value"}),
                [problem("/items/task.kickoff", "A task cannot go on as a stage.", "task.kickoff")],
            ),
            (
                MigrationMap(items={"task.kickoff": "task.announce"}),
                [
                    problem(
                        "/items/task.announce",
                        "“task.kickoff” and “task.announce” cannot both go on as “task.announce”. "
                        "Name another place for one of them.",
                        "task.announce",
                    )
                ],
            ),
            (
                MigrationMap(dropped=("task.none",)),
                [problem("/dropped/task.none", f"Version {OLD} has no “task.none”.")],
            ),
            (
                MigrationMap(items={"task.kickoff": "task.kickoff"}, dropped=("task.kickoff",)),
                [
                    problem("/dropped/task.kickoff", "It is mapped and left out.", "task.kickoff"),
                    problem(
                        "/dropped/task.kickoff",
                        "The new version has this item too, and what is finished does not begin again.",
                        "task.kickoff",
                    ),
                ],
            ),
            (
                MigrationMap(values={"answers.kickoff.held_on": "2026-01-01"}),
                [problem("/values/answers.kickoff.held_on", "Nothing has to be settled there.")],
            ),
        ],
        ids=[
            "not there before",
            "not there after",
            "another kind",
            "two for one",
            "not there to drop",
            "both",
            "value",
        ],
    )
    def test_is_told_what_is_wrong_where_and_with_which_item(self, wanted: MigrationMap, problems: list[Problem]):
        run = Run()
        run.accept()
        assert list(look(run, same(), wanted).plan.problems) == problems


class TestReason:
    def test_is_as_long_as_may_be_and_no_longer(self):
        check_reason("x" * LONGEST_STATEMENT)
        with pytest.raises(ReasonNeeded, match="2000"):
            check_reason("x" * (LONGEST_STATEMENT + 1))


class TestRefusal:
    def test_says_the_first_point_by_its_item_or_else_by_its_place(self):
        run = Run()
        run.until_launch()
        for change, wanted, said in (
            (drop_kickoff, None, "task.kickoff: Work is on it and the new version does not have it."),
            (
                rename_kickoff,
                MigrationMap(items=RENAMED.items, dropped=("task.none",)),
                f"/dropped/task.none: Version {OLD} has no “task.none”.",
            ),
        ):
            with pytest.raises(MigrationRefused) as refused:
                go_on(run, version(change), wanted)
            assert str(refused.value).endswith(f"; {said}")
            assert str(refused.value).startswith(f"{len(refused.value.errors)} point")
            assert str(refused.value).startswith("1 point has ") == (len(refused.value.errors) == 1)

    def test_is_foreseen_by_the_dry_run_which_else_decides_the_same(self):
        run = Run()
        run.until_launch()
        assert look(run, version(drop_kickoff)).decision is None
        new = version(rename_kickoff)
        assert look(run, new, RENAMED).decision == go_on(run, new, RENAMED)


class TestWork:
    @pytest.mark.parametrize(
        ("done", "is_work"),
        [
            ({}, False),
            ({"state": "open"}, True),
            ({"assignee": "p-1"}, True),
            ({"answers": {"a": 1}}, True),
            ({"result": {"a": 1}}, True),
            ({"evidence": Proof(statement="Seen.")}, True),
            ({"request": 1}, True),
        ],
        ids=str,
    )
    def test_is_whatever_somebody_did_to_an_item(self, done: dict[str, Any], *, is_work: bool):
        run = Run()
        item = msgspec.structs.replace(run.item("task.announce"), **done)
        state = msgspec.structs.replace(run.state, items={"task.announce": item})
        assert has_work_on_it(state, "task.announce") == is_work
        assert has_work_on_it(msgspec.structs.replace(state, plan=None), "task.announce") == is_work

    def test_is_a_day_that_somebody_chose(self):
        run = Run()
        plan = Plan(pins={"task.announce": run.now.date()})
        state = msgspec.structs.replace(run.state, plan=plan)
        assert [has_work_on_it(state, key) for key in ("task.announce", "task.kickoff")] == [True, False]


class TestExceptions:
    def test_of_the_engine_end_and_what_still_fails_is_said_anew(self):
        packet = full_packet(managed_services())
        del packet["legal_account_name"]
        run = Run(packet)
        run.apply(events.GateDecided(by=STAFF, gate="gate.handoff_quality", decision="proceed", reason="It comes."))
        run.complete("task.assign_team", engineer="Ada", fallback="Bo")
        run.complete("task.confirm_billing", entity_matches=True, plan_matches=True, bill_to_known=True)
        run.complete("task.schedule_kickoff", kickoff_on="2026-03-09")
        run.describe()
        [before] = run.state.open_exceptions("task.create_workspace")
        after = go_on(run, same()).state
        closed = after.exceptions[before.id]
        assert (closed.resolution, closed.resolved_by) == ("close", "system")
        [again] = after.open_exceptions("task.create_workspace")
        assert (again.id != before.id, again.note) == (True, before.note)

    def test_that_go_on_as_they_are_are_not_told_again(self):
        run = at_work()
        run.apply(events.ExceptionRaised(by=STAFF, item="task.kickoff", **BILLING))
        before = run.state.exceptions
        decision = go_on(run, same())
        assert (decision.state.exceptions, of_type(decision, ChangeException)) == (before, [])

    @pytest.mark.parametrize(
        ("change", "wanted", "item"),
        [
            (rename_kickoff, RENAMED, "task.first_meeting"),
            (drop_kickoff, MigrationMap(dropped=("task.kickoff",)), "task.kickoff"),
            (add_stage_before_rollout, None, "task.kickoff"),
        ],
        ids=["renamed", "dropped", "as it was"],
    )
    def test_that_are_over_follow_their_item_and_are_told_to_nobody(self, change, wanted: MigrationMap, item: str):
        run = at_work()
        run.apply(events.ExceptionRaised(by=STAFF, item="task.kickoff", **BILLING))
        number = "task.kickoff#1"
        run.apply(events.ExceptionResolved(by=STAFF, exception=number, resolution="close", reason="It is over."))
        before = run.state.exceptions["task.kickoff#1"]
        decision = go_on(run, version(change), wanted)
        assert decision.state.exceptions["task.kickoff#1"] == msgspec.structs.replace(before, item=item)
        assert not of_type(decision, ChangeException)

    def test_stay_with_whom_somebody_has_given_them_to(self):
        run = at_work()
        run.apply(events.ExceptionRaised(by=STAFF, item="task.kickoff", **BILLING))
        number = "task.kickoff#1"
        given = events.ExceptionReassigned(by=STAFF, exception=number, role="csm", person=None, reason="Theirs.")
        run.apply(given)
        assert run.definition.exceptions[BILLING["type"]].route != ("csm",)
        assert go_on(run, version(rename_kickoff), RENAMED).state.exceptions[number].route == ("csm",)

    @pytest.mark.parametrize(("stage", "becomes"), [("stage.preparation", "stage.set_up"), ("stage.handoff",) * 2])
    def test_keep_what_waits_for_another_person_and_to_where_it_rolls_back(self, stage: str, becomes: str):
        def rename(document):
            found(document, "stage.preparation")["id"] = "set_up"

        run = at_work()
        run.apply(events.ActionUnknown(task="task.create_workspace", request=1, error="Nobody knows."))
        [trouble] = run.state.open_exceptions("task.create_workspace")
        back = events.ExceptionResolved(
            by=STAFF, exception=trouble.id, resolution="roll_back", stage=stage, reason="Once more."
        )
        run.apply(events.ExceptionResolutionProposed(by=STAFF, proposed=back))
        before = run.state.exceptions[trouble.id].proposal
        assert before is not None
        after = go_on(run, version(rename), MigrationMap(items={"stage.preparation": "stage.set_up"})).state
        expected = msgspec.structs.replace(before, resolved=msgspec.structs.replace(before.resolved, stage=becomes))
        assert after.exceptions[trouble.id].proposal == expected


class TestReminders:
    def test_go_on_with_their_item_and_are_armed_anew_under_another_key(self):
        run = at_work()
        before = run.state.reminders
        assert before["task.kickoff"].armed
        decision = go_on(run, version(rename_kickoff), RENAMED)
        after = decision.state.reminders
        assert "task.kickoff" not in after
        known = before["task.kickoff"]
        assert after["task.first_meeting"] == msgspec.structs.replace(known, version=known.version + 1)
        assert [each.item for each in of_type(decision, StartReminder)] == ["task.first_meeting"]
        assert not of_type(decision, CancelReminder)
        for key in before.keys() - {"task.kickoff"}:
            assert after[key] == before[key]


class TestFacts:
    def test_that_were_corrected_are_known_as_such(self):
        run = Run()
        for name in ("renewal_signal", "business_outcome"):
            run.apply(events.PacketChanged(by=STAFF, facts={name: "Something else"}, source="sales"))
        run.accept()

        def fewer(document):
            fields = document["handoff"]["fields"]
            document["handoff"]["fields"] = [field for field in fields if field["id"] != "renewal_signal"]
            found(document, "gate.handoff_quality")["shows"].remove("packet.renewal_signal")

        wanted = MigrationMap(values={"packet.renewal_signal": None})
        assert go_on(run, version(fewer), wanted).state.corrected == ("business_outcome",)


class TestDates:
    def test_that_it_moves_are_told_with_what_they_were(self):
        run = at_work()
        before = run.state.items
        decision = go_on(run, version(add_stage_before_rollout))
        fresh = {"stage.pilot", "milestone.pilot_done", "task.pilot"}
        assert fresh <= {move.item for move in decision.moves}
        for move in decision.moves:
            assert move.was == (None if move.item in fresh else before[move.item].due_at)
            assert (move.becomes, move.cause) == (decision.state.items[move.item].due_at, "migrated")

    def test_of_what_comes_after_something_new_are_put_off_and_told_with_what_they_were(self):
        def take_time(document):
            add_stage_before_rollout(document)
            found(document, "task.pilot")["due"] = {"business_days": 5}

        run = at_work()
        before = run.state.items
        moves = {move.item: move for move in go_on(run, version(take_time)).moves}
        assert {"stage.rollout", "task.deploy_agents", "milestone.first_ticket_solved"} <= moves.keys()
        for key in moves.keys() & before.keys():
            was = moves[key].was
            assert was is not None
            assert was == before[key].due_at
            assert was < moves[key].becomes

    def test_that_do_not_follow_stay_and_only_what_is_new_gets_one(self):
        run = at_work()
        run.state = msgspec.structs.replace(run.state, plan=None)
        run.now += timedelta(days=20)
        before = run.state.items
        decision = go_on(run, version(add_stage_before_rollout))
        assert {move.item for move in decision.moves} == {"stage.pilot", "milestone.pilot_done", "task.pilot"}
        assert all(move.was is None for move in decision.moves)
        assert {key: decision.state.items[key].due_at for key in before} == {
            key: item.due_at for key, item in before.items()
        }
