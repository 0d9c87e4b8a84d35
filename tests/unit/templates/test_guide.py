"""The templates and tests in docs/templates.md are what they say: they lint clean, end, and pass."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from app.flow.definition import TASK_KINDS
from app.flow.fields import Kind
from app.flow.simulate import simulate
from app.templates.language import read_template
from app.templates.workbench.bench import open_bench

DOCS = Path(__file__).parents[3] / "docs"
GUIDE = (DOCS / "templates.md").read_text("utf-8")
WHOLE, GATE, TESTS = (block.split("```", 1)[0] for block in GUIDE.split("```yaml\n")[1:4])


class TestGuide:
    def test_holds_a_template_that_lints_clean_and_ends(self):
        definition = read_template(WHOLE, "docs/templates.md").compile()
        report = simulate(definition, seed=1, histories=40)
        assert report.dead_ends == ()
        assert set(report.touched) == set(definition.items)

    def test_holds_a_gate_that_fits_into_its_second_stage(self):
        exit_ = "    exit: milestone.first_mail.done\n"
        definition = read_template(WHOLE.replace(exit_, exit_ + GATE), "docs/templates.md").compile()
        assert "gate.fit" in definition.items

    def test_holds_tests_that_pass(self, tmp_path: Path):
        template = tmp_path / "mailbox-move.yaml"
        template.write_text(WHOLE, "utf-8")
        (tmp_path / "tests.yaml").write_text(TESTS, "utf-8")
        assert [each.problems for each in open_bench(template).outcomes()] == [(), ()]

    def test_names_every_kind_of_field_and_every_kind_of_task_that_runs(self):
        told = GUIDE + "".join(page.read_text("utf-8") for page in sorted((DOCS / "templates").glob("*.md")))
        for kind in (*TASK_KINDS, *get_args(Kind)):
            assert f"`{kind}`" in told
