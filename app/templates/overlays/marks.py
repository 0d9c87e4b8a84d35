"""The marks in a patch: which there are, where they may stand, and which of them go together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.templates.document import Source
from app.templates.rules import Path, Problem, likely_fix

ADD, REMOVE = "$add", "$remove"
POSITIONS = ("$after", "$before", "$first", "$last")
MARKS = (ADD, REMOVE, *POSITIONS)
_NAMING = frozenset({"$after", "$before"})  # the others only say true


def check_marks(source: Source) -> list[Problem]:
    """Every mark of an overlay's patch that says nothing, or that contradicts another."""
    return sorted(set(_walk(source, source.document["patch"], ("patch",), element=False, fresh=False)))


def _walk(source: Source, node: Any, path: Path, *, element: bool, fresh: bool) -> Iterator[Problem]:
    if isinstance(node, dict):
        yield from _marks(source, node, path, element=element, fresh=fresh)
        fresh = fresh or ADD in node
        for name, value in node.items():
            yield from _walk(source, value, (*path, name), element=False, fresh=fresh)
    elif isinstance(node, list):
        seen: set[str] = set()
        for index, each in enumerate(node):
            name = each.get("id") if isinstance(each, dict) else None
            if isinstance(name, str):
                if name in seen:
                    yield source.problem((*path, index, "id"), f"“{name}” is in this list twice.", "Make them one.")
                seen.add(name)
            yield from _walk(source, each, (*path, index), element=isinstance(name, str), fresh=fresh)


def _marks(source: Source, node: dict[str, Any], path: Path, *, element: bool, fresh: bool) -> Iterator[Problem]:
    marks = [name for name in node if name.startswith("$")]
    for name in marks:
        place = (*path, name)
        if name not in MARKS:
            yield source.problem(place, f"There is no mark “{name}”.", likely_fix(name, MARKS), key=True)
        elif not element:
            fix = "To take a value out, say null." if name == REMOVE else ""
            yield source.problem(place, f"“{name}” stands in an element of a list that has an id.", fix, key=True)
        elif fresh:
            message = f"What “{name}” stands in is new as a whole."
            yield source.problem(place, message, "Leave the marks inside of it out.", key=True)
        elif not _says(name, node[name]):
            wanted = "the id of an element beside it" if name in _NAMING else "true"
            yield source.problem(place, f"“{name}” must be {wanted}.")
    if element:
        yield from _together(source, node, path)


def _says(name: str, value: Any) -> bool:
    return isinstance(value, str) if name in _NAMING else value is True


def _together(source: Source, node: dict[str, Any], path: Path) -> Iterator[Problem]:
    positions = [name for name in node if name in POSITIONS]
    if len(positions) > 1:
        message = f"{' and '.join(f'“{name}”' for name in positions)} both say where it goes."
        yield source.problem((*path, positions[1]), message, "Keep one of them.", key=True)
    beside = [name for name in node if name not in {"id", REMOVE}]
    if REMOVE in node and beside:
        message = f"What is taken out cannot have a “{beside[0]}”."
        yield source.problem((*path, beside[0]), message, "Leave it out, or “$remove”.", key=True)
