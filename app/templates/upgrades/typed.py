"""What a person decided on the merge view, as a form brings it: by overlay and path, a side or a value of their own."""

from __future__ import annotations

from textwrap import indent
from typing import Any

from app.templates.document import read_yaml
from app.templates.merging import Own
from app.templates.merging.resolving import Resolution
from app.templates.rules import TemplateRefused
from app.web.forms import Form
from app.web.translations import mark

SIDE, VALUE = "side", "value"
_SIDES = ("ours", "theirs", "own")
UNREADABLE = mark("Write a value as it would stand in the template: a word, a number, or YAML.")


def name_of(part: str, overlay: str, path: str) -> str:
    """The name of a field."""
    return f"{part}:{overlay}:{path}"


def read_decisions(form: Form) -> tuple[dict[str, dict[str, Resolution]], dict[str, str]]:
    """What is decided, by overlay and path; and what is wrong with it, by the name of its field."""
    decided: dict[str, dict[str, Resolution]] = {}
    wrong: dict[str, str] = {}
    for name, side in form.pairs:
        part, _, rest = name.partition(":")
        overlay, _, path = rest.partition(":")
        if part != SIDE or side not in _SIDES:
            continue
        if side != "own":
            decided.setdefault(overlay, {})[path] = side
            continue
        field = name_of(VALUE, overlay, path)
        try:
            decided.setdefault(overlay, {})[path] = Own(value_of(form.first(field)))
        except TemplateRefused:
            wrong[field] = UNREADABLE
    return decided, wrong


def value_of(text: str) -> Any:
    """A value in YAML or JSON, read with the same care as a whole template. Raises TemplateRefused."""
    said = text.strip()
    if not said:
        return None
    wrapped = f"value:\n{indent(said, '  ')}\n" if "\n" in said else f"value: {said}\n"
    document = read_yaml(wrapped, "value").document
    if set(document) != {"value"}:
        raise TemplateRefused([])
    return document["value"]
