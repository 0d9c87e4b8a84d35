"""Controls, clocks and conditional questions: what they name is there, once, and known when it is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from app.flow.fields import Field, check_value
from app.templates.document import Source
from app.templates.rules import Path, Problem, likely_fix

Items = Mapping[str, tuple[Path, Mapping[str, Any]]]


def check_watching(source: Source, items: Items) -> list[Problem]:
    """What does not fit of controls, clocks, questions and defaults."""
    return [
        *_controls(source, items),
        *_clocks(source, items),
        *_questions(source, items),
        *_defaults(source, items),
    ]


def _controls(source: Source, items: Items) -> Iterator[Problem]:
    routes = {route["id"]: route for route in source.document["exceptions"]}
    for index, control in enumerate(source.document.get("controls", ())):
        path: Path = ("controls", index)
        yield from _once(source, items, (*path, "on"), control["on"])
        route = routes.get(control["exception"])
        if route and control["reason_code"] not in route["reason_codes"]:
            message = f"“{control['exception']}” is explained by: {', '.join(route['reason_codes'])}."
            yield source.problem((*path, "reason_code"), message, "Use one of them, or add this one to the route.")


def _clocks(source: Source, items: Items) -> Iterator[Problem]:
    for name, key in source.document.get("clocks", {}).items():
        yield from _once(source, items, ("clocks", name), key)


def _once(source: Source, items: Items, path: Path, key: str) -> Iterator[Problem]:
    """The item exists and happens once."""
    if key not in items:
        yield source.problem(path, f"There is no “{key}”.", likely_fix(key, items))
        return
    place = items[key][0]
    for root, (above, item) in items.items():
        if "repeat" in item and place[: len(above)] == above:
            yield source.problem(path, f"“{root}” happens several times; this needs an item that happens once.")


def _questions(source: Source, items: Items) -> Iterator[Problem]:
    """A question's condition knows what was asked before it, not itself and nothing that comes after."""
    for key, (path, item) in items.items():
        fields = item.get("fields", ())
        for index, field in enumerate(fields):
            for later in fields[index:]:
                name = f"answers.{key.partition('.')[2]}.{later['id']}"
                if re.search(rf"\b{re.escape(name)}\b", field.get("when", "")):
                    message = f"“{name}” is asked here or later; a condition knows what was asked before."
                    yield source.problem((*path, "fields", index, "when"), message, "Move the question up.")


def _defaults(source: Source, items: Items) -> Iterator[Problem]:
    places: list[tuple[Path, Any]] = [(("inputs",), source.document.get("inputs", ()))]
    places += [(("handoff", "fields"), source.document["handoff"]["fields"])]
    places += [((*path, "fields"), item.get("fields", ())) for path, item in items.values()]
    for path, fields in places:
        for index, written in enumerate(fields):
            if "default" in written:
                yield from _default(source, (*path, index, "default"), written)


def _default(source: Source, path: Path, written: Mapping[str, Any]) -> Iterator[Problem]:
    kept = {name: value for name, value in written.items() if name not in {"when", "rule", "source", "why"}}
    field = msgspec.convert({name: kept[name] for name in kept.keys() & set(Field.__struct_fields__)}, Field)
    wrong = check_value(field, written["default"])
    if wrong:
        yield source.problem(path, f"The default does not fit its field: {wrong}")
