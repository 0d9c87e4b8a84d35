"""What changed between two versions, in words."""

from __future__ import annotations

import copy
from typing import Any

from app.templates.document import read_yaml
from app.templates.studio.comparing import compared, raw_lines
from app.templates.studio.editing.outline import outline_of
from app.templates.studio.starting import adaptation_of, next_version_of, skeleton, text_of_document

OLD: dict[str, Any] = read_yaml(skeleton(), "").document


def say(text: dict[str, str]) -> str:
    return text.get("en", "")


class TestCompared:
    def test_says_what_came_went_changed_and_moved_by_stage(self):
        new = copy.deepcopy(OLD)
        [task] = new["stages"][0]["milestones"][0]["tasks"]
        task["due"], task["optional"] = {"business_days": 4}, True
        new["stages"][1]["milestones"][0]["tasks"] = []
        new["stages"][1]["milestones"].reverse()
        found = compared(OLD, new, say)
        assert found["counts"] == {"added": 0, "removed": 1, "changed": 2, "moved": 1}
        first, second = found["groups"]
        assert (first["title"], second["title"]) == ("Preparation", "Delivery")
        due = first["changes"][0]
        assert due["where"] == ["We know what to set up", "Tell us how you work today"]
        assert (due["property"], due["part"], due["before"], due["after"]) == ("Due after", "business_days", "2", "4")
        assert {each["sort"] for each in second["changes"]} == {"moved", "removed"}

    def test_of_the_same_says_nothing(self):
        assert compared(OLD, OLD, say)["groups"] == []
        assert raw_lines(OLD, OLD) == []

    def test_tells_of_a_key_that_is_empty(self):
        [group] = compared(OLD, {**OLD, "": "x"}, say)["groups"]
        assert [each["after"] for each in group["changes"]] == ["x"]

    def test_shows_the_lines_on_demand(self):
        lines = raw_lines(OLD, {**OLD, "version": "1.1.0"})
        assert [each["text"] for each in lines if each["sort"] in "+-"] == ["version: 1.0.0", "version: 1.1.0"]


class TestStarting:
    def test_writes_a_published_document_so_that_it_says_the_same(self):
        assert read_yaml(text_of_document(OLD), "").document == OLD

    def test_raises_the_version_above_all_of_its_major_number(self):
        assert "version: 1.4.0" in next_version_of(OLD, ["1.0.0", "1.3.2", "2.0.0"])
        kept = next_version_of(OLD, ["1.0.0"], skeleton())
        assert kept == skeleton().replace("version: 1.0.0", "version: 1.1.0")

    def test_lays_an_adaptation_upon_exactly_that_version(self):
        written = read_yaml(adaptation_of(OLD, "sha256:" + "a" * 64, "North Wind"), "").document
        assert written["base"] == {"id": "my-template", "version": "1.0.0", "digest": "sha256:" + "a" * 64}
        assert written["partner"] == "north-wind"


class TestOutline:
    def test_names_every_element_in_the_readers_language_with_its_line(self):
        outline = outline_of(read_yaml(skeleton(), ""), (), say)
        stages = outline["parts"][0]["rows"]
        assert [row["name"] for row in stages] == ["Preparation", "Delivery"]
        line = skeleton().splitlines()[stages[1]["line"] - 1]
        assert line.strip() == "- id: delivery"
