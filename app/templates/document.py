"""YAML text to plain JSON values, with the place of every value; what people trip over in YAML is refused.

Refused: duplicate keys, anchors, aliases, tags, merge keys, several documents; too much text, too deep, too many
values. Dates stay text. Knows nothing of templates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent, NodeEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.parser import Parser

from app.templates.rules import Path, Problem, TemplateRefused

LARGEST = 250_000  # bytes; ten times the largest template of the library
DEEPEST = 24
MOST_VALUES = 10_000
Position = tuple[int, int]  # line, column; both from 1


@dataclass(frozen=True, slots=True)
class Source:
    """A parsed document: plain values, and where each stands. `key_places` are the places of mapping keys."""

    file: str
    document: Any  # plain JSON: the schema decides what it must be
    places: dict[Path, Position]
    key_places: dict[Path, Position]

    def place(self, path: Path) -> Position:
        """Where a path stands; the nearest parent's place for what is not written."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, (1, 1))

    def is_included(self, path: Path) -> bool:
        """Whether a value came with a component."""
        del path
        return False

    def problem(self, path: Path, message: str, fix: str = "", *, key: bool = False) -> Problem:
        """A problem at a path (or at its key)."""
        line, column = self.key_places.get(path, self.place(path)) if key else self.place(path)
        return Problem(self.file, line, column, message, fix)


def read_yaml(text: str, file: str) -> Source:
    """Parse one document. Raises TemplateRefused with the place."""
    if len(text.encode("utf-8", "surrogatepass")) > LARGEST:
        raise TemplateRefused([Problem(file, 1, 1, f"The file is larger than {LARGEST // 1000} kB.")])
    try:
        node = _compose(text)
    except _Overgrown as found:
        raise TemplateRefused([Problem(file, *found.place, f"The document is {found}.")]) from None
    except MarkedYAMLError as trouble:
        mark = trouble.problem_mark or trouble.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise TemplateRefused([Problem(file, line, column, f"This is not YAML: {trouble.problem}.")]) from None
    except (YAMLError, ValueError, RecursionError) as trouble:
        raise TemplateRefused([Problem(file, 1, 1, f"This is not YAML: {str(trouble).splitlines()[0]}.")]) from None
    if not isinstance(node, MappingNode):
        fix = 'Its first line is slipway: "1".'
        raise TemplateRefused([Problem(file, 1, 1, "The file is empty or not a mapping of names to values.", fix)])
    walk = _Walk(file)
    document = walk.value(node, ())
    if walk.problems:
        raise TemplateRefused(walk.problems)
    return Source(file, document, walk.places, walk.key_places)


class _Overgrown(Exception):
    """Too deep or too many values, at a place."""

    def __init__(self, words: str, place: Position) -> None:
        super().__init__(words)
        self.place = place


class _BoundedParser(Parser):
    """Stops at the first value too many or too deep, before a tree is built of them."""

    depth = values = 0

    def get_event(self) -> Any:
        """The next event. Raises _Overgrown."""
        event = super().get_event()
        if isinstance(event, CollectionStartEvent):
            self.depth += 1
        elif isinstance(event, CollectionEndEvent):
            self.depth -= 1
        self.values += isinstance(event, NodeEvent)
        if self.depth > DEEPEST or self.values > MOST_VALUES:
            words = f"deeper than {DEEPEST} levels" if self.depth > DEEPEST else f"longer than {MOST_VALUES:,} values"
            raise _Overgrown(words, (event.start_mark.line + 1, event.start_mark.column + 1))
        return event


def _compose(text: str) -> Node:
    """The tree of nodes. Comments are not gathered: nobody reads them here, and they took half of the time."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Parser = _BoundedParser
    node: Node = yaml.compose(text)
    return node


class _Walk:
    """Turns nodes into values and notes places; collects what is refused."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.places: dict[Path, Position] = {}
        self.key_places: dict[Path, Position] = {}

    def value(self, node: Node, path: Path) -> Any:
        self.places[path] = _position(node)
        if len(path) > DEEPEST or len(self.places) > MOST_VALUES:
            if not self.problems:
                self._refuse(node, f"The document is deeper than {DEEPEST} levels or holds over {MOST_VALUES} values.")
            return None
        if node.anchor:
            self._refuse(node, "Anchors and aliases are not allowed.", "Write the value out.")
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.value(each, (*path, index)) for index, each in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode) or key.anchor:
                self._refuse(key, "A key must be a plain word.")
            elif key.value == "<<":
                self._refuse(key, "Merge keys are not allowed.", "Write the values out.")
            elif key.value in found:
                first = self.key_places[(*path, key.value)][0]
                self._refuse(key, f"“{key.value}” is written twice; the first is on line {first}.", "Keep one of them.")
            else:
                self.key_places[(*path, key.value)] = _position(key)
                found[key.value] = self.value(value, (*path, key.value))
        return found

    def _scalar(self, node: Node) -> Any:
        kind = str(node.tag).rpartition(":")[2]
        text = str(node.value)
        if kind in {"str", "timestamp"}:
            return text
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        if kind == "int" and text.lstrip("+-").isdecimal() and len(text) < 16:  # noqa: PLR2004  # 15 digits fit JSON
            return int(text)
        self._refuse(node, f"“{text[:40]}” is not text, a whole number, true, false or null.", "Put text in quotes.")
        return None

    def _refuse(self, node: Node, message: str, fix: str = "") -> None:
        self.problems.append(Problem(self.file, *_position(node), message, fix))


def _position(node: Node) -> Position:
    return node.start_mark.line + 1, node.start_mark.column + 1
