"""What a person decided on the merge view, as a form brings it: by overlay and path, a side or a value of their own."""

from __future__ import annotations

from collections.abc import Iterator
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
    for overlay, path, side in _answers(form):
        if side != "own":
            decided.setdefault(overlay, {})[path] = side
            continue
        field = name_of(VALUE, overlay, path)
        try:
            decided.setdefault(overlay, {})[path] = Own(value_of(form.first(field)))
        except TemplateRefused:
            wrong[field] = UNREADABLE
    return decided, wrong


def _answers(form: Form) -> Iterator[tuple[str, str, str]]:
    """Overlay, path and side; who has typed a value of their own and chosen no side means that value."""
    chosen = {name.partition(":")[2]: side for name, side in form.pairs if name.startswith(f"{SIDE}:")}
    typed = {name.partition(":")[2] for name, text in form.pairs if name.startswith(f"{VALUE}:") and text.strip()}
    for place in dict.fromkeys([*chosen, *sorted(typed)]):
        overlay, _, path = place.partition(":")
        side = chosen.get(place, "own")
        if side in _SIDES:
            yield overlay, path, side


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
