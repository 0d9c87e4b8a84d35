"""Puts included components into a template, before it is checked and gets its address. Pure.

`- {id: access, include: component/access-review@1.0.0, with: {owner: csm}}` becomes the component's own elements, each
id with `access_` before it; so two includes do not clash. What runs is pinned to the expanded form.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.templates.components.reading import PLACES, Component
from app.templates.document import Position, Source
from app.templates.rules import Path, Problem, TemplateRefused, likely_fix

FindComponent = Callable[[str], Component | None]  # by its full name: component/<id>@<version>
MOST_INCLUDED = 200
_ENTRY_ID = 3  # steps to the id of an entry of a component's own list: the list, its number, its id
_LISTS = frozenset(PLACES)
_ITEMS = frozenset({"milestones", "tasks", "gates"})  # lists whose ids get the including element's before them
_ALONG = ("timers", "controls", "communications")  # sections that a component may bring with it
_CRITERIA = frozenset({"when", "entry", "exit", "business", "compliance", "check", "suppress", "for_each"})
_KEYS = frozenset({"item", "on", 0})
# a name of an item, or a text literal, which is left as it is
_NAMED = re.compile(
    r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|\b(task|milestone|gate|answers|results)\.([a-z][a-z0-9_]*)"""
)
_TAKES: dict[str, type | tuple[type, ...]] = {
    "role": str,
    "item": str,
    "criterion": str,
    "word": str,
    "text": dict,
    "duration": dict,
    "number": int,
    "flag": bool,
}


def no_components(name: str) -> Component | None:
    """Where there are none."""
    del name
    return None


def has_includes(document: Any) -> bool:
    """Whether an element of a list of milestones or tasks stands for a component."""
    return next(_includes(document), None) is not None


def expand(source: Source, find: FindComponent) -> Source:
    """The source with every include replaced by what it stands for. Raises TemplateRefused with the places."""
    if not has_includes(source.document):
        return source
    work = _Expansion(source, find)
    document = work.document()
    if work.problems:
        raise TemplateRefused(work.problems)
    return Expanded(source.file, document, work.places, work.key_places, work.foreign, work.foreign_keys)


@dataclass(frozen=True, slots=True)
class Expanded(Source):
    """An expanded document: what a component brought is told at its place in the component."""

    foreign: Mapping[Path, tuple[str, Position]] = field(default_factory=dict)
    foreign_keys: Mapping[Path, tuple[str, Position]] = field(default_factory=dict)

    def is_included(self, path: Path) -> bool:
        """Whether a component wrote the value."""
        return any(path[:length] in self.foreign for length in range(len(path), 0, -1))

    def problem(self, path: Path, message: str, fix: str = "", *, key: bool = False) -> Problem:
        """A problem in the component that wrote the value, else in the template."""
        line, column = self.key_places.get(path, self.place(path)) if key else self.place(path)
        found = self.foreign_keys.get(path) if key else None
        for length in range(len(path), 0, -1):
            found = found or self.foreign.get(path[:length])
        if found is None:
            return Problem(self.file, line, column, message, fix)
        return Problem(found[0], *found[1], f"{message} It is included on line {line} of {self.file}.", fix)


@dataclass(frozen=True, slots=True)
class _Inside:
    """Where the copy is: in the template (component None), or in a component, and what it was included with."""

    source: Source
    component: Component | None = None
    prefix: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)
    own: frozenset[str] = frozenset()
    at: Position = (1, 1)  # the including element in the template
    stack: tuple[str, ...] = ()


class _Expansion:
    """Copies a document, path by path, and notes where each value came from."""

    def __init__(self, source: Source, find: FindComponent) -> None:
        self.source, self.find = source, find
        self.problems: list[Problem] = []
        self.included = 0
        self.places: dict[Path, Position] = {}
        self.key_places: dict[Path, Position] = {}
        self.foreign: dict[Path, tuple[str, Position]] = {}
        self.foreign_keys: dict[Path, tuple[str, Position]] = {}
        self.along: list[tuple[str, _Inside, Path, Any]] = []

    def document(self) -> dict[str, Any]:
        """The whole, with the timers, controls and communications that components bring."""
        made: dict[str, Any] = self._copy(_Inside(self.source), self.source.document, (), ())
        for section, inside, old, entry in self.along:
            entries = made.setdefault(section, [])
            entries.append(self._copy(inside, entry, old, (section, len(entries))))
        return made

    def _copy(self, inside: _Inside, value: Any, old: Path, new: Path) -> Any:
        self._note(inside, old, new)
        if inside.component and isinstance(value, str) and value.startswith("$"):
            return copy.deepcopy(inside.given.get(value[1:], value))  # what is not declared is no role, item, criterion
        if isinstance(value, dict):
            return {name: self._copy(inside, each, (*old, name), (*new, name)) for name, each in value.items()}
        if isinstance(value, list):
            return self._list(inside, value, old, new)
        return self._word(inside, value, old) if inside.component and isinstance(value, str) else value

    def _list(self, inside: _Inside, value: list[Any], old: Path, new: Path) -> list[Any]:
        made: list[Any] = []
        for index, each in enumerate(value):
            if old and old[-1] in _LISTS and isinstance(each, dict) and "include" in each:
                self._include(inside, each, (*old, index), new, made)
            else:
                made.append(self._copy(inside, each, (*old, index), (*new, len(made))))
        return made

    def _include(self, inside: _Inside, element: dict[str, Any], old: Path, new: Path, made: list[Any]) -> None:
        component = self._found(inside, element, old)
        if component is None:
            return
        place = component.place
        if place != old[-2]:
            message = f"“{component.name}” is made of {place}; this is a list of {old[-2]}."
            self.problems.append(inside.source.problem((*old, "include"), message))
            return
        below = _Inside(
            source=component.source,
            component=component,
            prefix=f"{inside.prefix}{element['id']}_" if place in _ITEMS else inside.prefix,
            given=self._given(inside, component, element, old),
            own=frozenset(component.own_keys()),
            at=inside.at if inside.component else self.source.place(old),
            stack=(*inside.stack, component.name),
        )
        waits = [self._handed(inside, key) for key in element.get("depends_on", ())]
        when = self._handed(inside, element.get("when"))
        first = len(made)
        made += self._parts(below, component, (*new,), first)
        for part in made[first:]:
            if waits:
                part["depends_on"] = [*waits, *part.get("depends_on", ())]
            if when:
                part["when"] = f"({when}) && ({part['when']})" if "when" in part else when
        for section in _ALONG:
            for index, entry in enumerate(component.source.document.get(section, ())):
                self.along.append((section, below, (section, index), entry))

    def _parts(self, inside: _Inside, component: Component, new: Path, first: int) -> list[Any]:
        """The component's elements, as they stand in the list from `first` on; includes of its own among them."""
        made: list[Any] = [None] * first  # so that their places are counted from there
        for index, each in enumerate(component.source.document[component.place]):
            old: Path = (component.place, index)
            if "include" in each:
                self._include(inside, each, old, new, made)
            else:
                made.append(self._copy(inside, each, old, (*new, len(made))))
        return made[first:]

    def _found(self, inside: _Inside, element: dict[str, Any], old: Path) -> Component | None:
        name = element["include"]
        component = self.find(name)
        self.included += 1
        if name in inside.stack:
            message = f"Components include each other: {' → '.join([*inside.stack, name])}."
        elif self.included > MOST_INCLUDED:
            message = f"More than {MOST_INCLUDED} components are included."
        elif component is None:
            message = f"There is no “{name}”."
        else:
            return component
        self.problems.append(inside.source.problem((*old, "include"), message))
        return None

    def _given(self, inside: _Inside, component: Component, element: dict[str, Any], old: Path) -> dict[str, Any]:
        """What the component's parameters stand for here; says what is missing, unknown or of another kind."""
        taken, given = component.parameters, dict[str, Any]()
        place: Path = (*old, "with")
        for name, value in element.get("with", {}).items():
            if name not in taken:
                message = f"“{component.name}” takes no “{name}”."
                self.problems.append(inside.source.problem((*place, name), message, likely_fix(name, taken)))
                continue
            given[name] = handed = self._handed(inside, value)
            fits = isinstance(handed, _TAKES[taken[name]["type"]])
            if not fits or (taken[name]["type"] == "number" and isinstance(handed, bool)):
                message = f"“{name}” of “{component.name}” must be a {taken[name]['type']}."
                self.problems.append(inside.source.problem((*place, name), message))
        for name, parameter in taken.items():
            if name not in given and "default" not in parameter:
                message = f"“{component.name}” needs “{name}”."
                self.problems.append(inside.source.problem(old, message, f"Give it: with: {{{name}: …}}."))
            given.setdefault(name, parameter.get("default"))
        return given

    def _handed(self, inside: _Inside, value: Any) -> Any:
        """What an including element says, as it reads in the template."""
        if inside.component is None or not isinstance(value, str):
            return value
        if value.startswith("$"):
            return copy.deepcopy(inside.given.get(value[1:], value))
        return self._renamed(inside, value)

    def _word(self, inside: _Inside, value: Any, old: Path) -> Any:
        """A string of a component as it reads in the template: ids and names of its own items get their prefix."""
        if not isinstance(value, str) or not old:
            return value
        last = old[-1]
        if last == "id" and (len(old) == _ENTRY_ID or old[-3] in _ITEMS):
            return f"{inside.prefix}{value}"
        if last == "sends":
            return f"{inside.prefix}{value}" if f"sends.{value}" in inside.own else value
        above = old[-2] if len(old) > 1 else ""
        named = last in _CRITERIA or above in {"depends_on", "input", "shows"} or last in _KEYS
        return self._renamed(inside, value) if named else value

    def _renamed(self, inside: _Inside, text: str) -> str:
        def rename(match: re.Match[str]) -> str:
            literal, kind, name = match.groups()
            key = f"{'task' if kind in {'answers', 'results'} else kind}.{name}"
            return match.group() if literal or key not in inside.own else f"{kind}.{inside.prefix}{name}"

        return _NAMED.sub(rename, text)

    def _note(self, inside: _Inside, old: Path, new: Path) -> None:
        if inside.component is None:
            self.places[new] = inside.source.place(old)
            if old in inside.source.key_places:
                self.key_places[new] = inside.source.key_places[old]
            return
        self.places[new] = inside.at
        self.foreign[new] = (inside.source.file, inside.source.place(old))
        if old in inside.source.key_places:
            self.foreign_keys[new] = (inside.source.file, inside.source.key_places[old])


def _includes(node: Any, name: str = "") -> Iterator[dict[str, Any]]:
    if isinstance(node, list):
        for each in node:
            if name in _LISTS and isinstance(each, dict) and "include" in each:
                yield each
            yield from _includes(each)
    elif isinstance(node, dict):
        for key, each in node.items():
            yield from _includes(each, key)
