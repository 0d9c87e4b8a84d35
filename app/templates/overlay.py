"""A partner's overlay on a template: a tree like the template's, merged by id. Pure.

Elements of keyed lists change the one with their `id`; `$add` puts in a new one, `$remove` takes one out,
`$after: id` or `$first: true` moves it. `null` takes a value out; every other list is replaced as a whole.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.flow.definition import Definition
from app.flow.reading import below, read_definition
from app.templates.document import Position, Source, read_yaml
from app.templates.language import Template, address, check_template
from app.templates.rules import Path, Problem, TemplateRefused, likely_fix
from app.templates.schema import check_schema

_MARKS = frozenset({"id", "$add", "$remove", "$after", "$first"})


@dataclass(frozen=True, slots=True)
class Overlay:
    """A checked overlay: its document, content address and source."""

    document: Mapping[str, Any]
    digest: str
    source: Source

    @property
    def id(self) -> str:
        """The overlay's own name."""
        return str(self.document["overlay"])


@dataclass(frozen=True, slots=True)
class Effective:
    """A template with its overlays applied.

    `origin` names, by dotted path, the overlay that each changed value came from; a path that is not there (nor any
    path above it) comes from the base.
    """

    document: Mapping[str, Any]
    digest: str
    base: str
    overlays: tuple[str, ...]
    origin: Mapping[str, str]

    def origin_of(self, path: str) -> str:
        """`base`, or the id of the overlay a value came from."""
        words = path.split(".")
        for length in range(len(words), 0, -1):
            found = self.origin.get(".".join(words[:length]))
            if found:
                return found
        return "base"

    def compile(self) -> Definition:
        """Ready to run."""
        return read_definition(self.document, self.digest)


def read_overlay(text: str, file: str) -> Overlay:
    """Read an overlay and check its own shape. Raises TemplateRefused. What it changes is checked when applied."""
    source = read_yaml(text, file)
    problems = check_schema(source, "overlay")
    if problems:
        raise TemplateRefused(problems)
    return Overlay(source.document, address(source.document), source)


def apply_overlays(template: Template, overlays: Sequence[Overlay] = ()) -> Effective:
    """The effective document: base, then each overlay in turn, checked as a whole. Raises TemplateRefused."""
    document = copy.deepcopy(dict(template.document))
    merge = _Merge(template)
    for overlay in overlays:
        merge.apply(overlay, document)
    if merge.problems:
        raise TemplateRefused(merge.problems)
    problems = check_template(_located(document, template, merge))
    if problems:
        raise TemplateRefused(problems)
    names = tuple(overlay.digest for overlay in overlays)
    return Effective(document, address(document), template.digest, names, merge.origin)


@dataclass(slots=True)
class _Merge:
    """One merge under way: what came from where, and what was refused."""

    template: Template
    problems: list[Problem] = field(default_factory=list)
    origin: dict[str, str] = field(default_factory=dict)
    places: dict[str, tuple[str, Position]] = field(default_factory=dict)
    overlay: Overlay | None = None

    def apply(self, overlay: Overlay, document: dict[str, Any]) -> None:
        """Merge one overlay into the document."""
        self.overlay = overlay
        if self._written_for_this_base(overlay):
            self._mapping(document, overlay.document["patch"], ("patch",), "")

    def _written_for_this_base(self, overlay: Overlay) -> bool:
        base, template = overlay.document["base"], self.template
        if (base["id"], base["version"]) != (template.id, template.version):
            message = f"This overlay is for {base['id']} {base['version']}, not for {template.id} {template.version}."
            self._say(("base",), message, "Upgrade the overlay to this version first.")
            return False
        if base["digest"] != template.digest:
            message = f"This overlay was written for other content of {template.id} {template.version}."
            self._say(("base", "digest"), message, f"The template's address is {template.digest}.")
            return False
        return True

    def _mapping(self, target: dict[str, Any], patch: Mapping[str, Any], path: Path, words: str) -> None:
        for name, value in patch.items():
            if name in _MARKS:
                continue
            below = f"{words}.{name}" if words else name
            if isinstance(value, dict) and isinstance(target.get(name), dict):
                self._mapping(target[name], value, (*path, name), below)
            elif _is_keyed(target.get(name)) and _is_keyed(value):
                self._keyed(target[name], value, (*path, name), below)
            elif _is_keyed(value) and any(_MARKS - {"id"} & each.keys() for each in value) and name not in target:
                target[name] = []
                self._keyed(target[name], value, (*path, name), below)
            elif not self._locked((*path, name), below):
                self._write(target, name, value, (*path, name), below)

    def _write(self, target: dict[str, Any], name: str, value: Any, path: Path, words: str) -> None:
        if value is None:
            if target.pop(name, None) is None:
                self._say(path, f"There is no “{words}” to take out.", likely_fix(name, target))
        else:
            target[name] = copy.deepcopy(value)
        self._note(words, path)

    def _keyed(self, target: list[Any], patch: list[Any], path: Path, words: str) -> None:
        for index, element in enumerate(patch):
            place, name = (*path, index), element["id"]
            below = f"{words}.{name}"
            found = next((each for each in target if each["id"] == name), None)
            if element.get("$add"):
                self._add(target, element, place, below)
            elif found is None:
                fix = likely_fix(name, [each["id"] for each in target]) or "To put in a new one, say $add: true."
                self._say(place, f"There is no “{below}” in the template.", fix)
            elif element.get("$remove"):
                if not self._locked(place, below):
                    target.remove(found)
                    self._note(below, place)
            else:
                self._mapping(found, element, place, below)
                self._move(target, found, element, place, below)

    def _add(self, target: list[Any], element: Mapping[str, Any], place: Path, words: str) -> None:
        if any(each["id"] == element["id"] for each in target):
            self._say(place, f"“{words}” exists already.", "Leave $add out to change it.")
        elif not self._locked(place, words):
            fresh = {name: copy.deepcopy(value) for name, value in element.items() if not name.startswith("$")}
            target.append(fresh)
            self._note(words, place)
            self._move(target, fresh, element, place, words)

    def _move(self, target: list[Any], found: Any, element: Mapping[str, Any], place: Path, words: str) -> None:
        if "$after" not in element and "$first" not in element:
            return
        if self._locked(place, words):
            return
        names = [each["id"] for each in target if each is not found]
        after = element.get("$after")
        if after is not None and after not in names:
            self._say((*place, "$after"), f"There is no “{after}” beside it.", likely_fix(str(after), names))
            return
        target[:] = [each for each in target if each is not found]
        target.insert(0 if after is None else names.index(after) + 1, found)
        self._note(f"{words}.$position", place)

    def _locked(self, path: Path, words: str) -> bool:
        """Whether the template locks this path, one above it or one below it; says so if it does."""
        for lock in self.template.document.get("locks", ()):
            locked = lock["path"]
            if f"{words}.".startswith(f"{locked}.") or f"{locked}.".startswith(f"{words}."):
                self._say(path, f"“{locked}” is locked by the template: {lock['reason']}")
                return True
        return False

    def _note(self, words: str, path: Path) -> None:
        if self.overlay is not None:
            self.origin[words] = self.overlay.id
            self.places[words] = (self.overlay.source.file, self.overlay.source.place(path))

    def _say(self, path: Path, message: str, fix: str = "") -> None:
        if self.overlay is not None:
            self.problems.append(self.overlay.source.problem(path, message, fix))


@dataclass(frozen=True, slots=True)
class _Located(Source):
    """An effective document whose places are looked up in the file each value came from."""

    template: Template | None = None
    merged: Mapping[str, tuple[str, Position]] = field(default_factory=dict)

    def problem(self, path: Path, message: str, fix: str = "", *, key: bool = False) -> Problem:
        """A problem in the overlay that wrote the value, or in the base at the same place by id."""
        words = _words(self.document, path)
        for length in range(len(words), 0, -1):
            found = self.merged.get(".".join(words[:length]))
            if found:
                return Problem(found[0], *found[1], f"{'.'.join(words)}: {message}", fix)
        source = self.template.source if self.template else self
        place = _path_of(source.document, words)
        line, column = source.key_places.get(place, source.place(place)) if key else source.place(place)
        return Problem(source.file, line, column, message, fix)


def _located(document: dict[str, Any], template: Template, merge: _Merge) -> _Located:
    return _Located(template.source.file, document, {}, {}, template, merge.places)


def _words(document: Any, path: Path) -> list[str]:
    """A path with list elements named by their id."""
    words, node = [], document
    for step in path:
        node = below(node, step)
        words.append(
            str(node["id"]) if isinstance(step, int) and isinstance(node, dict) and "id" in node else str(step)
        )
    return words


def _path_of(document: Any, words: Sequence[str]) -> Path:
    """The path of dotted words in a document; ends where the document does."""
    path: list[str | int] = []
    node = document
    for word in words:
        step = _step(node, word)
        if step is None:
            break
        path.append(step)
        node = node[step]
    return tuple(path)


def _step(node: Any, word: str) -> str | int | None:
    if isinstance(node, dict):
        return word if word in node else None
    for index, each in enumerate(node if isinstance(node, list) else ()):
        if (each.get("id") if isinstance(each, dict) else str(index)) == word:
            return index
    return None


def _is_keyed(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) and "id" in each for each in value)
