"""What can never happen: criteria that are true in no case, and what never opens for them. Only what is proven."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from app.flow.criteria import Criterion, CriterionRefused, Vocabulary
from app.flow.reading import IMPLICIT_FIELDS, declared_names
from app.templates.document import Source
from app.templates.linting.criteria import Written, at, check_choices, check_cost, criteria_of
from app.templates.linting.domains import Known, never_holds
from app.templates.linting.texts import check_texts
from app.templates.rules import Path, Problem

_ROUNDS = 6  # what is left out leaves out more, and so on; so far it is followed
_MEANS = {
    "when": "so “{key}” is always left out",
    "entry": "so “{key}” never opens",
    "exit": "so “{key}” never ends by itself",
    "check": "so this check never passes",
    "must_escalate": "so nobody is ever asked",
    "then": "so nothing ever follows",
    "controls": "so this control never finds anything",
    "communications": "so this part of its policy never counts",
    "fields": "so this is never asked",
}


def check_further(source: Source, values: Iterable[tuple[Path, Any]], *, sound: bool) -> list[Problem]:
    """Texts that are not plain, and, in a document without other problems, criteria without sense."""
    problems = check_texts(source, values)
    if not sound:
        return problems
    sense = _Sense(source)
    for written in sense.written:
        problems += check_cost(source, written) or check_choices(source, written, sense.fields)
    refused = {(each.line, each.column) for each in problems}
    return problems + [each for each in sense.problems() if not _stands_at(refused, each)]


def _stands_at(places: set[tuple[int, int]], problem: Problem) -> bool:
    """Whether something is said of that line already, and more exactly."""
    return any(line == problem.line for line, _ in places)


class _Sense:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.items = dict(_items(source.document))  # key → path, element, parent
        self.owners = {path: key for key, (path, _, _) in self.items.items()}
        self.fields = dict(_fields(source.document))
        self.written = list(criteria_of(source.document))
        self.vocabulary = Vocabulary(declared_names(source.document))
        self.never_done: set[str] = set()
        self.never_open: set[str] = set()
        self.waits = _waits(source.document, self.items)
        self.compile = cache(self._compile)
        self.below = self._contents()

    def problems(self) -> list[Problem]:
        """All that can never be, each told once, at its cause."""
        told: dict[Path, Problem] = {}
        for _ in range(_ROUNDS):
            before = len(told)
            for written in self.written:
                if written.path not in told and (problem := self._never(written)):
                    told[written.path] = problem
            if len(told) == before:
                break
        return [*told.values(), *self._timers()]

    def _never(self, written: Written) -> Problem | None:
        criterion = self.compile(written.text) if written.word != "input" else None
        if criterion is None:
            return None
        key, word = self._owner(written)
        if key in self.never_open:
            return None  # told at its cause
        later = self._after(key, word) if key else frozenset()
        if not never_holds(criterion, Known(self.fields, lambda name: self._states(name, later))):
            return None
        fix = ""
        if later and not never_holds(criterion, Known(self.fields, lambda name: self._states(name, frozenset()))):
            names = [name.rpartition(".")[0] for name in criterion.names if name.rpartition(".")[0] in later]
            fix = f"“{names[0]}” cannot be done before that." if names else ""
        if word in {"when", "entry"}:
            self._leave_out(key, opens=word == "when")
        return at(self.source, written, 0, f"This can never be true, {_MEANS[word].format(key=key)}.", fix)

    def _compile(self, text: str) -> Criterion | None:
        try:
            return self.vocabulary.condition(text, "")
        except CriterionRefused:
            return None

    def _owner(self, written: Written) -> tuple[str, str]:
        """The item that a criterion belongs to, and what it decides."""
        if written.path[0] in {"then", "controls", "communications"}:
            return "", str(written.path[0])
        if "fields" in written.path:
            return "", "fields"
        if "must_escalate" in written.path:
            return "", "must_escalate"
        if written.word == "check":
            return "", "check"
        return self.owners.get(written.owner, ""), written.word

    def _states(self, name: str, later: frozenset[str]) -> tuple[str, ...]:
        if name in later:
            return ("skipped", "")  # somebody may leave out what has not begun
        states = () if name in self.never_done else ("done",)
        optional = any(self.items[each][1].get("optional") for each in self._line(name))
        return (*states, "skipped", *(("not_needed",) if optional else ()), "")

    def _line(self, key: str) -> Iterator[str]:
        """An item and what it stands in."""
        above: str | None = key
        while above in self.items:
            yield above
            above = self.items[above][2]

    def _below(self, key: str) -> frozenset[str]:
        """An item and all that is in it."""
        return frozenset(self.below.get(key, ()))

    def _contents(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for each in self.items:
            for above in self._line(each):
                found.setdefault(above, set()).add(each)
        return found

    def _leave_out(self, key: str, *, opens: bool) -> None:
        """It is never done, nor what is in it; with a false entry, nor what waits for it."""
        if key not in self.items:
            return
        out = self._below(key) if opens else self._below(key) | self._following(key)
        self.never_done |= out
        self.never_open |= out

    def _following(self, key: str) -> set[str]:
        """What can only open when an item has ended, whatever happens."""
        found: set[str] = set()
        fresh = {key}
        while fresh:
            waiting = {each for each in self.items if self.waits[each] & fresh}
            fresh = {below for each in waiting for below in self._below(each)} - found
            found |= fresh
        return found

    def _after(self, key: str, word: str) -> frozenset[str]:
        """What has certainly not begun when this criterion is read."""
        found = self._following(key) | (self._below(key) if word != "exit" else {key})
        for each in self._line(key):
            if self.items[each][1].get("optional"):
                break
            above = self.items[each][2]
            if above is not None:  # what is needed holds what it stands in, and so what waits for that
                found |= {above} | self._following(above)
        kept = self._below(f"milestone.{self.source.document['first_value']['milestone']}")
        return frozenset(found - kept)  # first value stays reached when stages before it begin anew

    def _timers(self) -> Iterator[Problem]:
        for index, timer in enumerate(self.source.document.get("timers", ())):
            if timer["item"] in self.never_open and timer.get("starts", "opened") == "opened":
                message = f"“{timer['item']}” never opens, so this timer never starts."
                yield self.source.problem(("timers", index, "item"), message)


def _items(document: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Path, Mapping[str, Any], str | None]]]:
    for number, stage in enumerate(document["stages"]):
        path: Path = ("stages", number)
        above = f"stage.{stage['id']}"
        yield above, (path, stage, None)
        for index, gate in enumerate(stage.get("gates", ())):
            yield f"gate.{gate['id']}", ((*path, "gates", index), gate, above)
        for index, milestone in enumerate(stage["milestones"]):
            key, place = f"milestone.{milestone['id']}", (*path, "milestones", index)
            yield key, (place, milestone, above)
            for count, task in enumerate(milestone["tasks"]):
                yield f"task.{task['id']}", ((*place, "tasks", count), task, key)


def _waits(document: Mapping[str, Any], items: Mapping[str, tuple[Path, Any, str | None]]) -> dict[str, set[str]]:
    """What each item certainly waits for. Of several joined by `any` none is certain."""
    waits: dict[str, set[str]] = {}
    for key, (_, element, _) in items.items():
        names = element.get("depends_on", ())
        waits[key] = set() if element.get("join") == "any" and len(names) > 1 else set(names)
    before: str | None = None
    for stage in document["stages"]:
        after = stage.get("after", [before] if before else [])
        waits[f"stage.{stage['id']}"] |= {f"stage.{name}" for name in after}
        before = stage["id"]
    return waits


def _fields(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from ((f"inputs.{each['id']}", each) for each in document.get("inputs", ()))
    yield from ((f"packet.{each['id']}", each) for each in document["handoff"]["fields"])
    for stage in document["stages"]:
        for task in (task for milestone in stage["milestones"] for task in milestone["tasks"]):
            implicit = IMPLICIT_FIELDS.get(task["kind"], ())
            yield from ((f"answers.{task['id']}.{each.id}", {"type": each.type}) for each in implicit)
            handed = task.get("credential", {}).get("fields", ())
            yield from ((f"answers.{task['id']}.{each['id']}", {"type": "boolean"}) for each in handed)
            yield from ((f"answers.{task['id']}.{each['id']}", each) for each in task.get("fields", ()))
            outputs = task.get("action", {}).get("outputs", ())
            yield from ((f"results.{task['id']}.{each['id']}", each) for each in outputs)
