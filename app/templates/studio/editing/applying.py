"""One change of the studio, from what a page sent to the text that it makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.templates.document import read_yaml
from app.templates.rules import TemplateRefused
from app.templates.studio.editing.changing import added, found, moved, removed, replaced
from app.templates.studio.editing.elements import Element, find_element
from app.templates.studio.editing.forms import fields_of, filled, shown_values
from app.templates.studio.editing.writing import respelled

STEPS = {"up": -1, "down": 1}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a page asks for: the form it showed with what was typed there, and what to do then.

    `do`: "" | up | down | remove | add:<list> | add:<list>@<element>, of the element whose list it is.
    """

    at: str = ""
    do: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)


def edited(saved: str, text: str, wish: Wish) -> tuple[str, str]:
    """The text after a wish, and the words of the element to show then.

    `saved` is the text that the page's form was drawn from: only what was typed otherwise is a change. Raises
    TemplateRefused for a text that cannot be read, ElementGone, NameTaken, FieldsWrong, NotWritten.
    """
    document, at = read_yaml(text, "").document, wish.at
    if "stages" not in document and "roles" not in document:
        return text, ""
    if wish.typed:
        element = found(document, at)
        before = shown_values_in(saved, at, locales_of(document))
        document, at = replaced(document, at, filled(element, before, wish.typed, locales_of(document)))
    if wish.do in STEPS:
        document = moved(document, at, STEPS[wish.do])
    elif wish.do == "remove":
        document, at = removed(document, at)
    elif wish.do.startswith("add:"):
        name, said, where = wish.do.removeprefix("add:").partition("@")
        document, at = added(document, where if said else at, name)
    return respelled(text, document), at


def shown_values_in(text: str, at: str, locales: list[str]) -> dict[str, str]:
    """What the form of an element of a text showed; nothing where the text cannot be read or has none."""
    try:
        element = find_element(read_yaml(text, "").document, at)
    except TemplateRefused:
        return {}
    return shown_values(fields_of(element, locales), element) if element else {}


def locales_of(document: Mapping[str, Any]) -> list[str]:
    """The languages that texts are asked for in."""
    said = document.get("locales")
    known = [each for each in said if isinstance(each, str)] if isinstance(said, list) else []
    return known or [str(document.get("default_locale") or "en")]


def form_of(document: dict[str, Any], at: str) -> Element:
    """The element whose form is shown: the one that is asked for, or the template itself."""
    return find_element(document, at) or found(document, "")
