"""Conditional questions: what is asked depends on what was answered before, and only that is needed and kept."""

from __future__ import annotations

import pytest

from app.flow.fields import AnswersRefused, Value
from app.flow.questions import asked_of
from app.flow.simulate import walk
from app.flow.steps.facts import Facts
from tests.unit.flow.parts.small import SmallRun, milestone, refused, small, task

FORM = task(
    "ask",
    """fields: [
    {id: migrate, label: {en: M}, type: boolean},
    {id: source, label: {en: S}, type: select, required: true, when: answers.ask.migrate.given && answers.ask.migrate,
     options: [{id: old, label: {en: Old}}, {id: other, label: {en: Other}}]},
    {id: which, label: {en: W}, type: text, required: true, when: answers.ask.source == "other"},
    {id: big, label: {en: B}, type: text, when: inputs.seats > 100}]""",
    kind="form",
)


def run(**inputs: Value) -> SmallRun:
    return SmallRun(small(milestone("base", FORM)).compile(), **inputs)


def asked(answers: dict[str, Value], **inputs: Value) -> list[str]:
    started = run(**inputs)
    item = started.definition.items["task.ask"]
    return [field.id for field in asked_of(item, answers, Facts(started.definition, started.state))]


class TestAsked:
    @pytest.mark.parametrize(
        ("answers", "wanted"),
        [
            ({}, ["migrate"]),
            ({"migrate": False}, ["migrate"]),
            ({"migrate": True}, ["migrate", "source"]),
            ({"migrate": True, "source": "old"}, ["migrate", "source"]),
            ({"migrate": True, "source": "other"}, ["migrate", "source", "which"]),
            ({"source": "other"}, ["migrate"]),
        ],
    )
    def test_follows_what_was_answered_before(self, answers: dict[str, Value], wanted: list[str]):
        assert asked(answers) == wanted

    def test_knows_the_rest_of_the_onboarding(self):
        assert asked({}, seats=101) == ["migrate", "big"]


class TestCompleteTask:
    def test_needs_nothing_that_is_not_asked(self):
        started = run()
        started.complete("task.ask", migrate=False)
        assert started.item("task.ask").state == "done"

    def test_needs_what_is_asked(self):
        started = run()
        with pytest.raises(AnswersRefused) as refusal:
            started.complete("task.ask", migrate=True, source="other")
        assert refusal.value.errors == [("/answers/which", "This is needed.")]

    def test_leaves_out_the_answer_to_what_is_not_asked(self):
        started = run()
        started.complete("task.ask", migrate=False, source="other", which="The blue one")
        assert started.item("task.ask").answers == {"migrate": False}

    def test_refuses_an_answer_that_no_question_has(self):
        with pytest.raises(AnswersRefused):
            run().complete("task.ask", migrate=False, colour="blue")

    def test_is_answered_by_random_histories(self):
        definition = run().definition
        kept = [walk(definition, seed)[1].items["task.ask"].answers for seed in range(30)]
        assert any("which" in answers for answers in kept)
        assert all("which" not in answers or answers["source"] == "other" for answers in kept)


class TestQuestionOfATemplate:
    def test_knows_only_what_is_asked_before_it(self):
        late = FORM.replace('when: answers.ask.source == "other"', 'when: answers.ask.big == "other"')
        [problem] = refused(milestone("base", late))
        assert problem.message.startswith("“answers.ask.big” is asked here or later")

    def test_is_type_checked(self):
        [problem] = refused(milestone("base", FORM.replace("inputs.seats > 100", "inputs.seats")))
        assert problem.message == "A condition must be true or false, this is int."
