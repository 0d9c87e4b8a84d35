"""Forms that change a text: one line for one change, nothing else touched, and nothing lost when it cannot be made."""

from __future__ import annotations

import difflib

import pytest

from app.kernel.errors import SlipwayError
from app.templates.document import read_yaml
from app.templates.rules import TemplateRefused
from app.templates.studio.editing.applying import Wish, edited
from app.templates.studio.editing.changing import ElementGone, NameTaken
from app.templates.studio.editing.elements import elements_of
from app.templates.studio.editing.forms import FieldsWrong
from app.templates.studio.starting import skeleton

TEXT = skeleton()
TASK = "stages.preparation.milestones.known.tasks.describe"


def change(at: str, do: str = "", *, text: str = TEXT, saved: str = TEXT, **typed: str) -> tuple[list[str], str]:
    """The lines that differ after a wish, and the element that is shown then; names have _ where forms have dots."""
    sent = {"of." + name.replace("__", "."): value for name, value in typed.items()}
    made, shown = edited(saved, text, Wish(at, do, sent))
    lines = difflib.unified_diff(text.splitlines(), made.splitlines(), n=0, lineterm="")
    return [line[0] + line[1:].strip() for line in lines if line[:3] not in {"+++", "---"} and line[0] in "+-"], shown


class TestFields:
    @pytest.mark.parametrize(
        ("at", "typed", "lines"),
        [
            (TASK, {"title__en": "Say"}, ['-title: {en: "Tell us how you work today"}', "+title: {en: Say}"]),
            (TASK, {"due": "4", "due__unit": "business_hours"},
             ["-due: {business_days: 2}", "+due: {business_hours: 4}"]),
            (TASK, {"due": "", "due__unit": "business_days"}, ["-due: {business_days: 2}"]),
            (TASK, {"optional": "true"}, ["+optional: true"]),
            (TASK, {"depends_on": "gate.handoff\ntask.x"}, ["+depends_on: [gate.handoff, task.x]"]),
            (TASK, {"help__en": "Once:\r\n# twice"}, ['+help: {en: "Once:\\n# twice"}']),
            ("stages.delivery", {"exit__compliance": "milestone.set_up.done"},
             ["-exit: milestone.first_use.done",
              "+exit: {business: milestone.first_use.done, compliance: milestone.set_up.done}"]),
            ("roles.engineer", {"fallback": ""},
             ['-- {id: engineer, label: {en: "Engineer"}, side: partner, fallback: onboarding_lead}',
              '+- {id: engineer, label: {en: "Engineer"}, side: partner}']),
            ("", {"title__en": "X"},
             ['-title: {en: "Our onboarding"}  # texts are one sentence a language',
              "+title: {en: X}  # texts are one sentence a language"]),
        ],
    )  # fmt: skip
    def test_change_their_own_words_only(self, at: str, typed: dict[str, str], lines: list[str]):
        shown = {"due": "2", "due__unit": "business_days"} if at == TASK and "due" not in typed else {}
        if at == "stages.delivery":
            shown = {"exit__business": "milestone.first_use.done"}
        assert change(at, **(shown | typed)) == (lines, at)

    def test_that_nobody_touched_stay_as_the_source_has_them_now(self):
        typed_meanwhile = TEXT.replace(
            "due: {business_days: 2}\n            fields", "due: {business_days: 9}\n            fields"
        )
        lines, _ = change(TASK, text=typed_meanwhile, due="2", due__unit="business_days", owner="engineer")
        assert lines == ["-owner: customer_owner", "+owner: engineer"]

    def test_say_which_of_them_is_wrong(self):
        with pytest.raises(FieldsWrong) as trouble:
            change(TASK, due="soon")
        assert [place for place, _ in trouble.value.errors] == ["of.due"]


class TestShortNames:
    def test_take_along_what_refers_to_them(self):
        lines, shown = change(TASK, id="tell")
        assert shown.endswith(".tasks.tell")
        assert "-- id: describe" in lines
        assert "+item: task.tell" in lines
        assert not [line for line in lines if line.startswith("+") and "describe" in line]
        lines, _ = change("roles.engineer", id="technician")
        assert len(lines) == 2 * (1 + 4)  # itself, two owners of steps, one of a stage, one route

    def test_of_a_neighbour_are_refused(self):
        with pytest.raises(NameTaken):
            change("roles.engineer", id="cs_leader")


class TestElements:
    def test_are_added_with_what_a_new_one_needs(self):
        lines, shown = change("stages.delivery", "add:milestones")
        assert shown == "stages.delivery.milestones.new_milestone"
        assert all(line.startswith("+") for line in lines)
        assert "+owner: engineer" in lines
        twice = edited(TEXT, edited(TEXT, TEXT, Wish("", "add:stages"))[0], Wish("roles.engineer", "add:stages@"))
        assert twice[1] == "stages.new_stage_2"

    def test_are_moved_with_their_comments(self):
        text = TEXT.replace("  - id: delivery", "  # the second\n  - id: delivery")
        made, _ = edited(text, text, Wish("stages.delivery", "up"))
        assert made.index("# the second\n  - id: delivery") < made.index("- id: preparation")
        assert sorted(made.splitlines()) == sorted(text.splitlines())
        assert edited(text, text, Wish("stages.preparation", "up"))[0] == text

    def test_without_a_short_name_are_known_by_their_place(self):
        lines, _ = change("timers.answers.ladder.0", message__en="Hey")
        assert len(lines) == 2
        lines, shown = change("timers.answers.ladder.1", "remove")
        assert shown == "timers.answers"
        assert len(lines) == 2
        assert all(line.startswith("-") for line in lines)

    def test_that_are_gone_are_refused(self):
        for do in ("", "up", "remove", "add:tasks"):
            with pytest.raises(ElementGone):
                change("stages.gone", do, title__en="X")
        with pytest.raises(ElementGone):
            change("", "remove")


class TestTexts:
    @pytest.mark.parametrize("text", ["a: [", "", "- x", "a: &b 1", "a: 1\na: 2", "x" * 250_001])
    def test_that_cannot_be_read_are_left_alone(self, text: str):
        with pytest.raises(TemplateRefused):
            edited(text, text, Wish("", "add:stages"))

    @pytest.mark.parametrize(
        "text",
        [
            "stages: {}\nroles: 3\n",
            "stages: [1, [2], {id: 3}, {id: a}, {id: a}]\nroles: [{id: x.y}]\n",
            "{stages: [{id: a, title: {en: x}, milestones: []}]}",
            "stages:\n- id: a\n  title: >-\n    folded\n\n    text\n  owner: x # mine\n# end",
            "? stages\n: - {id: a}\n",
            "\ufeffstages:\n  -\n    id: a\n    title: {en: A}\n",
        ],
    )
    def test_of_every_shape_say_what_was_wanted_or_are_refused_by_name(self, text: str):
        found = [each.at for each in elements_of(read_yaml(text, "").document)]
        for at in found:
            for do in ("", "up", "down", "remove", "add:milestones", "add:stages"):
                try:
                    made, _ = edited(text, text, Wish(at, do, {"of.title.en": "New: # words", "of.owner": "lead"}))
                except SlipwayError:
                    continue
                assert made.count("#") >= text.count("#") or do == "remove"
                read_yaml(made, "")

    def test_of_adaptations_have_no_structure(self):
        text = "overlay: x\npatch: {}\n"
        assert edited(text, text, Wish("", "add:stages")) == (text, "")
