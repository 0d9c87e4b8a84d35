"""The types of events that this build announces, and the JSON Schema of what each says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from app.kernel.events import Event

Schema = Mapping[str, Any]
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_ABOUT = frozenset({"subject_id", "onboarding_id", "reason"})  # of the event itself; its body is the rest


def list_types() -> list[type[Event]]:
    """Every type that the product declares in this process, by name."""
    own = (kind for kind in _below(Event) if kind.__module__.startswith("app."))
    return sorted(own, key=lambda kind: kind.type)


def schema_of(kind: type[Event]) -> dict[str, Any]:
    """What the body of an event holds. Each field is always there, and more may come with time."""
    _, found = msgspec.json.schema_components([kind], schema_hook=_anything)
    written = found[kind.__name__]
    fields = {name: _bare(each, found) for name, each in written["properties"].items() if name not in _ABOUT}
    return {
        "$schema": DIALECT,
        "title": f"{kind.type} {kind.schema_version}",
        "description": written.get("description", ""),
        "type": "object",
        "properties": fields,
        "required": sorted(fields),
    }


def _bare(schema: Any, named: Mapping[str, Any]) -> Any:
    """Whole in itself, and without what the field would be if nobody said anything: somebody always does."""
    if isinstance(schema, list):
        return [_bare(each, named) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _bare(named[schema["$ref"].rpartition("/")[2]], named)
    return {name: _bare(each, named) for name, each in schema.items() if name not in {"default", "title"}}


def _anything(kind: type) -> dict[str, Any]:
    """A value of any kind. Raises TypeError for a class that JSON has no word for."""
    if kind is object:
        return {"title": "anything"}  # an empty schema would count as none
    raise TypeError(f"No event may hold a {kind.__name__}: JSON has no word for it.")


def _below(kind: type[Event]) -> Iterator[type[Event]]:
    for each in kind.__subclasses__():
        if "type" in each.__dict__:
            yield each
        yield from _below(each)
