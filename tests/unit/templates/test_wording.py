"""What somebody who writes a first template is told: which word is wrong, what belongs there, and how it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.templates.language import read_template
from app.templates.library import find_component
from app.templates.rules import TemplateRefused

PAGE = (Path(__file__).parents[3] / "docs" / "templates.md").read_text("utf-8")
GUIDE = PAGE.split("```yaml\n", 1)[1].split("```", 1)[0]
WHEN = "when: answers.describe.archive.given && answers.describe.archive"
DUE = "            due: {business_days: 2}\n"
REMIND = next(line for line in GUIDE.splitlines(keepends=True) if line.startswith("            remind: "))


def told(old: str, new: str) -> list[str]:
    assert old in GUIDE
    with pytest.raises(TemplateRefused) as refused:
        read_template(GUIDE.replace(old, new, 1), "guide.yaml", find_component)
    return [f"{each.message} {each.fix}".strip() for each in refused.value.problems]


class TestWording:
    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            (
                REMIND,
                "            remind: {business_days: 1}\n",
                ["“remind” must be a list", "For example: [{before:"],
            ),
            (DUE, DUE.replace("{business_days: 2}", "2"), ["“due” must be names with values", "{business_days: 2}"]),
            ('title: {en: "Preparation"}', "title: Preparation", ["“title” must be names with values", '{en: "…"}']),
            ("[gate.handoff]", "[handoff]", ["full name of a stage, milestone, task or gate"]),
            ("  - id: preparation", "  - id: first-part", ["small letters, digits and _"]),
            ("locales: [en]", "locales: [english]", ["a language, such as en"]),
            ("version: 1.0.0 ", 'version: "1.0" ', ["three numbers, such as 1.0.0"]),
            (WHEN, "when: answers.describe.archive = true", ["Compare with ==."]),
            (WHEN, WHEN.replace("&&", "and"), ["“and” is written &&."]),
            (WHEN, 'when: answers.describe.archive == "yes"', ["of different types"]),
            ('        override_reason: {en: "Why may it begin?"}\n', "", ['For example: override_reason: {en: "…"}']),
        ],
    )
    def test_names_what_is_wrong_and_how_it_is_written(self, old: str, new: str, said: list[str]):
        [problem] = told(old, new)
        for words in said:
            assert words in problem

    def test_tells_one_mistake_once(self):
        [problem] = told(REMIND, "            remind: [{business_days: 1}]\n")
        assert "Known here: before, after, every, at_most." in problem

    def test_says_how_a_component_gets_its_roles(self):
        start = GUIDE.index("  - {id: missing_outcome, label")
        routes = GUIDE[start : GUIDE.index("\nfirst_value:")]
        problems = told(routes, "  - {id: routes, include: component/exception-routes@1.0.0}\n")
        assert all("with: {" in each and "Did you mean" not in each for each in problems)

    def test_says_how_a_file_begins(self):
        with pytest.raises(TemplateRefused, match='Its first line is slipway: "1"'):
            read_template("- name: a test\n", "tests.yaml")
