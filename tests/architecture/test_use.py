"""What is written is reached: a function that only its own test calls is a promise nobody can use."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from tests.architecture.source import Module, modules, none, planted, texts

PROGRAM = ("app", "tenants", "migrations")
# What the suite proves the program with; it lies beside what it speaks about.
INSTRUMENTS = {
    "app/flow/decide.py:replay": "a journal replayed leads to the stored state",
    "app/flow/simulate.py": "random histories through the reducer find no dead end",
    "app/templates/library.py:lint_library": "no template of the library has a problem",
}


def spoken(program: Iterable[Module], pages: Iterable[str] = ()) -> Counter[str]:
    """How often each name is used: read, called, taken as an attribute, or said in a page or in a string of ours.

    An import alone is no use, or a package that hands a name on would keep it alive.
    """
    names: Counter[str] = Counter()
    for module in program:
        for node in module.nodes:
            if isinstance(node, ast.Name | ast.Attribute):
                names[node.id if isinstance(node, ast.Name) else node.attr] += 1
        names.update(word for _, text in module.strings() for word in re.findall(r"\w+", text))
    for page in pages:
        names.update(re.findall(r"\w+", page))
    return names


def unreached(program: Iterable[Module], names: Counter[str]) -> Iterator[str]:
    """Functions and classes that nothing of the program names. What is decorated or a table registers itself."""
    for module in program:
        for node in module.tree.body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.decorator_list:
                continue
            table = isinstance(node, ast.ClassDef) and any("Record" in ast.unparse(base) for base in node.bases)
            known = {module.path, f"{module.path}:{node.name}"} & INSTRUMENTS.keys()
            if not table and not known and not names[node.name]:
                yield module.at(node, f"{node.name} is reached by tests at most: use it, or take it away")


class TestFunctionsAndClasses:
    """The tree holds what the program does, and git log holds the rest."""

    def test_are_reached_by_the_program(self):
        program = [module for module in modules(*PROGRAM) if not module.path.startswith("migrations/")]
        pages = [text for path, text in texts("frontend") if path.endswith((".html", ".txt"))]
        none(unreached(program, spoken(modules(*PROGRAM), pages)))

    def test_are_noticed_when_they_are_not(self):
        forgotten = planted("app/x.py", "def advise():\n    return 1\n\n\nclass Advice:\n    pass\n")
        handed_on = planted("app/__init__.py", "from app.x import advise\n")
        assert len(list(unreached([forgotten], spoken([forgotten, handed_on])))) == 2

    def test_are_fine_when_they_are(self):
        used = planted("app/x.py", "def advise():\n    return 1\n\n\nclass Row(ControlRecord):\n    pass\n")
        caller = planted("app/y.py", "from app.x import advise\n\nADVICE = advise()\n")
        assert not list(unreached([used], spoken([used, caller])))
