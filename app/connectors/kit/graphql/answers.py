"""What the `errors` of an answer mean (GraphQL over HTTP): a 200 may say that nothing, or only a part, was done."""

from __future__ import annotations

from typing import Any, Final, Literal

_MOST: Final = 100  # errors of one answer that are read
DEEPEST: Final = 64  # levels of an answer


def codes_of(document: Any) -> set[str]:  # Any: JSON of any shape
    """The `extensions.code` of each error."""
    found: set[str] = set()
    for error in _errors(document)[:_MOST]:
        extensions = error.get("extensions") if isinstance(error, dict) else None
        code = extensions.get("code") if isinstance(extensions, dict) else None
        if isinstance(code, str):
            found.add(code)
    return found


def word_of(document: Any) -> Literal["retry", "fail_permanent", "unreadable"] | None:  # Any: JSON of any shape
    """What follows from an answer of success by itself; None where it is whole.

    Without `data` the operation was refused before it began. With it, whole, in part or null, it has begun: a part is
    not taken for the whole, and what a mutation has done by then is not known.
    """
    if not isinstance(document, dict) or _too_deep(document):
        return "unreadable"
    if _errors(document):
        return "retry" if "data" in document else "fail_permanent"
    return None if isinstance(document.get("data"), dict) else "unreadable"


def _errors(document: Any) -> list[Any]:
    found = document.get("errors") if isinstance(document, dict) else None
    return found if isinstance(found, list) else [found] if found else []


def _too_deep(document: Any) -> bool:
    level = [document]
    for _depth in range(DEEPEST):
        level = [
            each
            for part in level
            for each in (part.values() if isinstance(part, dict) else part)
            if isinstance(each, dict | list)
        ]
        if not level:
            return False
    return True
