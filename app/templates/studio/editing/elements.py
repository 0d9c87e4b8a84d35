"""Finds the elements of a document by their words (`stages.move.milestones.moved`), with what they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.templates.overlays.tree import Words
from app.templates.rules import Path
from app.templates.studio.editing.kinds import KINDS, Kind, Part

TEXTS = "texts"


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its words, its path of keys and positions, what it is, and what it says."""

    words: Words
    path: Path
    kind: Kind
    value: Any

    @property
    def at(self) -> str:
        """Its words as a form sends them."""
        return ".".join(self.words)


def root_of(document: dict[str, Any]) -> Element:
    """The template itself."""
    return Element((), (), KINDS["template"], document)


def elements_of(document: dict[str, Any]) -> Iterator[Element]:
    """Every element, in the order of the structure. What is no list of mappings is left out: the lint speaks of it."""
    yield from _with_parts(root_of(document))
    texts = document.get(TEXTS)
    for name, value in texts.items() if isinstance(texts, dict) else ():
        if isinstance(value, dict):
            yield Element((TEXTS, name), (TEXTS, name), KINDS["word"], value)


def find_element(document: Any, at: str) -> Element | None:
    """The element with these words; None where there is none."""
    known = elements_of(document) if isinstance(document, dict) else ()
    return next((each for each in known if each.at == at), None)


def listed(element: Element, part: Part) -> Iterator[Element]:
    """The elements of one list of an element. Of two with one short name, the first has it and the other its number."""
    taken: set[str] = set()
    for number, each in enumerate(value if isinstance(value := list_at(element.value, part.at), list) else ()):
        if not isinstance(each, dict):
            continue
        named = each.get("id")
        word = named if isinstance(named, str) and named not in taken and "." not in named else str(number)
        taken.add(word)
        kind = KINDS["include" if "include" in each else part.kind]
        yield Element((*element.words, *part.at, word), (*element.path, *part.at, number), kind, each)


def list_at(value: Any, at: tuple[str, ...]) -> Any:
    """What stands in an element at a path of names; None where nothing does."""
    for name in at:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _with_parts(element: Element) -> Iterator[Element]:
    yield element
    for part in element.kind.parts:
        for each in listed(element, part):
            yield from _with_parts(each)
