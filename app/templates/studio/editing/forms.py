"""The form of an element: what stands in its properties, and the element as what was typed would have it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.kernel.errors import Invalid
from app.templates.studio.editing.elements import Element
from app.templates.studio.editing.kinds import Property
from app.web.translations import mark

PREFIX = "of."  # what the names of an element's fields begin with, so that they are not the page's own
UNIT = ".unit"
DAYS, HOURS = "business_days", "business_hours"
_CRITERIA = frozenset({"entry", "exit"})
_BUSINESS = "business"
_MOST = 10_000_000
_WRONG = mark("Write a whole number.")


class FieldsWrong(Invalid):
    """What was typed into the form of an element does not fit; `errors` says where."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One field of a form. `language`: of a text, which of them."""

    name: str
    property: Property
    value: str
    language: str = ""


def fields_of(element: Element, locales: list[str]) -> list[Asked]:
    """Every field of an element's form with what stands there now, as a form sends it."""
    return [asked for each in element.kind.properties for asked in _fields(each, element.value, locales)]


def filled(element: Element, before: Mapping[str, str], typed: Mapping[str, str], locales: list[str]) -> dict[str, Any]:
    """The element with every property that was typed otherwise than it stood. Raises FieldsWrong.

    `before` is what the form showed: what nobody touched stays as it is, whatever happened to it meanwhile.
    """
    made: dict[str, Any] = copy.deepcopy(element.value)
    order = [each.name.partition(".")[0] for each in element.kind.properties]
    wrong: list[tuple[str, str]] = []
    for each in element.kind.properties:
        names = [asked.name for asked in _fields(each, element.value, locales)]
        names += [f"{names[0]}{UNIT}"] if each.widget == "duration" else []
        if each.widget == "flag" or any(name in typed for name in names):
            now = {name: typed.get(name, "").strip() for name in names}
            if any(now[name] != before.get(name, "").strip() for name in names):
                try:
                    _put(made, each, _value(each, now, _stands(made, each.name)), order)
                except FieldsWrong:
                    wrong.append((names[0], _WRONG))
    if wrong:
        raise FieldsWrong(mark("Look at the fields that are marked."), errors=wrong)
    return made


def shown_values(asked: list[Asked], element: Element) -> dict[str, str]:
    """The values of all fields by name, with the unit of each duration."""
    units = {
        f"{each.name}{UNIT}": unit_of(_stands(element.value, each.property.name))
        for each in asked
        if each.property.widget == "duration"
    }
    return {each.name: each.value for each in asked} | units


def unit_of(duration: Any) -> str:
    """Working days or working hours; days where nothing is said."""
    return HOURS if isinstance(duration, dict) and HOURS in duration else DAYS


def _fields(one: Property, value: Any, locales: list[str]) -> Iterator[Asked]:
    name, stands = f"{PREFIX}{one.name}", _stands(value, one.name)
    if one.widget == "text":
        said = stands if isinstance(stands, dict) else {}
        for language in dict.fromkeys([*locales, *(str(each) for each in said)]):
            yield Asked(f"{name}.{language}", one, _word(said.get(language)), language)
    elif one.widget == "duration":
        length = next(iter(stands.values()), "") if isinstance(stands, dict) else ""
        yield Asked(name, one, _word(length))
    elif one.widget == "flag":
        yield Asked(name, one, "true" if stands is True else "")
    elif one.widget in {"names", "roles"}:
        yield Asked(name, one, "\n".join(map(_word, stands)) if isinstance(stands, list) else "")
    else:
        yield Asked(name, one, _word(stands))


def _stands(value: Any, name: str) -> Any:
    """What stands at a property; a criterion that is one word is that of business."""
    if not name:
        return value
    head, _, tail = name.partition(".")
    found = value.get(head) if isinstance(value, dict) else None
    if tail and head in _CRITERIA and isinstance(found, str):
        return found if tail == _BUSINESS else None
    return _stands(found, tail) if tail else found


def _word(value: Any) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _value(one: Property, now: dict[str, str], stands: Any) -> Any:
    """What was typed, as the document says it; None for nothing. Raises FieldsWrong."""
    [first, *_] = now.values()
    match one.widget:
        case "text":
            said = dict(stands) if isinstance(stands, dict) else {}
            said |= {name.rpartition(".")[2]: words.replace("\r\n", "\n") for name, words in now.items()}
            return {language: words for language, words in said.items() if words} or None
        case "duration":
            unit = next((value for name, value in now.items() if name.endswith(UNIT)), "")
            return {HOURS if unit == HOURS else DAYS: _number(first)} if first else None
        case "number":
            return _number(first) if first else None
        case "flag":
            return True if first else None
        case "names" | "roles":
            return first.replace(",", " ").split() or None
    return first or None


def _number(typed: str) -> int:
    digits = typed.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= len(str(_MOST))):
        raise FieldsWrong(_WRONG)
    return int(typed)


def _put(made: dict[str, Any], one: Property, value: Any, order: list[str]) -> None:
    """Say it in the element, at the place where a person would look for it; say nothing where it is None."""
    head, _, tail = one.name.partition(".")
    if not head:
        made.clear()
        made.update(value or {})
    elif not tail:
        _set(made, head, value, order)
    else:
        inner = made.get(head)
        below = dict(inner) if isinstance(inner, dict) else {_BUSINESS: inner} if isinstance(inner, str) else {}
        _set(below, tail, value, [])
        whole: Any = below[_BUSINESS] if head in _CRITERIA and set(below) == {_BUSINESS} else below or None
        _set(made, head, whole, order)


def _set(made: dict[str, Any], name: str, value: Any, order: list[str]) -> None:
    if value is None:
        made.pop(name, None)
        return
    if name in made or name not in order:
        made[name] = value
        return
    before = {"id", *order[: order.index(name)]}
    items = list(made.items())
    at = max((index + 1 for index, (each, _) in enumerate(items) if each in before), default=0)
    items.insert(at, (name, value))
    made.clear()
    made.update(items)
