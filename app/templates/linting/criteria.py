"""The criteria of a document where they are written, and what can be seen in their text: cost, choices that are none.

Measured: one list of 100 entries is gone through in 0.3 ms; a list inside of a list (100 times 100) is stopped by the
engine's own bound of 10,000 steps, so it fails in every onboarding whose lists are long. So lists are not nested, and
few are gone through in one criterion.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.templates.document import Source
from app.templates.linting.texts import walk_values
from app.templates.rules import Path, Problem, likely_fix

MOST_LOOPS = 4
MOST_CALLS = 30
TEXT = re.compile(r"""(?:\b[rRbB]{1,2})?("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')""")
_LOOP = re.compile(r"\.\s*(?:all|exists|exists_one|map|filter|transformList|transformMap)\s*\(")
_CALL = re.compile(r"[A-Za-z_]\w*\s*\(")
_NAME = r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)"
_WORD = r"""(?:"([^"\\]*)"|'([^'\\]*)')"""
_COMPARED = re.compile(rf"{_NAME}\s*[=!]=\s*{_WORD}|{_WORD}\s*[=!]=\s*{_NAME}")
_ONE_OF = re.compile(rf"{_NAME}\s+in\s*\[([^\]]*)\]")


@dataclass(frozen=True, slots=True)
class Written:
    """One criterion as it is written: its text, its place, and which word of which element it is."""

    text: str
    path: Path
    word: str
    owner: Path


def criteria_of(document: Mapping[str, Any]) -> Iterator[Written]:
    """Every criterion of a document."""
    for path, value in walk_values(document):
        if not isinstance(value, str) or len(path) < 2:  # noqa: PLR2004  # a word of an element
            continue
        if path[-1] in {"when", "entry", "exit", "check", "suppress"}:
            yield Written(value, path, str(path[-1]), path[:-1])
        elif path[-1] in {"business", "compliance"} and path[-2] in {"entry", "exit"}:
            yield Written(value, path, str(path[-2]), path[:-2])
        elif path[-3:-1] == ("action", "input"):
            yield Written(value, path, "input", path[:-3])


def check_cost(source: Source, written: Written) -> list[Problem]:
    """Refuses what would take long, or be stopped by the engine's own bound."""
    bare = TEXT.sub(lambda found: "_" * len(found.group()), written.text)
    loops = [found.start() for found in _LOOP.finditer(bare)]
    nested = next((start for start in loops if _inside_another(bare, start)), None)
    if nested is not None:
        message = "A list is gone through inside of another; with long lists the engine would stop it."
        return [at(source, written, nested, message, "Go through one list, or let an action find it out.")]
    if len(loops) > MOST_LOOPS:
        message = f"This goes through {len(loops)} lists; {MOST_LOOPS} are the most."
        return [at(source, written, loops[MOST_LOOPS], message, "")]
    calls = [found.start() for found in _CALL.finditer(bare)]
    if len(calls) > MOST_CALLS:
        message = f"This calls {len(calls)} functions; {MOST_CALLS} are the most."
        return [at(source, written, calls[MOST_CALLS], message, "")]
    return []


def check_choices(source: Source, written: Written, fields: Mapping[str, Mapping[str, Any]]) -> list[Problem]:
    """A choice that is compared with something that is none of its options."""
    problems = []
    for name, word, start in _compared(written.text):
        field = fields.get(name)
        if field is None or field["type"] != "select":
            continue
        options = [option["id"] for option in field["options"]]
        if word not in options:
            fix = likely_fix(word, options) or f"There are: {', '.join(options)}."
            problems.append(at(source, written, start, f"“{word}” is no option of “{name}”.", fix))
    return problems


def at(source: Source, written: Written, start: int, message: str, fix: str) -> Problem:
    """A problem at a character of a criterion."""
    told = source.problem(written.path, message, fix)
    before = written.text[:start]
    if "\n" in written.text:  # a block text: its lines stand below its key
        return replace(told, line=told.line + before.count("\n") + 1, column=start - before.rfind("\n"))
    return replace(told, column=told.column + start)


def _compared(text: str) -> Iterator[tuple[str, str, int]]:
    """Each name with each text that it is compared with, and where that stands."""
    for found in _COMPARED.finditer(text):
        name = found[1] or found[6]
        number = next((group for group in (2, 3, 4, 5) if found[group] is not None), 2)
        yield name, found[number], found.start(number)
    for found in _ONE_OF.finditer(text):
        for word in re.finditer(_WORD, found[2]):
            yield found[1], word[1] if word[1] is not None else word[2], found.start(2) + word.start() + 1


def _inside_another(bare: str, start: int) -> bool:
    """Whether a loop stands in the parentheses of another."""
    depth = 0
    for index in range(start - 1, -1, -1):
        if bare[index] == ")":
            depth += 1
        elif bare[index] == "(":
            if depth == 0 and _LOOP.search(bare[: index + 1]) and _LOOP.match(bare, _loop_before(bare, index)):
                return True
            depth = max(0, depth - 1)
    return False


def _loop_before(bare: str, opens: int) -> int:
    """Where the call begins whose parenthesis this is."""
    return bare.rfind(".", 0, opens)
