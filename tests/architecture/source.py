"""Reads the tree for the architecture tests: files, parsed modules, their imports and calls. Holds no rule."""

from __future__ import annotations

import ast
import os
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]
PYTHON_TREES = ("app", "tenants", "migrations", "tests")

# What tools write; .gitignore names the same.
_BUILT = {"__pycache__", "node_modules", "dist", "build"}


@dataclass(frozen=True)
class Module:
    """One Python file; `path` is relative to the root of the repository."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed file."""
        return ast.parse(self.text, self.path)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the file, in the order of `ast.walk`."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def lines(self) -> list[str]:
        """The file's lines, the first at index 0."""
        return self.text.splitlines()

    @property
    def parts(self) -> tuple[str, ...]:
        """The path without its suffix, a package named by its folder: `("app", "intake", "rules")`."""
        parts = PurePosixPath(self.path).with_suffix("").parts
        return parts[:-1] if parts[-1] == "__init__" else parts

    @property
    def name(self) -> str:
        """The dotted name to import."""
        return ".".join(self.parts)

    @property
    def room(self) -> str:
        """The room of a capability this file is in: `operations` for both `operations.py` and `operations/admit.py`."""
        return self.parts[2] if len(self.parts) > 2 and self.parts[0] == "app" else ""

    def at(self, node: ast.AST | int, said: str) -> str:
        """One offence as a line that an editor can jump to."""
        return f"{self.path}:{node if isinstance(node, int) else getattr(node, 'lineno', 1)} {said}"

    def imports(self) -> Iterator[tuple[int, str]]:
        """Each imported name with its line, spelled in full: `from app.intake import models` is `app.intake.models`."""
        for node in self.nodes:
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                package = self.parts if self.path.endswith("__init__.py") else self.parts[:-1]
                above = package[: len(package) - node.level + 1] if node.level else ()
                start = ".".join([*above, *([node.module] if node.module else [])])
                yield from ((node.lineno, f"{start}.{alias.name}") for alias in node.names)

    def names(self) -> Iterator[tuple[ast.expr, str]]:
        """Each name or attribute chain that is used, dotted: `datetime.now`, `work.session.commit`."""
        for node in self.nodes:
            if isinstance(node, ast.Attribute | ast.Name):
                yield node, dotted(node)

    def calls(self) -> Iterator[tuple[ast.Call, str]]:
        """Each call with the dotted name of what is called."""
        for node in self.nodes:
            if isinstance(node, ast.Call):
                yield node, dotted(node.func)

    def strings(self) -> Iterator[tuple[ast.Constant, str]]:
        """Each string constant that is not a docstring."""
        owners = (node for node in self.nodes if isinstance(node, _DOCUMENTED))
        prose = {id(first.value) for node in owners if isinstance(first := next(iter(node.body), None), ast.Expr)}
        for node in self.nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
                yield node, node.value

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Each function and method."""
        for node in self.nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node


_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def _has_docstring(node: ast.AST) -> bool:
    return isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None


def dotted(node: ast.expr) -> str:
    """`a.b.c` for an attribute chain; what is not a name (a call, a subscript) becomes `()`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return "()"


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body; the signature and the docstring do not count."""
    body = function.body[1:] if _has_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def planted(path: str, text: str) -> Module:
    """A module that exists only here, to show that a rule can fail."""
    return Module(path, textwrap.dedent(text).lstrip("\n"))


@lru_cache
def files(*tops: str) -> tuple[str, ...]:
    """Every file of ours under the folders (all of the repository without arguments), relative, sorted."""
    found = []
    for top in tops or (".",):
        for folder, below, names in os.walk(ROOT / top):
            below[:] = [
                d
                for d in below
                if d not in _BUILT and (not d.startswith(".") or d == ".ci") and not d.endswith(".egg-info")
            ]
            found += [(Path(folder) / name).relative_to(ROOT).as_posix() for name in names]
    return tuple(sorted(found))


@lru_cache
def texts(*tops: str) -> tuple[tuple[str, str], ...]:
    """Path and text of every file of ours that is text."""
    found = []
    for path in files(*tops):
        try:
            found.append((path, (ROOT / path).read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return tuple(found)


@lru_cache
def modules(*tops: str) -> tuple[Module, ...]:
    """Every Python module under the folders (all trees without arguments)."""
    return tuple(_module(path, text) for path, text in texts(*(tops or PYTHON_TREES)) if path.endswith(".py"))


@cache
def _module(path: str, text: str) -> Module:
    """One module for all who ask: what has been parsed once is not parsed again."""
    return Module(path, text)


def none(found: Iterable[str]) -> None:
    """Assert that a rule found nothing; the message lists every offence."""
    offences = list(found)
    assert not offences, "\n" + "\n".join(offences)
