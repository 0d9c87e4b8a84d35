"""The structure of a draft beside its source: every element with its name, its line, and its problems. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from app.templates.document import Position, Source
from app.templates.rules import Path
from app.templates.studio.editing.elements import Element, elements_of, listed, root_of

Say = Callable[[dict[str, str]], str]  # a text in the reader's language


def outline_of(source: Source, wrong: Iterable[str], say: Say) -> dict[str, Any]:
    """The template with its parts and their elements, each with how many problems stand in it or below.

    `wrong` are the words of the element that each problem stands in.
    """
    found = Counter(at for each in wrong for at in _with_all_above(each))
    return _Drawing(source, found, say).row(root_of(source.document))


def texts_of(source: Source, say: Say) -> list[dict[str, Any]]:
    """The brandable texts."""
    drawing = _Drawing(source, Counter(), say)
    return [drawing.row(each) for each in elements_of(source.document) if each.kind.name == "word"]


def elements_by_place(source: Source) -> dict[Position, str]:
    """The words of the element that each place of the text belongs to; "" for the template's own.

    Read once for a text, however many problems it has: a search for each would take minutes where there are thousands.
    """
    deepest: dict[Position, Path] = {}
    for path, at in (*source.places.items(), *source.key_places.items()):
        if len(path) > len(deepest.get(at, ())):
            deepest[at] = path
    known = {each.path: each.at for each in elements_of(source.document)}
    return {at: _nearest(path, known) for at, path in deepest.items()}


def _nearest(path: Path, known: dict[Path, str]) -> str:
    for length in range(len(path), 0, -1):
        if path[:length] in known:
            return known[path[:length]]
    return ""


def _with_all_above(at: str) -> list[str]:
    words = at.split(".") if at else []
    return ["", *(".".join(words[: number + 1]) for number in range(len(words)))]


class _Drawing:
    def __init__(self, source: Source, found: Counter[str], say: Say) -> None:
        self.source, self.found, self.say = source, found, say

    def row(self, element: Element) -> dict[str, Any]:
        """One element with its parts."""
        return {
            "at": element.at,
            "kind": element.kind.name,
            "label": element.kind.label,
            "name": self.name(element),
            "note": self.note(element),
            "line": self.source.place(element.path)[0],
            "problems": self.found[element.at],
            "parts": [
                {
                    "label": part.label,
                    "adding": part.adding,
                    "name": part.name,
                    "at": element.at,
                    "rows": [self.row(each) for each in listed(element, part)],
                }
                for part in element.kind.parts
            ],
        }

    def name(self, element: Element) -> str:
        """What it is called, in the reader's language; its short name where it is called nothing."""
        value = element.value
        named = value.get(element.kind.naming) if element.kind.naming else value
        if isinstance(named, dict):
            named = self.say({str(name): str(each) for name, each in named.items() if isinstance(each, str)})
        return str(named or value.get("id") or (element.words[-1] if element.words else ""))

    def note(self, element: Element) -> str:
        """What an author wants to see at a glance: who, or of what kind."""
        value = element.value
        said = [
            value.get(name) for name in ("kind", "layer", "type", "side", "rule", "owner", "reviewer", "role", "item")
        ]
        return " · ".join(each for each in said if isinstance(each, str) and each)
