"""The template in docs/templates.md is one: it lints clean, and every history of it ends."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from app.flow.definition import TASK_KINDS
from app.flow.fields import Kind
from app.flow.simulate import simulate
from app.templates.language import read_template

DOCS = Path(__file__).parents[3] / "docs"
GUIDE = (DOCS / "templates.md").read_text("utf-8")


class TestGuide:
    def test_holds_a_template_that_lints_clean_and_ends(self):
        text = GUIDE.split("```yaml\n", 1)[1].split("```", 1)[0]
        definition = read_template(text, "docs/templates.md").compile()
        report = simulate(definition, seed=1, histories=40)
        assert report.dead_ends == ()
        assert set(report.touched) == set(definition.items)

    def test_names_every_kind_of_field_and_every_kind_of_task_that_runs(self):
        told = GUIDE + "".join(page.read_text("utf-8") for page in sorted((DOCS / "templates").glob("*.md")))
        for kind in (*TASK_KINDS, *get_args(Kind)):
            assert f"`{kind}`" in told
