"""Texts are plain: no HTML, no control characters, nothing that turns the direction of what is read."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from app.templates.document import Source
from app.templates.rules import Path, Problem

_TAG = re.compile(r"<(/?[A-Za-z][A-Za-z0-9]*)(?=[\s/>])[^<>]*>|<!--|<(script|style|iframe)\b", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,31});")
_FINE = frozenset("\n\t")
_CEL = frozenset({"when", "entry", "exit", "business", "compliance", "check", "suppress"})
# what makes text be shown in another order than it is written, and so say something else than it seems
_TURNS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


# most texts hold none of these, and are not looked at sign by sign
_WORTH_A_LOOK = re.compile(f"[<&\\x00-\\x1f\\x7f-\\x9f\\ud800-\\udfff{''.join(sorted(_TURNS))}]")


def check_texts(source: Source, values: Iterable[tuple[Path, Any]] | None = None) -> list[Problem]:
    """Everything in a document's texts that is not plain, where it stands; `values`: its values, where at hand."""
    return [
        source.problem(path, *told)
        for path, value in (walk_values(source.document) if values is None else values)
        if isinstance(value, str)
        for told in _refusals(value, plain=not _is_criterion(path))
    ]


def walk_values(node: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value of a document with its path."""
    waiting = [(path, node)]
    while waiting:  # not by recursion: a document is walked often, and its values lie ten levels deep
        place, value = waiting.pop()
        yield place, value
        pairs: Iterable[tuple[str | int, Any]]
        pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        waiting += reversed([((*place, step), below) for step, below in pairs])


def _is_criterion(path: Path) -> bool:
    """Whether a value is CEL, in which signs have another meaning."""
    return (bool(path) and path[-1] in _CEL) or "input" in path[-2:-1]


def _refusals(text: str, *, plain: bool) -> Iterator[tuple[str, str]]:
    if not _WORTH_A_LOOK.search(text):
        return
    if plain and (found := _TAG.search(text)):
        yield f"“{found.group()[:40]}” is HTML; texts are plain.", "Leave the tag out."
    for entity in _ENTITY.finditer(text) if plain else ():
        meant = html.unescape(entity.group())
        if meant != entity.group():
            yield f"“{entity.group()}” is HTML; texts are plain.", f"Write “{meant}”."
            break
    for character in text:
        if character in _TURNS:
            yield f"The character U+{ord(character):04X} changes the direction of the text.", "Leave it out."
            return
        if character not in _FINE and unicodedata.category(character) in {"Cc", "Cs"}:
            yield f"The control character U+{ord(character):04X} stands here.", "Leave it out."
            return
