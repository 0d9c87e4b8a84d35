"""Adds, moves, removes and renames elements of a document. Pure; the document that comes in stays as it is."""

from __future__ import annotations

import copy
from typing import Any

from app.kernel.errors import Invalid, Missing
from app.templates.studio.editing.elements import Element, find_element, list_at, listed
from app.templates.studio.editing.kinds import Part
from app.templates.studio.editing.renaming import renamed
from app.web.translations import mark

Document = dict[str, Any]
GONE = mark("That element is no longer in the source. Nothing of its form was applied; your source is as you left it.")

TAKEN = mark("Another one of this list has that short name.")


class ElementGone(Missing):
    """The source has no such element."""

    status = 409


class NameTaken(Invalid):
    """Another element of the same list has that short name."""


def found(document: Document, at: str) -> Element:
    """The element. Raises ElementGone."""
    element = find_element(document, at)
    if element is None:
        raise ElementGone(GONE)
    return element


def replaced(document: Document, at: str, value: Document) -> tuple[Document, str]:
    """The document with another value of an element, and its words now. Raises ElementGone, NameTaken.

    What refers to an element by its short name follows along.
    """
    element = found(document, at)
    if not element.path:
        return value, ""
    made = copy.deepcopy(document)
    above, last = _above(made, element)
    above[last] = value
    old, new = element.value.get("id"), value.get("id")
    if old == new or not isinstance(old, str) or not isinstance(new, str):
        return made, at
    if any(isinstance(each, dict) and each.get("id") == new for each in (each for each in above if each is not value)):
        raise NameTaken(TAKEN, errors=[("of.id", TAKEN)])
    return renamed(made, element.kind.name, old, new), ".".join((*element.words[:-1], new))


def added(document: Document, at: str, name: str) -> tuple[Document, str]:
    """The document with a new element at the end of a list of an element, and its words. Raises ElementGone."""
    made = copy.deepcopy(document)
    element = found(made, at)
    part = next((each for each in element.kind.parts if each.name == name and each.adding), None)
    if part is None or (rows := _list(element, part)) is None:
        raise ElementGone(GONE)
    rows.append(_fresh(document, element, part))
    return made, [each.at for each in listed(element, part)][-1]


def moved(document: Document, at: str, steps: int) -> Document:
    """The document with an element that many places further down its list, as far as that goes. Raises ElementGone."""
    element = found(document, at)
    if not element.path:
        return document
    made = copy.deepcopy(document)
    rows, index = _above(made, element)
    if isinstance(rows, list):
        rows.insert(max(0, min(index + steps, len(rows) - 1)), rows.pop(index))
    return made


def removed(document: Document, at: str) -> tuple[Document, str]:
    """The document without an element, and the words of what it stood in. Raises ElementGone."""
    element = found(document, at)
    if not element.path:
        raise ElementGone(GONE)
    made = copy.deepcopy(document)
    rows, index = _above(made, element)
    del rows[index]
    above = list(element.words[:-1])
    while above and find_element(made, ".".join(above)) is None:
        above.pop()
    return made, ".".join(above)


def _above(document: Document, element: Element) -> tuple[Any, Any]:
    """What an element stands in, and where."""
    node: Any = document
    for step in element.path[:-1]:
        node = node[step]
    return node, element.path[-1]


def _list(element: Element, part: Part) -> list[Any] | None:
    """The list of a part, made where there is none; None where something else stands."""
    node = element.value
    for name in part.at[:-1]:
        node = node.setdefault(name, {})
        if not isinstance(node, dict):
            return None
    rows = node.get(part.at[-1])
    if rows is None:
        rows = node[part.at[-1]] = []
    return rows if isinstance(rows, list) else None


def _fresh(document: Document, element: Element, part: Part) -> Document:
    made = copy.deepcopy(part.fresh)
    taken = [each.get("id") for each in list_at(element.value, part.at) or () if isinstance(each, dict)]
    if "id" in made:
        first = f"new_{part.kind}"
        made["id"] = next(name for name in _names(first) if name not in taken)
    owner = element.value.get("owner") or _first_role(document)
    for name, value in made.items():
        if name in {"owner", "reviewer", "role"} and not value:
            made[name] = owner
        elif isinstance(value, dict) and set(value) == {"en"}:
            made[name] = {str(document.get("default_locale") or "en"): value["en"]}
    return made


def _names(first: str) -> Any:
    yield first
    number = 2
    while True:
        yield f"{first}_{number}"
        number += 1


def _first_role(document: Document) -> str:
    roles = document.get("roles")
    found = [each.get("id") for each in roles if isinstance(each, dict)] if isinstance(roles, list) else []
    return str(next(filter(None, found), "onboarding_lead"))
