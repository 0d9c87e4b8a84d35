"""What changed between two documents, in the words of people: by id, whole elements once, moves as moves."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.templates.library import open_shelf
from app.templates.merging import Change, difference
from app.templates.merging.difference import moved_ids


def rows(*ids: str, **more: Any) -> dict[str, Any]:
    return {"rows": [{"id": each, **more.get(each, {})} for each in ids]}


class TestDifference:
    def test_of_a_document_to_itself_is_nothing(self):
        document = open_shelf("msp/managed-services").template.document
        assert difference(document, document) == ()

    @pytest.mark.parametrize(
        ("old", "new", "wanted"),
        [
            (rows("a"), rows("a", "b", b={"n": {"x": 1}}), Change("rows.b", "added", None, {"id": "b", "n": {"x": 1}})),
            (rows("a", "b"), rows("a"), Change("rows.b", "removed", {"id": "b"}, None)),
            (rows("a", a={"n": 1}), rows("a", a={"n": 2}), Change("rows.a.n", "changed", 1, 2)),
            (rows("a", a={"n": 1}), rows("a", a={"n": True}), Change("rows.a.n", "changed", 1, True)),
            (rows("a", "b", "c"), rows("c", "a", "b"), Change("rows.c", "moved", "b", None)),
            (rows("a", "b", "c"), rows("b", "c", "a"), Change("rows.a", "moved", None, "c")),
            ({"n": [1, 2]}, {"n": [2, 1]}, Change("n", "changed", [1, 2], [2, 1])),
            ({"n": {"x": 1}}, {"n": 1}, Change("n", "changed", {"x": 1}, 1)),
            ({"n": []}, {"n": [{"id": "a"}]}, Change("n.a", "added", None, {"id": "a"})),
            ({}, {"n": []}, Change("n", "added", None, [])),
            ({"t": [{"after": 1}]}, {"t": [{"after": 2}]}, Change("t", "changed", [{"after": 1}], [{"after": 2}])),
        ],
    )
    def test_is_one_change(self, old, new, wanted):
        assert difference(old, new) == (wanted,)

    def test_tells_a_move_and_what_changed_in_it_apart_in_the_order_of_the_document(self):
        old, new = rows("a", "b", "c", "d", b={"n": 1}), rows("b", "e", "c", "a", b={"n": 2})
        found = [(each.path, each.kind) for each in difference(old, new)]
        assert found == [("rows.a", "moved"), ("rows.b.n", "changed"), ("rows.d", "removed"), ("rows.e", "added")]

    def test_of_a_branded_version_names_what_the_overlay_says(self):
        shelf = open_shelf("msp/managed-services")
        found = {
            each.path: each.kind for each in difference(shelf.template.document, shelf.effective("northwind").document)
        }
        assert found["texts.provider.en"] == "changed"
        assert found["stages.rollout.milestones.people_ready.tasks.security_briefing"] == "added"
        assert not any(path.startswith("stages.handoff") for path in found)

    @given(st.permutations("abcdefg"), st.permutations("abcdefg"))
    def test_moves_no_more_than_must_be(self, old, new):
        moved = moved_ids(old, new)
        assert [each for each in old if each not in moved] == [each for each in new if each not in moved]
        back = moved_ids(new, old)
        assert len(back) == len(moved)
