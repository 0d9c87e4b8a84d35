"""What the schema cannot see: references, cycles, criteria that do not type-check, missing languages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

from app.flow.criteria import Vocabulary
from app.flow.definition import EXCEPTION_TYPES
from app.flow.reading import Refused, declared_names, read_definition
from app.templates.components import has_includes
from app.templates.document import Source
from app.templates.linting.files import check_files
from app.templates.linting.handing import check_handing
from app.templates.linting.messages import check_messages
from app.templates.linting.people import check_people
from app.templates.linting.repeats import check_names, check_repeats
from app.templates.linting.sense import check_further
from app.templates.linting.texts import walk_values
from app.templates.linting.watching import check_watching
from app.templates.rules import Path, Problem, likely_fix

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_CHOICE = 2  # so many make one
_NAMING_ROLES = frozenset({"owner", "reviewer", "return_to", "role"})
_OF_ENTRY = 3  # steps to a word of an entry of a section: the section, its number, the word
Values = Iterable[tuple[Path, Any]]
_LANGUAGE = re.compile(r"[a-z]{2}(-[A-Z]{2})?")
_UNDECLARED = re.compile(r"undeclared reference to '([^']+)'")
_WRITTEN = {  # what people write out of habit, by the words in which CEL's parser stumbles over it
    "token recognition error at: '=": "Compare with ==.",
    "mismatched input 'and'": "“and” is written &&.",
    "mismatched input 'or'": "“or” is written ||.",
    "mismatched input 'not'": "“not” is written !.",
    "extraneous input 'not'": "“not” is written !.",
    "no matching overload": "The two sides are of different types; true and false stand without quotes.",
}


def lint_document(source: Source) -> list[Problem]:
    """Every problem of a document that the schema has accepted."""
    if has_includes(source.document):
        return [source.problem((), "A component is included here, and only a template can include one.")]
    lint = _Lint(source)
    lint.ids()
    if not lint.problems:  # a doubled id makes every later finding misleading
        for check in (
            lint.owners,
            lint.references,
            lint.cycles,
            lint.kinds,
            lint.successors,
            lint.optional,
            lint.repeated,
            lint.gates,
            lint.value,
            lint.languages,
            lint.routes,
            lint.sections,
        ):
            check()
        lint.criteria()
        if any("repeat" in item for _, item in lint.items.values()):
            lint.problems += check_names(source, lint.places)
    lint.problems += check_further(source, lint.values, sound=not lint.problems)
    return sorted(set(lint.problems))


class _Lint:
    def __init__(self, source: Source) -> None:
        self.source, self.document = source, source.document
        self.problems: list[Problem] = []
        self.values = list(walk_values(self.document))
        self.items = dict(_items(self.document))
        self.places = {key: path for key, (path, _) in self.items.items()}
        self.roles = {role["id"] for role in self.document["roles"]}

    def say(self, path: Path, message: str, fix: str = "") -> None:
        self.problems.append(self.source.problem(path, message, fix))

    def ids(self) -> None:
        """Ids are unique: items within their kind everywhere, everything else within its list."""
        seen: dict[str, Path] = {}
        for key, path in _all_items(self.document):
            if key in seen:
                line = self.source.place((*seen[key], "id"))[0]
                self.say((*path, "id"), f"“{key}” exists already, on line {line}.", "Give it another id.")
            seen.setdefault(key, path)
        for path, entries in _keyed_lists(self.values):
            ids: set[str] = set()
            for index, entry in enumerate(entries):
                if entry["id"] in ids:
                    self.say((*path, index, "id"), f"“{entry['id']}” is in this list twice.", "Give it another id.")
                ids.add(entry["id"])

    def owners(self) -> None:
        """Every role that is named exists, and stands on the side its task says."""
        sides = {role["id"]: role["side"] for role in self.document["roles"]}
        for path, name in _role_places(self.values):
            if name not in sides:
                lent = "Declare it, or hand one of yours to the component: with: {…: role}; its README has the names."
                fix = lent if self.source.is_included(path) else likely_fix(name, sides)
                self.say(path, f"There is no role “{name}”.", fix)
        for path, item in self.items.values():
            if "side" in item and sides.get(item["owner"], item["side"]) != item["side"]:
                message = f"This is the {item['side']}'s, but its owner “{item['owner']}” is not on that side."
                self.say((*path, "side"), message, "Change side or owner.")

    def references(self) -> None:
        """What is depended on, timed, shown or meant as first value exists."""
        for path, item in self.items.values():
            for index, key in enumerate(item.get("depends_on", ())):
                self._known((*path, "depends_on", index), key)
            for index, name in enumerate(item.get("after", ())):
                self._known((*path, "after", index), f"stage.{name}")
        for index, timer in enumerate(self.document.get("timers", ())):
            self._known(("timers", index, "item"), timer["item"])
            if not timer["ladder"]:
                self.say(
                    ("timers", index, "ladder"), "A timer without a ladder tells nobody.", "Add a rung with a role."
                )
        names = declared_names(self.document)
        for path, item in self.items.values():
            for index, name in enumerate(item.get("shows", ())):
                if name not in names:
                    self.say((*path, "shows", index), f"There is no “{name}” to show.", likely_fix(name, names))

    def _known(self, path: Path, key: str) -> None:
        if key not in self.items:
            self.say(path, f"There is no “{key}”.", likely_fix(key, self.items))

    def cycles(self) -> None:
        """No item waits for itself, through what it depends on, its stage's order or what lies below it."""
        graph: dict[str, set[str]] = {}
        before: str | None = None
        for stage in self.document["stages"]:
            after = stage.get("after", [before] if before else [])
            _wait(graph, f"stage.{stage['id']}", None, [f"stage.{name}" for name in after])
            before = stage["id"]
        for key, (_, item) in self.items.items():
            if not key.startswith("stage."):
                _wait(graph, key, self._parent(key), item.get("depends_on", ()))
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as trouble:
            chain = list(dict.fromkeys(name.rpartition(" ")[2] for name in trouble.args[1]))
            path = self.places.get(chain[0], ())
            self.say(path, f"These wait for each other and can never open: {' → '.join([*chain, chain[0]])}.")

    def _parent(self, key: str) -> str:
        path = self.places[key]
        above = path[:-2]
        return next(other for other, place in self.places.items() if place == above)

    def kinds(self) -> None:
        """A choice is between two or more, and what asks has something to ask."""
        for path, item in self.items.values():
            if item.get("join") == "any" and len(item.get("depends_on", item.get("after", ()))) < _CHOICE:
                self.say((*path, "join"), "“any” is a choice: name two or more that it depends on.")
            needs_fields = item.get("kind") in {"form", "check"}
            if needs_fields and not item.get("fields"):
                self.say(path, f"A {item['kind']} needs fields.", "Add at least one field.")

    def successors(self) -> None:
        """One successor for each lifecycle."""
        seen: set[str] = set()
        for index, link in enumerate(self.document.get("then", ())):
            if link["lifecycle"] in seen:
                message = f"“{link['lifecycle']}” follows already; a run has one successor for each."
                self.say(("then", index, "lifecycle"), message)
            seen.add(link["lifecycle"])

    def repeated(self) -> None:
        """What happens several times follows a list that there is, holds no other, and is named from outside as one."""
        self.problems += check_repeats(self.source, self.items)

    def optional(self) -> None:
        """Nothing waits for what is optional: no gate, no first value, no clock, and nothing needed beside it."""
        for key, (path, item) in self.items.items():
            if item.get("optional") and key.startswith("gate."):
                self.say((*path, "optional"), "A gate cannot be optional: somebody decides it.", "Give it a condition.")
            elif item.get("optional") and item.get("kind") == "action":
                message = "An action cannot be optional: it begins by itself, nobody chooses it."
                self.say((*path, "optional"), message, "Give it a condition.")
            elif not item.get("optional") and not self._is_optional(key):
                self._waits_for_needed(key, path, item)
        for index, timer in enumerate(self.document.get("timers", ())):
            if timer["item"] in self.items and self._is_optional(timer["item"]):
                self.say(("timers", index, "item"), "Nobody is late with what is optional; it has no timer.")
        if self._is_optional(f"milestone.{self.document['first_value']['milestone']}"):
            self.say(("first_value", "milestone"), "First value cannot be optional.")

    def _waits_for_needed(self, key: str, path: Path, item: Mapping[str, Any]) -> None:
        beside = [name for name in item.get("depends_on", ()) if name in self.items]
        if item.get("join") == "any" and not all(self._is_optional(name) for name in beside):
            beside = []  # what is needed among them comes, whatever becomes of the others
        for index, name in enumerate(item.get("depends_on", ())):
            if name in beside and self._is_optional(name) and self._stage(name) == self._stage(key):
                message = f"This is needed and would wait for “{name}”, which is optional."
                self.say((*path, "depends_on", index), message, "Make both optional, or neither.")
        tasks = item.get("tasks", ())
        if tasks and item["evidence"]["source"] == "tasks" and all(task.get("optional") for task in tasks):
            message = "Nothing in this milestone is needed: it would be reached before anybody has begun."
            self.say(path, message, "Make the milestone optional, or one of its tasks needed.")

    def _is_optional(self, key: str) -> bool:
        """Whether an item, or what it stands in, is optional."""
        while key in self.items:
            if self.items[key][1].get("optional"):
                return True
            if key.startswith("stage."):
                break
            key = self._parent(key)
        return False

    def _stage(self, key: str) -> str:
        while not key.startswith("stage."):
            key = self._parent(key)
        return key

    def gates(self) -> None:
        """A gate can be passed and sent back; a handoff gate can also be overridden (X9)."""
        for key, (path, gate) in self.items.items():
            if not key.startswith("gate."):
                continue
            effects = {each["effect"] for each in gate["decisions"]}
            wanted = {"pass", "return"} | ({"proceed", "override"} if gate.get("handoff") else set())
            for effect in sorted(wanted - effects):
                self.say((*path, "decisions"), f"This gate has no decision with the effect “{effect}”.")
        if not any(gate.get("handoff") for _, gate in self.items.values()):
            self.say(("handoff",), "No gate judges the handoff packet.", "Mark one gate with handoff: true.")

    def value(self) -> None:
        """First value is a value milestone that a person proves and nothing can skip (REQUIREMENTS 1.6)."""
        key = f"milestone.{self.document['first_value']['milestone']}"
        path: Path = ("first_value", "milestone")
        self._known(path, key)
        item = self.items.get(key, ((), {}))[1]
        if item and item["layer"] != "value":
            self.say(path, "First value must be a milestone of the layer “value”.")
        if item and item["evidence"]["source"] != "person":
            self.say(path, "First value must be proven by a person.", "Set its evidence's source to person.")
        stage = self.items[self._parent(key)][1] if item else {}
        if "when" in item or "when" in stage:
            self.say(path, "First value cannot depend on a condition: a skipped milestone proves nothing.")
        layers = {each.get("layer") for _, each in self.items.values()} - {None}
        for layer in sorted({"internal", "implementation", "value"} - layers):
            self.say(("stages",), f"No milestone is of the layer “{layer}”.")

    def languages(self) -> None:
        """Every text exists in every language of the template; every placeholder is a text."""
        locales, texts = self.document["locales"], self.document.get("texts", {})
        if self.document["default_locale"] not in locales:
            self.say(("default_locale",), "The default language is not among the template's languages.")
        for path, text in _texts(self.values):
            for language in locales:
                if language not in text:
                    self.say(path, f"This text is missing in “{language}”.")
            for language, sentence in text.items():
                for name in _PLACEHOLDER.findall(sentence):
                    if name not in texts:
                        self.say((*path, language), f"There is no text “{name}” to put here.", likely_fix(name, texts))

    def routes(self) -> None:
        """Each of the seven exception types has a route, so that none ends in an inbox (REQUIREMENTS 1.7)."""
        routed = {route["id"] for route in self.document["exceptions"]}
        for kind in EXCEPTION_TYPES:
            if kind not in routed:
                self.say(("exceptions",), f"The exception type “{kind}” has no route.")

    def sections(self) -> None:
        """Roles are held by somebody; communications, controls, clocks and questions fit what they name."""
        for check in (check_people, check_messages, check_files, check_handing, check_watching):
            self.problems += check(self.source, self.items)

    def criteria(self) -> None:
        """Criteria type-check against the declared names, with the place inside a longer text."""
        refused: Refused = []
        read_definition(self.document, "", refused=refused)
        names = Vocabulary(declared_names(self.document)).names
        for path, trouble in refused:
            found = _UNDECLARED.search(trouble.message)
            fix = likely_fix(found.group(1), names) if found else _in_cel(trouble.message)
            told = self.source.problem(path, f"{trouble.message.rstrip('.')}.", fix)
            line, column = told.line, told.column
            if trouble.line > 1:  # a block text: its lines stand below its key
                line, column = line + trouble.line, 1
            self.problems.append(replace(told, line=line, column=column + trouble.column - 1))


def _wait(graph: dict[str, set[str]], key: str, parent: str | None, depends_on: Any) -> None:
    """An item opens after its parent opened and what it depends on closed; it closes before its parent does."""
    graph.setdefault(f"open {key}", set()).update(f"close {name}" for name in depends_on)
    graph.setdefault(f"close {key}", set()).add(f"open {key}")
    if parent is not None:
        graph[f"open {key}"].add(f"open {parent}")
        graph.setdefault(f"close {parent}", set()).add(f"close {key}")


def _all_items(document: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    for number, stage in enumerate(document["stages"]):
        path: Path = ("stages", number)
        yield f"stage.{stage['id']}", path
        for index, gate in enumerate(stage.get("gates", ())):
            yield f"gate.{gate['id']}", (*path, "gates", index)
        for index, milestone in enumerate(stage["milestones"]):
            below: Path = (*path, "milestones", index)
            yield f"milestone.{milestone['id']}", below
            for count, task in enumerate(milestone["tasks"]):
                yield f"task.{task['id']}", (*below, "tasks", count)


def _in_cel(message: str) -> str:
    """How CEL writes what was meant, where it is known."""
    return next((fix for start, fix in _WRITTEN.items() if start in message), "")


def _items(document: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Path, Mapping[str, Any]]]]:
    for key, path in _all_items(document):
        node: Any = document
        for step in path:
            node = node[step]
        yield key, (path, {"owner": node.get("reviewer"), **node})


def _keyed_lists(values: Values) -> Iterator[tuple[Path, list[Any]]]:
    for path, node in values:
        if isinstance(node, list) and node and isinstance(node[0], dict) and "id" in node[0]:
            yield path, node


def _texts(values: Values) -> Iterator[tuple[Path, dict[str, str]]]:
    """Localised texts: mappings whose keys are languages."""
    for path, node in values:
        if not isinstance(node, dict) or not node or (path and path[-1] in {"input", "texts"}):
            continue
        if all(_LANGUAGE.fullmatch(key) for key in node):
            yield path, node


def _role_places(values: Values) -> Iterator[tuple[Path, str]]:
    """Where a role is named; an action's input and a text of a language may be called so, too."""
    for path, node in values:
        if isinstance(node, str) and "input" not in path and _names_role(path):
            yield path, node


def _names_role(path: Path) -> bool:
    of_message = path[:1] == ("communications",) and len(path) == _OF_ENTRY and path[-1] in {"to", "replies_to"}
    return of_message or path[-1] in _NAMING_ROLES or bool({"route", "escalate"} & set(path[-2:-1]))
