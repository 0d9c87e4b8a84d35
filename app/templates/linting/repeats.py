"""Repeated parts: what they follow, what they may hold, and who may name what is in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.flow.criteria import PART, Criterion
from app.flow.definition import Definition, Item
from app.flow.reading import read_definition
from app.templates.document import Source
from app.templates.rules import Path, Problem, likely_fix

Items = Mapping[str, tuple[Path, Mapping[str, Any]]]


def check_repeats(source: Source, items: Items) -> list[Problem]:
    """What does not fit of the repeated parts themselves, and of what points into them."""
    inside = _inside(items)
    roots = {key for key, (_, item) in items.items() if "repeat" in item}
    problems = [*_lists(source, items, inside), *_nested(source, items, inside, roots)]
    for key, (path, item) in items.items():
        for index, name in enumerate(item.get("depends_on", ())):
            if name not in roots and inside.get(name, key) != inside.get(key, "") and name in inside:
                message = f"“{name}” happens several times; what is outside waits for “{inside[name]}” as a whole."
                problems.append(source.problem((*path, "depends_on", index), message))
        for index, name in enumerate(item.get("shows", ())):
            kind, _, rest = name.partition(".")
            if kind in {"answers", "results"} and f"task.{rest.partition('.')[0]}" in inside:
                problems.append(
                    source.problem((*path, "shows", index), f"“{name}” has several values; none can be shown.")
                )
    for index, timer in enumerate(source.document.get("timers", ())):
        if timer["item"] in inside and timer.get("starts") == "started":
            message = "This happens several times; its timer starts when each of them opens."
            problems.append(source.problem(("timers", index, "starts"), message))
    return problems


def check_names(source: Source, places: Mapping[str, Path]) -> list[Problem]:
    """Criteria name what is in a repeated part only from inside it. For a document whose criteria all compile."""
    refused: list[Any] = []
    definition = read_definition(source.document, "", refused=refused)
    members = {member.key: repeat.key for repeat in definition.repeats.values() for member in repeat.pattern}
    problems = []
    for key, item, inner in _everything(definition):
        for word, criterion in _criteria(item, inner=inner):
            for name in criterion.names:
                told = _told(name, members, members.get(key) if inner else None)
                if told:
                    problems.append(source.problem((*places[key], word), told))
    return problems


def _everything(definition: Definition) -> Iterator[tuple[str, Item, bool]]:
    yield from ((key, item, False) for key, item in definition.items.items())
    for repeat in definition.repeats.values():
        yield from ((member.key, member, True) for member in repeat.pattern)


def _criteria(item: Item, *, inner: bool) -> Iterator[tuple[str, Criterion]]:
    for word in ("when", "entry", "exit"):
        criterion = getattr(item, word)
        if criterion is not None:
            yield word, criterion
    for criterion in item.action.inputs.values() if item.action else ():
        yield "action", criterion
    if item.review and not inner:
        yield from (("validations", each.criterion) for each in item.review.validations)
        yield from (("must_escalate", each.criterion) for each in item.review.must_escalate)


def _told(name: str, members: Mapping[str, str], part: str | None) -> str:
    """What is wrong with naming this from there; "" where nothing is."""
    if name == PART:
        return "" if part else f"“{PART}” is the name of one of several; nothing here happens several times."
    kind, _, rest = name.partition(".")
    key = f"{'task' if kind in {'answers', 'results'} else kind}.{rest.partition('.')[0]}"
    group = members.get(key)
    if group is None or group == part or (key == group and kind not in {"answers", "results"}):
        return ""
    return f"“{name}” has a value for each of several; from outside only “{group}” as a whole has one."


def _inside(items: Items) -> dict[str, str]:
    """Every item of a repeated part, itself among them, with the part's key."""
    found: dict[str, str] = {}
    for key, (path, item) in items.items():
        if "repeat" in item:
            found |= {other: key for other, (place, _) in items.items() if place[: len(path)] == path}
    return found


def _lists(source: Source, items: Items, inside: Mapping[str, str]) -> Iterator[Problem]:
    kinds = dict(_fields(source.document))
    lists = [name for name, kind in kinds.items() if kind == "list"]
    for path, item in items.values():
        wanted = item.get("repeat", {}).get("for_each")
        place = (*path, "repeat", "for_each")
        if wanted is not None and wanted not in kinds:
            yield source.problem(place, f"There is no “{wanted}”.", likely_fix(wanted, lists))
        elif wanted is not None and kinds[wanted] != "list":
            yield source.problem(place, f"“{wanted}” is no list.", "Give the field the type list: one entry a line.")
        elif wanted is not None and f"task.{wanted.split('.')[1]}" in inside and wanted.startswith("answers."):
            yield source.problem(place, f"“{wanted}” is asked several times; a list is asked once.")


def _fields(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from ((f"inputs.{each['id']}", each["type"]) for each in document.get("inputs", ()))
    yield from ((f"packet.{each['id']}", each["type"]) for each in document["handoff"]["fields"])
    for stage in document["stages"]:
        for milestone in stage["milestones"]:
            for task in milestone["tasks"]:
                yield from ((f"answers.{task['id']}.{each['id']}", each["type"]) for each in task.get("fields", ()))


def _nested(source: Source, items: Items, inside: Mapping[str, str], roots: set[str]) -> Iterator[Problem]:
    for key in roots:
        path = items[key][0]
        above = next((root for root in roots - {key} if path[: len(items[root][0])] == items[root][0]), None)
        if above is not None:
            yield source.problem(
                (*path, "repeat"), f"“{above}” happens several times already; a part in it happens once."
            )
    if f"milestone.{source.document['first_value']['milestone']}" in inside:
        yield source.problem(
            ("first_value", "milestone"), "First value is reached once; it cannot happen several times."
        )
