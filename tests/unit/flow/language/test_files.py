"""Tasks that ask for files: their rules, what criteria read of them, and that they come to an end."""

from __future__ import annotations

import pytest

from app.flow.fields import AnswersRefused, as_criterion_value
from app.flow.simulate import simulate
from app.flow.simulation.files import handed_over
from tests.unit.flow.parts.small import SmallRun, milestone, refused, small, task

SLOTS = (
    "files: [{id: diagram, label: {en: Diagram}, accept: [pdf], at_most: 2},"
    " {id: samples, label: {en: Samples}, accept: [csv, xlsx], at_least: 0, at_most: 3}]"
)
SEND = task("send", f"{SLOTS}, fields: [{{id: note, label: {{en: Note}}, type: text}}]", kind="file", owner="client")
MORE = task("more", "when: answers.send.samples.given && answers.send.samples >= 2, depends_on: [task.send]")


def definition(*tasks: str):
    return small(milestone("base", *tasks)).compile()


class TestCompletion:
    def test_takes_references_alone_and_counts_them(self):
        run = SmallRun(definition(SEND, MORE))
        run.complete("task.send", diagram=handed_over(1), samples=handed_over(2), note="As of May")
        assert run.state.items["task.send"].answers["samples"] == handed_over(2)
        assert run.state.items["task.more"].state == "open"

    def test_reads_one_that_nobody_handed_over_as_none(self):
        run = SmallRun(definition(SEND, MORE))
        run.complete("task.send", diagram=handed_over(2))
        assert run.state.items["task.more"].state == "skipped"

    @pytest.mark.parametrize(
        ("answers", "place"),
        [
            ({}, "/answers/diagram"),
            ({"diagram": handed_over(3)}, "/answers/diagram"),
            ({"diagram": "contract.pdf"}, "/answers/diagram"),
            ({"diagram": handed_over(1), "samples": "../../etc/passwd"}, "/answers/samples"),
        ],
    )
    def test_refuses_what_does_not_fit_its_rules(self, answers, place):
        run = SmallRun(definition(SEND))
        with pytest.raises(AnswersRefused) as trouble:
            run.complete("task.send", **answers)
        assert [where for where, _ in trouble.value.errors] == [place]

    def test_gives_criteria_a_number(self):
        field = definition(SEND).fields["answers.send.samples"]
        assert as_criterion_value(field, handed_over(3)) == 3

    def test_comes_to_an_end_in_every_history(self):
        report = simulate(definition(SEND, MORE), histories=30, seed=7)
        assert report.dead_ends == ()


class TestLint:
    @pytest.mark.parametrize(
        ("written", "words"),
        [
            (task("send", kind="file", owner="client"), ("A file task needs files.", "Add files:")),
            (SEND.replace("kind: file", "kind: form"), ("Only a task of the kind file", "Set kind: file")),
            (SEND.replace("accept: [pdf]", "accept: [pfd]"), ("“pfd” is not one of: pdf", "Did you mean “pdf”?")),
            (SEND.replace("accept: [pdf]", "accept: [html]"), ("“html” is not one of",)),
            (SEND.replace("at_most: 2", "at_least: 3, at_most: 2"), ("nobody can hand that over", "at_most to 3")),
            (SEND.replace("at_most: 2", "at_most: 2, max_mb: 5000"), ("200",)),
            (SEND.replace("id: note", "id: diagram"), ("is called “diagram” too", "another id")),
            (SEND.replace("id: samples", "id: diagram"), ("in this list twice",)),
        ],
    )
    def test_says_where_and_what_to_do(self, written, words):
        problems = refused(milestone("base", written))
        assert problems
        assert all(any(word in str(problem) for problem in problems) for word in words), problems
        assert all(problem.line > 1 for problem in problems)

    def test_knows_the_names_of_a_file_task(self):
        wrong = task("more", "when: answers.send.sample.given")
        [problem] = refused(milestone("base", SEND, wrong))
        assert "Did you mean “answers.send.samples.given”?" in str(problem)
