"""Lets what refers to an element follow when its short name changes: names of items, roles, and words of conditions."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

# The first words of the names by which each kind is referred to: `answers.describe.archive`, `task.describe.done`.
_NAMED = {
    "task": "task|answers|results",
    "milestone": "milestone",
    "gate": "gate",
    "stage": "stage",
    "handoff": "packet",
    "input": "inputs",
}
_ROLES = frozenset({"owner", "reviewer", "role", "fallback", "to", "replies_to", "route", "escalate"})
_BARE = {
    "stage": frozenset({"after", "return_to"}),
    "milestone": frozenset({"milestone"}),
    "letter": frozenset({"sends"}),
}
_TEXTS = frozenset(
    {"title", "label", "help", "message", "description", "why", "subject", "body", "draft", "text", "texts"}
)


def renamed(document: dict[str, Any], kind: str, old: str, new: str) -> dict[str, Any]:
    """The document in which nothing says the old name any more; texts for people are left alone."""
    heads = _NAMED.get(kind)
    named = re.compile(rf"(?<![\w.])({heads})\.{re.escape(old)}(?!\w)") if heads else None
    bare = _ROLES if kind == "role" else _BARE.get(kind, frozenset())

    def say(name: str, word: str) -> str:
        if name in bare and word == old:
            return new
        return named.sub(lambda found: f"{found[1]}.{new}", word) if named else word

    made: dict[str, Any] = _walk(document, "", say)
    return made


def _walk(value: Any, name: str, say: Callable[[str, str], str]) -> Any:
    if isinstance(value, dict):
        return {key: each if key in _TEXTS else _walk(each, key, say) for key, each in value.items()}
    if isinstance(value, list):
        return [_walk(each, name, say) for each in value]
    return say(name, value) if isinstance(value, str) else value
