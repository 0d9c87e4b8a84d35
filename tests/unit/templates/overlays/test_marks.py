"""The marks of a patch: where elements go, and what contradicts itself."""

from __future__ import annotations

import pytest

from app.templates.rules import TemplateRefused
from tests.unit.templates.merging.versions import of_task
from tests.unit.templates.samples import merged, overlay, refusals

NEW = 'kind: message, title: {en: "Q", de: "Q", ar: "Q"}, owner: csm'


def order(patch: str) -> list[str]:
    return [stage["id"] for stage in merged(f"stages: [{patch}]").document["stages"]]


class TestPosition:
    @pytest.mark.parametrize(
        ("mark", "wanted"),
        [
            ("$first: true", ["value", "handoff", "preparation", "rollout"]),
            ("$after: handoff", ["handoff", "value", "preparation", "rollout"]),
            ("$before: rollout", ["handoff", "preparation", "value", "rollout"]),
            ("$last: true", ["handoff", "preparation", "rollout", "value"]),
        ],
    )
    def test_is_said_in_four_ways(self, mark, wanted):
        assert order(f"{{id: value, {mark}}}") == wanted

    def test_of_a_new_one_is_the_end_unless_it_is_said(self):
        for mark, place in [("", -1), (", $last: true", -1), (", $before: announce", 1), (", $first: true", 0)]:
            document = merged(of_task(f"$add: true{mark}, {NEW}", "quiz")).document
            tasks = next(each for each in document["stages"] if each["id"] == "rollout")["milestones"]
            ready = next(each for each in tasks if each["id"] == "people_ready")["tasks"]
            assert ready[place]["id"] == "quiz"

    def test_beside_what_is_not_there_is_told_with_a_fix(self):
        problem = refusals("stages: [{id: value, $before: rolout}]")[0]
        assert (problem.message, problem.fix) == ("There is no “rolout” beside it.", "Did you mean “rollout”?")


class TestRefused:
    @pytest.mark.parametrize(
        ("patch", "word"),
        [
            ("stages: [{id: value, $first: true, $last: true}]", "both say where it goes"),
            ("stages: [{id: value, $first: false}]", "“$first” must be true"),
            ("stages: [{id: value, $after: true}]", "must be the id of an element"),
            ("stages: [{id: value, $afer: handoff}]", "Did you mean “$after”?"),
            ("stages: [{id: value, $remove: true, $first: true}]", "taken out cannot have a “$first”"),
            ("stages: [{id: value, $remove: true, owner: csm}]", "taken out cannot have a “owner”"),
            ("handoff: {$remove: true}", "To take a value out, say null."),
            ("stages: [{id: value, owner: csm}, {id: value, slo: null}]", "is in this list twice"),
            (of_task(f"$add: true, {NEW}, fields: [{{id: a, $add: true}}]", "quiz"), "new as a whole"),
        ],
    )
    def test_is_what_contradicts_itself(self, patch, word):
        with pytest.raises(TemplateRefused) as refused:
            overlay(patch)
        problem = refused.value.problems[0]
        assert word in str(problem)
        assert (problem.file, problem.line) == ("overlay.yaml", 7)

    def test_is_a_new_one_without_what_it_needs(self):
        problem = refusals(of_task("$add: true, kind: message", "quiz"))[0]
        assert "is missing here" in problem.message
        assert problem.file == "overlay.yaml"
