"""Tests and samples that cannot be read, or that name what is not there: each with its place."""

from __future__ import annotations

import pytest

from app.templates.rules import TemplateRefused
from app.templates.trials.reading import check_sample, read_sample, read_tests
from tests.unit.flow.running import managed_services

HEAD = 'slipway: "1"\n'


def refusals(read, text):
    with pytest.raises(TemplateRefused) as refused:
        read(text, "some.yaml")
    return refused.value.problems


def sample_problems(text):
    return check_sample(read_sample(HEAD + text, "sample.yaml"), managed_services())


class TestReadTests:
    @pytest.mark.parametrize(
        ("text", "word"),
        [
            ("tests: []\n", "[]"),
            ("tests:\n  - {name: a}\n", "“then” is missing"),
            ("tests:\n  - {name: a, then: {statuss: running}}\n", "Did you mean “status”?"),
            ("tests:\n  - {name: a, then: {status: runing}}\n", "Did you mean “running”?"),
            ("tests:\n  - {name: a, when: [{complete: task.a, answer: {}}], then: {status: running}}\n", "“answer”"),
            ("tests:\n  - {name: a, when: [{complet: task.a}], then: {status: running}}\n", "Did you mean “complete”?"),
            ("tests:\n  - {name: a, then: {items: {task.a: opened}}}\n", "“opened” is not one of: waiting, open,"),
            ("tests:\n  - {name: a, when: [{decide: gate.a}], then: {status: running}}\n", "“decision” is missing"),
            ("tests:\n  - {name: a, when: [{wait: {weeks: 1}}], then: {status: running}}\n", "“weeks”"),
            ("tests:\n  - {name: a, then: {status: running}, x: &a [*a]}\n", "Anchors"),
            ("tests:\n  - {name: a, name: b, then: {status: running}}\n", "written twice"),
            (
                "tests:\n  - {name: a, then: {status: running}}\n  - {name: a, then: {status: held}}\n",
                "A test of this name stands on line 3 already.",
            ),
        ],
    )
    def test_refuses_with_the_place(self, text, word):
        problems = refusals(read_tests, HEAD + text)
        assert any(word in str(problem) for problem in problems), problems
        assert all(problem.line > 1 for problem in problems)


class TestReadSample:
    def test_refuses_what_has_no_place_in_a_sample(self):
        [problem] = refusals(read_sample, HEAD + "input: {plan: team}\n")
        assert "Did you mean “inputs”?" in str(problem)


class TestCheckSample:
    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("inputs: {plna: team}\n", "There is no “plna” in this template. Did you mean “plan”?"),
            ("inputs: {plan: gold}\n", "This must be one of: starter, team, enterprise."),
            ("packet: {busines_outcome: x}\n", "Did you mean “business_outcome”?"),
            ("answers: {task.kickoff: {held_on: soon}}\n", "This must be a date such as 2026-01-31."),
            ("answers: {task.kikoff: {held_on: 2026-03-09}}\n", "There is no “held_on” in this template."),
            ("results: {task.create_workspace: {uri: x}}\n", "Did you mean “url”?"),
        ],
    )
    def test_tells_what_the_template_does_not_know(self, text, told):
        [problem] = sample_problems(text)
        assert told in str(problem)
        assert problem.line == 2

    def test_is_silent_where_all_fits(self):
        assert (
            sample_problems("inputs: {plan: team, seats: 3}\nanswers: {task.confirm_goals: {approved: true}}\n") == []
        )
