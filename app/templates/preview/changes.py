"""Who set what: every value that an adaptation changed, what it was, what it is, and whose word that is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from app.templates.merging.difference import Change, difference
from app.templates.overlay import Effective, explain
from app.templates.overlays.origins import Origin
from app.templates.overlays.tree import look, words_of
from app.templates.preview.board import Read

_NAMING = ("title", "label", "message")
_LANGUAGE = re.compile(r"[a-z]{2}(-[A-Z]{2})?")
_LONGEST = 400  # characters of a value that are shown


def changes_of(effective: Effective, read: Read) -> list[dict[str, Any]]:
    """Every change to the template in its order; with several overlays, all that set it on the way."""
    return [_row(effective, change, read) for change in difference(effective.template.document, effective.document)]


def _row(effective: Effective, change: Change, read: Read) -> dict[str, Any]:
    return {
        "path": change.path,
        "kind": change.kind,
        "title": _title(effective, change.path, read),
        "before": shown(change.before, read),
        "after": shown(change.after, read),
        "by": _named(effective.origin_of(change.path)),
        "way": _way(effective, change, read) if len(effective.overlays) > 1 and change.kind != "moved" else [],
    }


def _way(effective: Effective, change: Change, read: Read) -> list[dict[str, Any]]:
    settings = explain(effective, change.path).settings
    return [{"by": _named(setting.origin), "value": shown(setting.value, read)} for setting in settings]


def _named(origin: Origin) -> dict[str, Any]:
    return {"id": origin.id, "version": origin.version, "partner": origin.partner or "", "line": origin.line}


def _title(effective: Effective, path: str, read: Read) -> str:
    """What the nearest element with a name is called."""
    words = words_of(path)
    for document in (effective.document, effective.template.document):
        for length in range(len(words), 0, -1):
            found = look(document, words[:length])
            named = found.get("title") or found.get("label") if isinstance(found, Mapping) else None
            if named:
                return read(named)
    return ""


def shown(value: Any, read: Read) -> str:
    """A value for a person: a text in their language, an element by its name, lengths of time and lists in words."""
    if isinstance(value, Mapping):
        named = next((value[word] for word in _NAMING if isinstance(value.get(word), Mapping)), None)
        if named is not None or _is_text(value):
            return read(dict(named or value))
        return ", ".join(f"{name}: {shown(each, read)}" for name, each in value.items())[:_LONGEST]
    if isinstance(value, list):
        return "; ".join(shown(each, read) for each in value)[:_LONGEST]
    return "" if value is None else str(value)


def _is_text(value: Mapping[str, Any]) -> bool:
    return bool(value) and all(_LANGUAGE.fullmatch(key) for key in value)
