"""Every kind of entry that the product writes has words that a customer understands."""

from __future__ import annotations

import ast

from app.audit.words import SAID
from tests.architecture.source import ROOT, none


def test_there_are_words_for_every_event():
    types: set[str] = set()
    for path in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.AnnAssign(
                    target=ast.Name(id="type"),
                    annotation=ast.Subscript(value=ast.Name("ClassVar")),
                    value=ast.Constant() as said,
                ):
                    types.add(str(said.value))
    assert len(types) > len(SAID) // 2
    none(f"{name}: say it in app/audit/words.py" for name in sorted(types - set(SAID)))
