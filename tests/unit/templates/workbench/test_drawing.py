"""Drawings hold every item and every arrow, and no label breaks them."""

from __future__ import annotations

import re

import pytest

from app.templates.workbench.drawing import draw_dot, draw_mermaid, draw_tree
from tests.unit.flow.parts.small import milestone, small, task
from tests.unit.flow.running import managed_services

NAMES = task("ask", "fields: [{id: names, label: {en: N}, type: list}]", kind="form")
SITES = "repeat: {for_each: answers.ask.names, at_most: 5}"
PARTS = small(
    milestone("base", NAMES, task("tour", "optional: true"))
    + milestone("site", task("look"), task("fix", "depends_on: [task.look]"), more=SITES)
).compile()


class TestDrawings:
    @pytest.mark.parametrize("draw", [draw_tree, draw_dot])
    def test_hold_every_item(self, draw):
        text = "\n".join(draw(managed_services()))
        assert [key for key in managed_services().items if key not in text] == []

    def test_of_mermaid_hold_every_item_and_every_arrow(self):
        lines = list(draw_mermaid(managed_services()))
        for item in managed_services().items.values():
            assert any(re.match(rf" *(subgraph )?{item.key.replace('.', '_')}\W", line) for line in lines), item.key
        arrows = [line for line in lines if "->" in line]
        assert len(arrows) == sum(len(item.depends_on) for item in managed_services().items.values())
        assert sum("subgraph" in line for line in lines) == sum(line.strip() == "end" for line in lines)

    @pytest.mark.parametrize("draw", [draw_tree, draw_mermaid, draw_dot])
    def test_show_what_happens_several_times(self, draw):
        text = "\n".join(draw(PARTS))
        assert "repeated" in text
        assert "optional" in text
        assert "Fix" in text

    def test_of_mermaid_keep_its_own_signs_out_of_labels(self):
        definition = small(milestone("base", task("build", "when: 'inputs.seats > 5'"))).compile()
        assert any("inputs.seats #gt; 5" in line for line in draw_mermaid(definition))

    def test_of_a_tree_say_what_is_waited_for(self):
        line = next(line for line in draw_tree(managed_services()) if "task.schedule_kickoff" in line)
        assert "after task.assign_team" in line
        assert "clock: kickoff_scheduled" in line
