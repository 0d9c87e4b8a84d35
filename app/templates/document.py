"""YAML text to plain JSON values, with the place of every value; what people trip over in YAML is refused.

Refused: duplicate keys, anchors, aliases, tags, merge keys, several documents; too much text, too deep, too many
values. Dates stay text. Knows nothing of templates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ruamel.yaml.resolver import implicit_resolvers
from yaml import (
    AliasEvent,
    CollectionEndEvent,
    Event,
    MappingStartEvent,
    MarkedYAMLError,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
    StreamEndEvent,
    YAMLError,
)
from yaml.cyaml import CParser

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
        walk = _Walk(text, file)
        document = walk.document()
    except _Overgrown as found:
        raise TemplateRefused([Problem(file, *found.place, f"The document is {found}.")]) from None
    except MarkedYAMLError as trouble:
        raise TemplateRefused([_not_yaml(file, trouble)]) from None
    except (YAMLError, ValueError, RecursionError) as trouble:
        raise TemplateRefused([Problem(file, 1, 1, f"This is not YAML: {str(trouble).splitlines()[0]}.")]) from None
    if not isinstance(document, dict) and not walk.problems:
        fix = 'Its first line is slipway: "1".'
        raise TemplateRefused([Problem(file, 1, 1, "The file is empty or not a mapping of names to values.", fix)])
    if walk.problems:
        raise TemplateRefused(walk.problems)
    return Source(file, document, walk.places, walk.key_places)


def _not_yaml(file: str, trouble: MarkedYAMLError) -> Problem:
    """What libyaml trips over and where; what it was in the middle of, since a bracket is missed only at the end."""
    mark, begun = trouble.problem_mark or trouble.context_mark, trouble.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    words = f"This is not YAML: {trouble.problem}"
    if trouble.context and begun and begun.line + 1 < line:
        words += f" ({trouble.context}, which begins on line {begun.line + 1})"
    bracket = any(each in words for each in ("'}'", "']'"))
    fix = "Close the bracket." if bracket else "Look at the indentation and the colons here and on the line before."
    return Problem(file, line, column, f"{words}.", fix)


class _Overgrown(Exception):
    """Too deep or too many values, at a place."""

    def __init__(self, words: str, place: Position) -> None:
        super().__init__(words)
        self.place = place


class _Walk:
    """Turns the events of libyaml into values and notes their places; collects what is refused.

    It counts as it goes, so that the first value too many or too deep ends it before a tree is built of them. ruamel,
    which keeps comments and is used where text is written back, took half of the time of a lint for reading.
    """

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.places: dict[Path, Position] = {}
        self.key_places: dict[Path, Position] = {}
        self._next = CParser(text).get_event
        self._values = 0

    def document(self) -> Any:
        """The value of the one document; None where there is none. Raises YAMLError and _Overgrown."""
        self._next()  # the stream begins
        if isinstance(self._next(), StreamEndEvent):
            return None
        found = self._value(self._next(), ())
        self._next()  # the document ends
        if not isinstance(further := self._next(), StreamEndEvent):
            self._refuse(further, "This is not YAML: expected one document, but found another document.")
        return found

    def _value(self, event: Event, path: Path) -> Any:
        self.places[path] = _position(event)
        self._bound(event, path)
        if isinstance(event, AliasEvent) or event.anchor:
            self._refuse(event, "Anchors and aliases are not allowed.", "Write the value out.")
        if isinstance(event, MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(path)
        return self._scalar(event) if isinstance(event, ScalarEvent) else None

    def _bound(self, event: Event, path: Path) -> None:
        self._values += isinstance(event, NodeEvent)
        if self._values > MOST_VALUES:
            raise _Overgrown(f"longer than {MOST_VALUES:,} values", _position(event))
        if len(path) >= DEEPEST and not isinstance(event, ScalarEvent):
            raise _Overgrown(f"deeper than {DEEPEST} levels", _position(event))

    def _sequence(self, path: Path) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := self._next(), CollectionEndEvent):
            found.append(self._value(event, (*path, len(found))))
        return found

    def _mapping(self, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(key := self._next(), CollectionEndEvent):
            self._bound(key, path)
            if not isinstance(key, ScalarEvent) or key.anchor:
                self._refuse(key, "A key must be a plain word.")
                self._skip(key)
                self._skip(self._next())
            elif key.value == "<<":
                self._refuse(key, "Merge keys are not allowed.", "Write the values out.")
                self._skip(self._next())
            elif key.value in found:
                first = self.key_places[(*path, key.value)][0]
                self._refuse(key, f"“{key.value}” is written twice; the first is on line {first}.", "Keep one of them.")
                self._skip(self._next())
            else:
                self.key_places[(*path, key.value)] = _position(key)
                found[key.value] = self._value(self._next(), (*path, key.value))
        return found

    def _skip(self, event: Event) -> None:
        """Pass over a value that is not taken: it stands under a key that was refused."""
        depth = 0
        while True:
            depth += isinstance(event, MappingStartEvent | SequenceStartEvent)
            depth -= isinstance(event, CollectionEndEvent)
            self._bound(event, ())
            if not depth:
                return
            event = self._next()

    def _scalar(self, event: ScalarEvent) -> Any:
        text = str(event.value)
        kind = _kind(event, text)
        if kind in {"str", "timestamp"}:
            return text
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        if kind == "int" and text.lstrip("+-").isdecimal() and len(text) < 16:  # noqa: PLR2004  # 15 digits fit JSON
            return int(text)
        self._refuse(event, f"“{text[:40]}” is not text, a whole number, true, false or null.", "Put text in quotes.")
        return None

    def _refuse(self, event: Event, message: str, fix: str = "") -> None:
        self.problems.append(Problem(self.file, *_position(event), message, fix))


def _plain_kinds() -> dict[str, list[tuple[str, Any]]]:
    """What YAML 1.2 takes a plain word for, by its first character; libyaml itself knows only the words of 1.1."""
    found: dict[str, list[tuple[str, Any]]] = {}
    for versions, tag, pattern, first in implicit_resolvers:
        if (1, 2) in versions:
            for character in first:
                found.setdefault(character, []).append((tag.rpartition(":")[2], pattern))
    return found


_PLAIN = _plain_kinds()


def _kind(event: ScalarEvent, text: str) -> str:
    if event.tag and event.tag != "!":
        return str(event.tag).rpartition(":")[2]
    if event.implicit[0] and not event.tag:
        for kind, pattern in _PLAIN.get(text[:1], ()):
            if pattern.match(text):
                return kind
    return "str"


def _position(event: Event) -> Position:
    return event.start_mark.line + 1, event.start_mark.column + 1
