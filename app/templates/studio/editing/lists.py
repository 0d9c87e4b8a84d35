"""The elements of a list: which of the new ones is which of the old, and the lines that one of them has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from app.templates.overlays.tree import same

_DASH = re.compile(r"( *)- +")


@dataclass(frozen=True, slots=True)
class Rows:
    """Where an element stands in its text. `comments`: where its first comment begins, or itself."""

    comments: int
    column: int
    end: int


def rows_of(text: str, start: int, end: int) -> Rows | None:
    """The element whose first value starts there and whose last line ends there; None: it has no line of its own."""
    begin = text.rfind("\n", 0, start) + 1
    dash = _DASH.fullmatch(text[begin:start])
    if dash is None:
        return None
    column, comments = len(dash[1]), begin
    while comments:
        above = text.rfind("\n", 0, comments - 1) + 1
        line = text[above : comments - 1]
        if not (line.lstrip(" ").startswith("#") and len(line) - len(line.lstrip(" ")) == column):
            break
        comments = above
    return Rows(comments, column, end)


def are_elements(value: Any) -> bool:
    """Whether a list holds elements, which have lines of their own, and no plain values."""
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def aligned(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[int | None]:
    """For each element of the new list its number in the old one; None: it is new.

    The same short name, else the same content, else the same place in a list that is as long as it was: it was renamed.
    """
    left = list(range(len(before)))
    found: list[int | None] = []
    for each in after:
        number = next((index for index in left if _is_same(before[index], each)), None)
        found.append(number)
        if number is not None:
            left.remove(number)
    if len(before) == len(after):
        return [index if number is None and index in left else number for index, number in enumerate(found)]
    return found


def _is_same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one["id"] == other["id"] if "id" in one and "id" in other else same(one, other)
