"""What the studio shows of a text that many things are wrong with, and of one that is written oddly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from app.templates.authoring.checking import Checked, check_text
from app.templates.document import read_yaml
from app.templates.lines.chains import Chain, ChainBroken
from app.templates.rules import Problem
from app.templates.studio.editing.changing import added
from app.templates.studio.editing.elements import Element, elements_of
from app.templates.studio.editing.renaming import renamed
from app.templates.studio.pages.entering import source_of, text_of
from app.templates.studio.pages.shown import MOST_PROBLEMS, Sheet, findings_of
from app.templates.studio.starting import skeleton


def say(text: dict[str, str]) -> str:
    return text.get("en", "")


def nothing_beneath(result: str) -> Chain:
    raise ChainBroken(result)


class TestFindingsOf:
    def test_reads_the_elements_once_and_shows_the_first_problems_however_many_there_are(
        self, monkeypatch: pytest.MonkeyPatch
    ):
        text = skeleton()
        line = next(number for number, each in enumerate(text.splitlines(), 1) if "id: describe" in each)
        column = text.splitlines()[line - 1].index("describe") + 1
        problems = tuple(Problem("", line, column, f"no {number}") for number in range(MOST_PROBLEMS + 7))
        read: list[Any] = []

        def elements(document: dict[str, Any]) -> Iterator[Element]:
            read.append(document)
            return elements_of(document)

        monkeypatch.setattr("app.templates.studio.editing.outline.elements_of", elements)
        found = findings_of(Sheet(text, source_of(text), Checked(None, None, problems)), say)
        assert (len(found["problems"]), found["more_problems"], found["outline"]["problems"]) == (100, 7, 107)
        assert {each["at"] for each in found["problems"]} == {"stages.preparation.milestones.known.tasks.describe"}
        assert len(read) == 2, "once for where the problems stand, once for the texts"


class TestTextOf:
    @pytest.mark.parametrize("patch", ["hello", "[1]", "1"])
    def test_reads_an_adaptation_whose_patch_is_nothing_of_the_kind(self, patch: str):
        source = f"overlay: x\npatch: {patch}\n"
        text = text_of(source, check_text(source, nothing_beneath))
        assert (text.kind, text.title, text.template) == ("overlay", "x", "x")


class TestRenamed:
    def test_takes_a_short_name_as_it_is_typed(self):
        assert renamed({"after": "task.a.done"}, "task", "a", r"\1") == {"after": r"task.\1.done"}


class TestAdded:
    def test_adds_beside_an_element_whose_id_is_no_name(self):
        document = read_yaml(skeleton(), "").document
        document["stages"][0]["id"] = ["a"]
        assert added(document, "", "stages")[1] == "stages.new_stage"


class TestAddedToATask:
    def test_puts_a_credential_with_the_credentials_and_a_question_with_the_questions(self):
        task = {"id": "access", "kind": "credential", "credential": {"connector": "desk"}}
        document = {"stages": [{"id": "a", "milestones": [{"id": "b", "tasks": [task]}]}]}
        at = "stages.a.milestones.b.tasks.access"
        made, words = added(document, at, "credential")
        assert words == f"{at}.credential.fields.new_handed"
        [given] = made["stages"][0]["milestones"][0]["tasks"][0]["credential"]["fields"]
        assert (given["id"], given["label"]) == ("new_handed", {"en": "New"})
        assert added(document, at, "fields")[1] == f"{at}.fields.new_question"
