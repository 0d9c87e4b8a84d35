"""YAML as we take it: strict, with the place of everything refused."""

from __future__ import annotations

import pytest

from app.templates.document import LARGEST, read_yaml
from app.templates.rules import TemplateRefused


class TestReadYAML:
    def test_gives_plain_values_with_their_places(self):
        source = read_yaml("a: 1\nb:\n  - x: 2026-01-01\n    y: true\n", "f.yaml")
        assert source.document == {"a": 1, "b": [{"x": "2026-01-01", "y": True}]}
        assert source.places[("b", 0, "y")] == (4, 8)
        assert source.key_places[("b", 0, "y")] == (4, 5)
        assert source.place(("b", 0, "missing", "deeper")) == (3, 5)

    @pytest.mark.parametrize(
        ("text", "line", "column", "word"),
        [
            ("a: 1\nb: 2\na: 3\n", 3, 1, "twice"),
            ("a: &x 1\nb: *x\n", 1, 4, "Anchors"),
            ("a: &x {b: 1}\nc:\n  <<: *x\n", 1, 4, "Anchors"),
            ("<<: {a: 1}\n", 1, 1, "Merge"),
            ("a: [1\n", 2, 1, "not YAML"),
            ("a: b: c\n", 1, 5, "not YAML"),
            ("\ta: 1\n", 1, 1, "not YAML"),
            ("---\na: 1\n---\nb: 2\n", 3, 1, "another document"),
            ("a: !!python/object:os.system x\n", 1, 4, "quotes"),
            ("a: 1.5\n", 1, 4, "quotes"),
            ("a: .nan\n", 1, 4, "quotes"),
            ("a: 0x10\n", 1, 4, "quotes"),
            ("a: 99999999999999999999\n", 1, 4, "quotes"),
            ("? [a]\n: b\n", 1, 3, "plain word"),
            ("", 1, 1, "empty"),
            ("- a\n", 1, 1, "empty"),
            ("just words", 1, 1, "empty"),
        ],
    )
    def test_refuses_with_line_and_column(self, text, line, column, word):
        with pytest.raises(TemplateRefused) as refused:
            read_yaml(text, "f.yaml")
        first = refused.value.problems[0]
        assert (first.file, first.line, first.column) == ("f.yaml", line, column)
        assert word in f"{first.message} {first.fix}"

    @pytest.mark.parametrize(
        "text",
        [
            "a: " + "[" * 60 + "]" * 60,
            "a: " + "[" * 20_000,
            "a: [" + "1, " * 60_000 + "1]",
            "a: " + "x" * LARGEST,
            "a: \x00",
            "a: \ud800",
        ],
    )
    def test_refuses_the_huge_the_deep_and_the_broken(self, text):
        with pytest.raises(TemplateRefused):
            read_yaml(text, "f.yaml")

    def test_refuses_a_billion_laughs(self):
        text = "a: &a [x, x]\n" + "".join(
            f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)
        )
        with pytest.raises(TemplateRefused, match="Anchors"):
            read_yaml(text, "f.yaml")
