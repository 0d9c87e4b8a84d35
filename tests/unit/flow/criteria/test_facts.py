"""What criteria read: each declared name, from where its value is kept."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from app.flow.definition import Definition
from app.flow.parts.unfolding import unfold
from app.flow.state import State
from app.flow.steps.facts import Facts
from tests.unit.flow.parts.small import SmallRun, milestone, small, task
from tests.unit.flow.running import Run

VISIT = task("visit", "fields: [{id: good, label: {en: Good}, type: boolean}]", kind="form")
SITE = milestone("site", VISIT, more="repeat: {for_each: inputs.sites, at_most: 3}")
SITES = "- {id: sites, label: {en: Sites}, type: list}"


class TestWords:
    @pytest.mark.parametrize(
        ("state", "true"),
        [
            ("waiting", set()),
            ("open", set()),
            ("blocked", set()),
            ("done", {"finished", "settled"}),
            ("skipped", {"skipped", "settled"}),
            ("not_needed", {"settled"}),
            ("cancelled", set()),
        ],
    )
    def test_say_how_an_item_ended(self, state: str, true: set[str]):
        run = Run()
        items = run.state.items | {"task.kickoff": msgspec.structs.replace(run.item("task.kickoff"), state=state)}
        facts = Facts(run.definition, msgspec.structs.replace(run.state, items=items))
        words = {"finished", "skipped", "settled"}
        assert {word for word in words if facts.get(f"task.kickoff.{word}") is True} == true
        assert {word for word in words if facts.get(f"task.kickoff.{word}") is False} == words - true

    def test_say_whether_a_value_was_given(self):
        run = Run()
        run.until_launch()
        facts = Facts(run.definition, run.state)
        assert (facts.get("inputs.seats"), facts.get("inputs.seats.given")) == (40, True)
        assert facts.get("packet.business_outcome.given") is True
        assert facts.get("answers.describe_environment.sites") == 2
        assert facts.get("answers.describe_environment.sites.given") is True
        assert facts.get("answers.kickoff.held_on") == datetime(2026, 3, 9, tzinfo=UTC)
        assert facts.get("answers.train_staff.people") is None
        assert facts.get("answers.train_staff.people.given") is False
        assert facts.get("onboarding.reference") == "onboarding-1"

    def test_of_nothing_are_no_value(self):
        run = Run()
        facts = Facts(run.definition, State(definition=run.definition.digest))
        assert facts.get("onboarding.reference") is None
        assert facts.get("task.kickoff.finished") is None
        assert facts.get("part.name") is None


class TestInsideOfOneOfSeveral:
    def run(self) -> SmallRun:
        run = SmallRun(small(SITE + milestone("after", task("report")), inputs=SITES).compile(), sites="Rome\nOslo")
        run.complete("task.visit#2", good=True)
        run.complete("task.report")
        return run

    def test_a_name_of_the_part_means_this_one_and_any_other_what_it_always_means(self):
        run = self.run()
        facts = Facts(unfolded(run), run.state)
        seen = {}
        for number in (1, 2):
            inside = facts.of(unfolded(run).items[f"task.visit#{number}"])
            seen[number] = tuple(inside.get(name) for name in NAMES)
        assert seen == {1: ("Rome", False, None, True), 2: ("Oslo", True, True, True)}

    def test_outside_of_it_there_is_no_one_of_them(self):
        run = self.run()
        facts = Facts(unfolded(run), run.state)
        assert facts.of(unfolded(run).items["task.report"]) is facts
        assert tuple(facts.get(name) for name in NAMES) == (None, None, None, True)


NAMES = ("part.name", "task.visit.finished", "answers.visit.good", "task.report.finished")


def unfolded(run: SmallRun) -> Definition:
    """The definition with an item for each."""
    return unfold(run.definition, run.state.parts)
