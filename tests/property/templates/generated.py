"""Made-up edits of the library's documents, at any depth: a partner's, and what upstream did meanwhile. Not a test.

Nothing here looks at the product's own idea of a tree: what a list of ids is, is written down once more.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any

from app.templates.library import list_shelves, open_shelf

Words = tuple[str, ...]
POOL = (7, "other", {"en": "Another"}, ["task.one"], True, 1)


@cache
def library() -> tuple[dict[str, Any], ...]:
    """Every template's document, without what is the version's own."""
    shelves = [open_shelf(name) for name in list_shelves()]
    own = {"slipway", "id", "version", "locks", "audience"}
    found = [shelf.effective(partner).document for shelf in shelves for partner in (None, *shelf.overlays)]
    return tuple({name: value for name, value in document.items() if name not in own} for document in found)


def keyed(value: Any) -> bool:
    """Whether a value is a list of elements with ids."""
    return isinstance(value, list) and value != [] and all(isinstance(each, dict) and "id" in each for each in value)


def below(node: Any) -> dict[str, Any]:
    """The named parts of a mapping, or of a keyed list."""
    if isinstance(node, dict):
        return {name: value for name, value in node.items() if name != "id"}
    return {each["id"]: each for each in node} if keyed(node) else {}


def at(document: Any, words: Words) -> Any:
    """The value at a path, or None."""
    for word in words:
        if isinstance(document, dict):
            document = document.get(word)
        else:
            document = next((each for each in document if each["id"] == word), None) if keyed(document) else None
    return document


def walk(node: Any, words: Words = ()) -> Iterator[tuple[Words, Any]]:
    """Every path of a document with its value."""
    for name, each in below(node).items():
        yield (*words, name), each
        yield from walk(each, (*words, name))


def change(document: dict[str, Any], words: Words, value: Any) -> None:
    """Set, put in or (None) take out what is at a path."""
    parent = at(document, words[:-1]) if words[:-1] else document
    if isinstance(parent, dict):
        parent.pop(words[-1], None)
        if value is not None:
            parent[words[-1]] = copy.deepcopy(value)
        return
    index = next((n for n, each in enumerate(parent) if each["id"] == words[-1]), len(parent))
    parent[index : index + 1] = [] if value is None else [copy.deepcopy(value)]


@dataclass
class Partner:
    """A patch, and what it is about."""

    patch: dict[str, Any] = field(default_factory=dict)
    said: dict[Words, Any] = field(default_factory=dict)  # path: value; None: taken out
    moved: set[Words] = field(default_factory=set)
    anchors: set[Words] = field(default_factory=set)  # beside which something is put, and so stays

    def entry(self, document: Any, words: Words) -> Any:
        """The place in the patch for what is said at a path; made where it is missing."""
        node: Any = self.patch
        for word in words:
            parent, document = document, below(document).get(word)
            if isinstance(parent, list):
                found = next((each for each in node if each["id"] == word), None)
                if found is None:
                    found = {"id": word}
                    node.append(found)
                node = found
            else:
                node = node.setdefault(word, [] if isinstance(document, list) else {})
        return node


def partner(chance: Random, document: dict[str, Any], hot: list[Words]) -> Partner:
    """A few edits that do not touch each other."""
    made = Partner()
    for number in range(chance.randint(1, 5)):
        words = chance.choice(hot)
        if any(words[: len(one)] == one or one[: len(words)] == words for one in [*made.said, *made.moved]):
            continue
        inside = at(document, words[:-1]) if words[:-1] else document
        if isinstance(inside, list):
            _of_element(chance, document, words, made, number)
        else:
            value = chance.choice([None, *POOL])
            made.entry(document, words[:-1])[words[-1]] = copy.deepcopy(value)
            made.said[words] = value
    if not made.patch:
        made.patch["description"] = made.said["description",] = {"en": "Mine"}
    return made


def _of_element(chance: Random, document: dict[str, Any], words: Words, made: Partner, number: int) -> None:
    gone = {one[-1] for one, value in made.said.items() if value is None and one[:-1] == words[:-1]}
    names = [name for name in below(at(document, words[:-1])) if name != words[-1] and name not in gone]
    place: dict[str, Any] = chance.choice([{"$first": True}, {"$last": True}])
    if names:
        place = chance.choice([place, {"$after": chance.choice(names)}, {"$before": chance.choice(names)}])
    what = chance.choice(["remove", "move", "add"])
    if what == "remove" and words not in made.anchors:
        made.entry(document, words)["$remove"] = True
        made.said[words] = None
    elif what == "move":
        made.entry(document, words).update(place)
        made.moved.add(words)
        made.anchors |= {(*words[:-1], str(name)) for mark, name in place.items() if mark in {"$after", "$before"}}
    elif what == "add":
        name = f"new_{chance.randint(0, 2)}"
        fresh: dict[str, Any] = {"id": name, "title": {"en": chance.choice("ab")}}
        path = (*words[:-1], name)
        if path in made.said or any(one[: len(path)] == path for one in made.said) or at(document, path):
            return
        made.entry(document, words[:-1]).append({"id": fresh["id"], "$add": True} | fresh | {"$last": True})
        made.said[path] = fresh


def upstream(chance: Random, document: dict[str, Any], hot: list[Words], made: Partner) -> dict[str, Any]:
    """The next version: a few changes, some at the partner's own places, some of them the partner's own."""
    new = copy.deepcopy(document)
    for _ in range(chance.randint(0, 6)):
        words = chance.choice([*hot, *made.said, *made.moved])
        words = words[: chance.choice([len(words), len(words), chance.randint(1, len(words))])]
        parent = at(new, words[:-1]) if words[:-1] else new
        if isinstance(parent, dict):
            change(new, words, chance.choice([made.said.get(words), None, *POOL]))
        elif keyed(parent):
            _elements(chance, new, words, made)
    return new


def _elements(chance: Random, new: dict[str, Any], words: Words, made: Partner) -> None:
    parent = at(new, words[:-1])
    what = chance.choice(["remove", "shuffle", "add"])
    if what == "remove":
        change(new, words, None)
    elif what == "shuffle":
        chance.shuffle(parent)
    else:
        fresh = {"id": f"new_{chance.randint(0, 2)}", "title": {"en": chance.choice("ab")}}
        fresh = chance.choice([fresh, made.said.get((*words[:-1], str(fresh["id"]))) or fresh])
        if fresh["id"] not in below(parent):
            parent.insert(chance.randint(0, len(parent)), copy.deepcopy(fresh))
