"""Plain documents by words: `stages.handoff.gates.handoff_quality.due` names elements of keyed lists by their id.

A list is keyed when each element is a mapping with an `id` of its own; any other list is one value. Nothing here is
told what a template is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from app.templates.rules import Path

Words = tuple[str, ...]
Kind = Literal["absent", "mapping", "keyed", "value"]
_HOLDS = frozenset({dict, list})


def words_of(dotted: str) -> Words:
    """The words of a dotted path; of an empty one, none."""
    return tuple(dotted.split(".")) if dotted else ()


def copied(value: Any) -> Any:
    """A plain value of its own. `copy.deepcopy` keeps what is shared shared, which a plain document never needs."""
    if type(value) is dict:
        return {name: copied(each) if type(each) in _HOLDS else each for name, each in value.items()}
    if type(value) is list:
        return [copied(each) if type(each) in _HOLDS else each for each in value]
    return value


def is_keyed(value: Any) -> bool:
    """Whether a value is a list whose elements are told apart by their id. An empty list is not."""
    if not isinstance(value, list) or not value:
        return False
    ids = [each["id"] for each in value if isinstance(each, dict) and isinstance(each.get("id"), str)]
    return len(ids) == len(value) == len(set(ids))


def kind_of(value: Any) -> Kind:
    """What a value is to a merge. None is absent: no document says null."""
    if value is None:
        return "absent"
    if isinstance(value, dict):
        return "mapping"
    return "keyed" if is_keyed(value) or value == [] else "value"


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same to a reader of JSON: true is not 1, and the order of keys says nothing."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)


def alike(one: Any, other: Any) -> bool:
    """Whether two values are the same but for the order of their elements."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(value, other[name]) for name, value in one.items())
    if is_keyed(one) and is_keyed(other):
        return alike({each["id"]: each for each in one}, {each["id"]: each for each in other})
    return same(one, other)


def ids_of(value: Any) -> list[str]:
    """The ids of a keyed list in its order; of anything else, none."""
    return [each["id"] for each in value] if is_keyed(value) else []


def step(node: Any, word: str) -> Any:
    """What a word names in a mapping or a keyed list; None where there is nothing."""
    if isinstance(node, dict):
        return node.get(word)
    if is_keyed(node):
        return next((each for each in node if each["id"] == word), None)
    return None


def look(document: Any, words: Sequence[str]) -> Any:
    """The value at a path; None where there is none."""
    node = document
    for word in words:
        node = step(node, word)
    return node


def words_at(document: Any, path: Path) -> Words:
    """A path of keys and positions as words, list elements by their id; goes on where the document ends."""
    words, node = [], document
    for each in path:
        if isinstance(each, int):
            node = node[each] if isinstance(node, list) and each < len(node) else None
            named = node.get("id") if isinstance(node, dict) else None
            words.append(named if isinstance(named, str) else str(each))
        else:
            node = node.get(each) if isinstance(node, dict) else None
            words.append(each)
    return tuple(words)


def path_at(document: Any, words: Sequence[str]) -> Path:
    """The path of keys and positions that words name; ends where the document does."""
    path: list[str | int] = []
    node = document
    for word in words:
        found = _position(node, word)
        if found is None:
            break
        path.append(found)
        node = node[found]
    return tuple(path)


def _position(node: Any, word: str) -> str | int | None:
    if isinstance(node, dict):
        return word if word in node else None
    for index, each in enumerate(node if isinstance(node, list) else ()):
        if (each.get("id") if isinstance(each, dict) else str(index)) == word:
            return index
    return None
