"""What a consumer of an event may rely on: whoever reads one version of a type can read the next as well.

A field that is there stays, and never holds what it could not hold before; new fields may come. JSON Schemas in full
would need a solver; those of events are made from our own types, and use no more words than are known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.kernel.catalogue.schemas import Schema

_WORDS = frozenset({"type", "format", "enum", "anyOf", "items", "additionalProperties"})


def differences(before: Schema, after: Schema) -> list[str]:
    """What a reader of `before` would not understand in `after`, a sentence each."""
    return list(_fields(before, after))


def _fields(before: Schema, after: Schema) -> Iterator[str]:
    for name, was in before["properties"].items():
        now = after["properties"].get(name)
        if now is None:
            yield f"“{name}” is gone."
        elif not _holds(was, now):
            yield f"“{name}” may hold what it could not hold before."


def _holds(before: Schema, after: Schema) -> bool:
    """Whether every value of `after` is one of `before`, as far as can be said; what cannot be said is no."""
    if not before:
        return True
    unknown = {*before, *after} - _WORDS
    if unknown:
        return before == after
    if "anyOf" in after:
        return all(_holds(before, each) for each in after["anyOf"])
    if "anyOf" in before:
        return any(_holds(each, after) for each in before["anyOf"])
    if "enum" in before:
        return "enum" in after and set(after["enum"]) <= set(before["enum"])
    return _same_kind(before, after) and _holds_inside(before, after)


def _same_kind(before: Schema, after: Schema) -> bool:
    kind = before.get("type")
    same = kind is None or kind == after.get("type") or (kind == "number" and after.get("type") == "integer")
    return same and before.get("format") in {None, after.get("format")}


def _holds_inside(before: Schema, after: Schema) -> bool:
    inside = ("items", "additionalProperties")
    return all(_holds(_as_schema(before.get(word)), _as_schema(after.get(word))) for word in inside)


def _as_schema(said: Any) -> Mapping[str, Any]:
    return said if isinstance(said, Mapping) else {}
