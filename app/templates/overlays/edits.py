"""A patch taken apart into single edits, as the document it is written for has them: what each says, and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from app.templates.overlays.marks import ADD, MARKS, POSITIONS, REMOVE
from app.templates.overlays.tree import Words, is_keyed, step
from app.templates.rules import Path

Verb = Literal["set", "unset", "add", "remove", "move", "missing"]


@dataclass(frozen=True, slots=True)
class Edit:
    """One thing a patch says.

    `value` is what is written or added; of a move, the id it goes beside (`$after`, `$before`) or True. `missing` is an
    element that the patch changes and the document has not.
    """

    verb: Verb
    words: Words
    path: Path  # in the overlay's document
    value: Any = None
    mark: str = ""  # of a move

    @property
    def place(self) -> Words:
        """Where it is told: a move at its mark, so that it is told apart from what else is said of the element."""
        return (*self.words, self.mark) if self.mark else self.words


def edits_of(patch: Mapping[str, Any], document: Mapping[str, Any]) -> list[Edit]:
    """Every edit, in the patch's order. No two are of the same place, and none depends on another but for positions."""
    return list(_mapping(patch, document, (), ("patch",)))


def _mapping(patch: Mapping[str, Any], node: Mapping[str, Any], words: Words, path: Path) -> Iterator[Edit]:
    for name, value in patch.items():
        if name == "id" or name in MARKS:
            continue
        target, below, place = node.get(name), (*words, name), (*path, name)
        if isinstance(value, dict) and isinstance(target, dict):
            yield from _mapping(value, target, below, place)
        elif is_keyed(value) and (is_keyed(target) or (not target and _is_marked(value))):
            yield from _keyed(value, target or [], below, place)
        else:
            yield Edit("set" if value is not None else "unset", below, place, value)


def _keyed(patch: list[dict[str, Any]], node: list[Any], words: Words, path: Path) -> Iterator[Edit]:
    for index, element in enumerate(patch):
        place, below = (*path, index), (*words, element["id"])
        target = step(node, element["id"])
        if element.get(ADD):
            fresh = {name: value for name, value in element.items() if name not in MARKS}
            yield Edit("add", below, place, fresh)
        elif target is None:
            yield Edit("missing", below, place)
            continue
        elif element.get(REMOVE):
            yield Edit("remove", below, place)
            continue
        else:
            yield from _mapping(element, target, below, place)
        yield from (Edit("move", below, place, element[mark], mark) for mark in POSITIONS if mark in element)


def _is_marked(value: list[dict[str, Any]]) -> bool:
    return any(mark in each for each in value for mark in MARKS)
