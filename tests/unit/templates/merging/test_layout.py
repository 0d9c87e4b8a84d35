"""The author's own file after an upgrade: only what changed looks different."""

from __future__ import annotations

import difflib
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.templates.document import read_yaml
from app.templates.library import LIBRARY
from app.templates.merging import rewritten

OVERLAYS = sorted(LIBRARY.glob("*/*/overlays/*.yaml"))
TEXT = """\
# What we do differently.
slipway: "1"
patch:
  title: {en: "Ours", de: 'Unsere'}   # short

  rows:
  - {id: a, when: "inputs.x > 1", due: null, on: 2026-01-01}   # first
  # the second
  - id: b
    help: >-
      Long
      text.
    n: 3
# the end
"""


def changed_lines(before: str, after: str) -> list[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in lines if line[0] in "+-" and line[:3] not in {"+++", "---"}]


class TestRewritten:
    @pytest.mark.parametrize("path", OVERLAYS, ids=lambda path: path.stem)
    def test_of_the_same_document_is_the_same_text(self, path):
        text = path.read_text("utf-8")
        assert rewritten(text, read_yaml(text, "").document) == text

    def test_keeps_comments_quotes_and_folds(self):
        document = read_yaml(TEXT, "").document
        assert rewritten(TEXT, document) == TEXT
        document["patch"]["rows"][1]["n"] = 4
        assert changed_lines(TEXT, rewritten(TEXT, document)) == ["-    n: 3", "+    n: 4"]
        document["patch"]["rows"][0]["due"] = {"business_days": 2}
        told = changed_lines(TEXT, rewritten(TEXT, document))
        assert told[1] == '+  - {id: a, when: "inputs.x > 1", due: {business_days: 2}, on: 2026-01-01} # first'

    def test_takes_out_and_puts_in(self):
        document = read_yaml(TEXT, "").document
        del document["patch"]["title"]
        document["patch"]["rows"][0:1] = [{"id": "c", "$add": True, "title": {"en": "See you", "de": "Bis dann"}}]
        text = rewritten(TEXT, document)
        assert '    title: {en: "See you", de: "Bis dann"}' in text
        assert "Unsere" not in text
        assert "# the second" in text
        assert read_yaml(text, "").document == document

    @given(st.sampled_from(OVERLAYS), st.integers(0, 1_000_000))
    @settings(max_examples=25, deadline=None)
    def test_says_what_the_document_does(self, path, seed):
        text, chance = path.read_text("utf-8"), Random(seed)  # noqa: S311  # a repeatable choice
        document = read_yaml(text, "").document
        stir(chance, document["patch"])
        assert read_yaml(rewritten(text, document), "").document == document


def stir(chance: Random, node) -> None:
    """Change, take out and put in, here and there."""
    for name in list(node) if isinstance(node, dict) else range(len(node) - 1, -1, -1):
        what = chance.random()
        if isinstance(node[name], dict | list) and what < 0.8:
            stir(chance, node[name])
        elif what < 0.3 and name != "id":
            node[name] = chance.choice(
                [None, True, 5, "plain", "with: colon", "# no comment", ["a", "b c"], {"x": "1"}]
            )
        elif what < 0.4 and name != "id":
            del node[name]
    if isinstance(node, dict) and chance.random() < 0.2:
        node["fresh"] = [{"id": "x", "title": {"en": "2026-01-01"}}]
