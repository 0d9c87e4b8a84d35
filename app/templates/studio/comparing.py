"""What changed between two versions in words, by stage, milestone and task; and the raw lines of it. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from app.templates.merging.difference import Change, difference
from app.templates.overlays.tree import Words, words_of
from app.templates.preview.changes import shown
from app.templates.studio.editing.elements import TEXTS, Element, elements_of
from app.templates.studio.editing.forms import DAYS, HOURS
from app.templates.studio.editing.kinds import KINDS
from app.templates.studio.starting import text_of_document
from app.web.translations import mark

Say = Callable[[dict[str, str]], str]  # a text in the reader's language
Document = Mapping[str, Any]
MOST_LINES: Final = 2_000
_CONTEXT: Final = 2
_LANGUAGE: Final = re.compile(r"[a-z]{2}(-[A-Z]{2})?")
_WHOLE: Final = mark("The template itself")
_TEXTS: Final = mark("Texts")
_ELSEWHERE: Final = mark("Elsewhere")


@dataclass(frozen=True, slots=True)
class _Sides:
    old: dict[str, Element]
    new: dict[str, Element]
    say: Say

    def element(self, words: Words) -> tuple[Element | None, int]:
        """The nearest element that a path is in, as it is now, or as it was; and how many words name it."""
        for length in range(len(words), 0, -1):
            at = ".".join(words[:length])
            if at in self.new or at in self.old:
                return self.new.get(at) or self.old[at], length
        return None, 0

    def name(self, at: str) -> str:
        """What an element is called."""
        element = self.new.get(at) or self.old.get(at)
        if element is None:
            return at.rpartition(".")[2]
        named = element.value.get(element.kind.naming) if element.kind.naming else None
        return (self.say(named) if isinstance(named, dict) and named else "") or element.words[-1]


def compared(old: Document, new: Document, say: Say) -> dict[str, Any]:
    """Every change in words, in groups: a stage, or another section; and how many there are of each sort."""
    before, after = ({each.at: each for each in elements_of(dict(one))} for one in (old, new))
    sides = _Sides(before, after, say)
    changes = [_told(sides, change) for change in difference(old, new)]
    sorts = [change["sort"] for change in changes]
    return {
        "counts": {sort: sorts.count(sort) for sort in ("added", "removed", "changed", "moved")},
        "groups": [
            {"title": title, "kind": kind, "changes": list(rows)}
            for (title, kind), rows in groupby(changes, lambda each: each.pop("group"))
        ],
    }


def raw_lines(old: Document, new: Document) -> list[dict[str, str]]:
    """The lines that differ, each with a few around it: sort `+`, `-`, ` ` or `@`."""
    before, after = (text_of_document(each).splitlines() for each in (old, new))
    lines = difflib.unified_diff(before, after, n=_CONTEXT, lineterm="")
    return [{"sort": line[0], "text": line[1:]} for line in list(lines)[2 : MOST_LINES + 2]]


def property_at(documents: Sequence[Document], path: str) -> dict[str, str]:
    """What the property at a path is called, and its part: a language, a unit; "" for a whole element."""
    words = words_of(path) or ("",)
    for document in documents:
        found = {each.at: each for each in elements_of(dict(document))}
        element, length = _Sides(found, found, lambda _text: "").element(words)
        rest = ".".join(words[length:])
        if element is not None:
            named = _property(element, rest) if rest else ""
            return {"property": "" if named == rest else named, "part": _part(rest)}
    return {"property": "", "part": ""}


def _told(sides: _Sides, change: Change) -> dict[str, Any]:
    words = words_of(change.path) or ("",)  # a key may be empty
    element, length = sides.element(words)
    rest = ".".join(words[length:])
    whole = element is not None and not rest
    title, kind = _group(sides, words)
    named = [sides.name(".".join(words[:each])) for each in range(1, length + 1) if _is_one(sides, words[:each])]
    return {
        "group": (title, kind),
        "where": named[1:] if title and len(named) > 1 else named,
        "kind": element.kind.label if element else "",
        "sort": change.kind if whole else "changed",
        "whole": whole,
        "property": "" if whole else _property(element, rest),
        "part": "" if whole else _part(rest),
        "before": _value(sides, change, change.before, words),
        "after": _value(sides, change, change.after, words),
    }


def _is_one(sides: _Sides, words: Words) -> bool:
    at = ".".join(words)
    return at in sides.new or at in sides.old


def _group(sides: _Sides, words: Words) -> tuple[str, str]:
    """A stage by its name, or a section by what it is called."""
    if words[0] == "stages" and len(words) > 1:
        return sides.name(".".join(words[:2])), KINDS["stage"].label
    part = next((each for each in KINDS["template"].parts if each.at[0] == words[0]), None)
    if part is not None:
        return "", part.label
    if words[0] == TEXTS:
        return "", _TEXTS
    named = {each.name.partition(".")[0] for each in KINDS["template"].properties}
    return "", _WHOLE if words[0] in named else _ELSEWHERE


def _property(element: Element | None, name: str) -> str:
    """What an author calls a property: as the form does, else as it is written."""
    known = element.kind.properties if element else KINDS["template"].properties
    for each in known:
        if name == each.name or name in {f"{each.name}.{part}" for part in (DAYS, HOURS)}:
            return each.label
        if each.widget == "text" and (not each.name or name.startswith(f"{each.name}.")):
            return each.label
    parts = element.kind.parts if element else KINDS["template"].parts
    return next((part.label for part in parts if ".".join(part.at) == name), name)


def _part(name: str) -> str:
    """Of a text its language, of a length of time its unit."""
    last = name.rpartition(".")[2]
    return last if last in {DAYS, HOURS} or _LANGUAGE.fullmatch(last) else ""


def _value(sides: _Sides, change: Change, value: Any, words: Words) -> str:
    if change.kind != "moved":
        return shown(value, sides.say)
    return sides.name(".".join((*words[:-1], value))) if value else ""
