"""A value or an owner that the new version cannot hold: said with its item and its place, and settled by the map."""

from __future__ import annotations

from typing import Any

import pytest

from app.flow import events
from app.flow.events import MigrationMap
from app.flow.fields import Value
from app.flow.migration.mapping import Problem
from tests.unit.flow.migration.versions import Document, drop_kickoff, found, go_on, look, version
from tests.unit.flow.running import STAFF, Run

GONE = "There is no such field any more."
WORKSPACE = "task.create_workspace"
FLOOR = {"id": "floor", "label": {"en": "Floor"}, "type": "integer"}


def launched() -> Run:
    run = Run()
    run.until_launch()
    return run


def value(place: str, reason: str, item: str | None = None) -> Problem:
    return Problem(kind="value", place=f"/values/{place}", reason=reason, item=item)


def problems(run: Run, change, **values: Value) -> list[Problem]:
    wanted = MigrationMap(values={name.replace("__", "."): given for name, given in values.items()})
    return list(look(run, version(change), wanted).plan.problems)


def held_at_another_field(document: Document) -> None:
    found(document, "task.kickoff")["fields"][0]["id"] = "took_place_on"


def another_result(document: Document) -> None:
    found(document, WORKSPACE)["action"]["outputs"][0]["type"] = "integer"


def other_facts(document: Document) -> None:
    """A plan is not sold any more, and a fact of the packet is not asked for."""
    plans = next(each for each in document["inputs"] if each["id"] == "plan")["options"]
    plans[:] = [plan for plan in plans if plan["id"] != "team"]
    fields = document["handoff"]["fields"]
    document["handoff"]["fields"] = [field for field in fields if field["id"] != "renewal_signal"]
    found(document, "gate.handoff_quality")["shows"].remove("packet.renewal_signal")


class TestAValue:
    def test_of_an_item_is_told_with_the_item(self):
        run = launched()
        assert problems(run, held_at_another_field) == [value("answers.kickoff.held_on", GONE, "task.kickoff")]
        text = "This must be a whole number."
        assert problems(run, another_result) == [value("results.create_workspace.id", text, WORKSPACE)]

    def test_of_the_whole_onboarding_is_told_without_one(self):
        assert problems(launched(), other_facts) == [
            value("inputs.plan", "This must be one of: starter, enterprise."),
            value("packet.renewal_signal", GONE),
        ]

    def test_is_settled_beside_others(self):
        assert problems(launched(), other_facts, inputs__plan="starter", packet__renewal_signal=None) == []

    def test_may_only_be_left_out_where_its_field_is_gone(self):
        run = launched()
        told = value("answers.kickoff.held_on", f"{GONE[:-1]}; leave it out.", "task.kickoff")
        assert problems(run, held_at_another_field, answers__kickoff__held_on="2026-03-10") == [told]
        assert problems(run, held_at_another_field, answers__kickoff__held_on=None) == []

    def test_of_an_item_takes_the_place_of_what_was_there_and_that_is_kept(self):
        run = launched()
        wanted = MigrationMap(values={"results.create_workspace.id": 7})
        assert look(run, version(another_result), wanted).plan.values == ("results.create_workspace.id",)
        after = go_on(run, version(another_result), wanted).state
        assert after.items[WORKSPACE].result == {"id": 7}
        assert after.migrations[-1].values == {"results.create_workspace.id": "ws-1"}

    def test_that_gives_way_leaves_all_others_as_they_are(self):
        def fewer(document: Document) -> None:
            found(document, "task.assign_team")["fields"].pop()

        run = launched()
        before = run.item("task.assign_team").answers
        [problem] = problems(run, fewer)
        place = problem.place.removeprefix("/values/")
        after = go_on(run, version(fewer), MigrationMap(values={place: None})).state
        name = place.rpartition(".")[2]
        assert name in before
        assert after.items["task.assign_team"].answers == {key: said for key, said in before.items() if key != name}

    def test_of_what_comes_back_is_looked_at_as_well(self):
        run = launched()
        go_on(run, version(drop_kickoff), MigrationMap(dropped=("task.kickoff",)))
        again = version(held_at_another_field, "3.0.0")
        expected = [value("answers.kickoff.held_on", GONE, "task.kickoff")]
        assert list(look(run, again).plan.problems) == expected


def asking(**more: Any):
    """The new version has another input."""

    def change(document: Document) -> None:
        document["inputs"].append(FLOOR | more)

    return change


class TestWhatIsNeededNow:
    def test_is_told_until_it_is_given(self):
        run, change = launched(), asking(required=True)
        assert problems(run, change) == [value("inputs.floor", "This is needed now.")]
        left_out = value("inputs.floor", "This is needed; it cannot be left out.")
        assert problems(run, change, inputs__floor=None) == [left_out]
        assert problems(run, change, inputs__floor="x") == [value("inputs.floor", "This must be a whole number.")]
        assert problems(run, change, inputs__floor=3) == []

    @pytest.mark.parametrize(
        ("more", "floor"), [({"default": 4, "required": True}, 4), ({"default": 0}, 0), ({}, None)]
    )
    def test_is_nothing_that_has_a_default_or_may_be_empty(self, more: dict[str, Any], floor: int | None):
        run = launched()
        before = dict(run.state.inputs)
        after = go_on(run, version(asking(**more))).state
        assert after.inputs == before | ({} if floor is None else {"floor": floor})

    def test_is_not_what_somebody_gave_once(self):
        run = launched()
        go_on(run, version(asking(required=True)), MigrationMap(values={"inputs.floor": 3}))
        assert look(run, version(asking(required=True, default=9), "3.0.0")).plan.problems == ()
        assert go_on(run, version(asking(required=True, default=9), "3.0.0")).state.inputs["floor"] == 3


def given_to_the_customer(document: Document) -> None:
    found(document, "task.kickoff").update(side="customer", owner="customer_owner")


class TestAnOwner:
    place = "owner.task.kickoff"

    def owned(self) -> Run:
        run = Run()
        run.until_workspace()
        run.apply(events.OwnerAssigned(by=STAFF, item="task.kickoff", person="p-1"))
        return run

    @pytest.mark.parametrize("wanted", [{}, {place: "p-2"}], ids=["nothing said", "another owner"])
    def test_of_the_other_side_is_told_until_the_map_lets_go_of_it(self, wanted: dict[str, Value]):
        run = self.owned()
        reason = "It belongs to the customer now, and its owner is of the other side."
        expected = Problem(kind="owner", place=f"/values/{self.place}", reason=reason, item="task.kickoff")
        assert look(run, version(given_to_the_customer), MigrationMap(values=wanted)).plan.problems == (expected,)

    def test_of_what_is_finished_stays(self):
        run = self.owned()
        run.complete("task.kickoff", held_on="2026-03-09")
        assert go_on(run, version(given_to_the_customer)).state.items["task.kickoff"].assignee == "p-1"

    def test_of_the_same_side_stays_without_a_word(self):
        run = self.owned()
        assert go_on(run, version(held_at_another_field)).state.items["task.kickoff"].assignee == "p-1"
