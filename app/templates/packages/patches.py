"""A patch of an overlay, built edit by edit: elements of keyed lists are made on the way to a place. Pure."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from app.templates.overlays.marks import ADD
from app.templates.overlays.tree import Words


class Patch:
    """What is to be said. Places are words: `("stages", "rollout", "milestones", "ready")`."""

    def __init__(self) -> None:
        self.document: dict[str, Any] = {}

    def change(self, words: Words, values: Mapping[str, Any]) -> None:
        """Say something of the element at a place."""
        self._at(words).update(copy.deepcopy(dict(values)))

    def add(self, words: Words, element: Mapping[str, Any]) -> None:
        """Put a new element into the list at a place."""
        above = self._at(words[:-1]) if len(words) > 1 else self.document
        above.setdefault(words[-1], []).append(copy.deepcopy(dict(element)) | {ADD: True})

    def _at(self, words: Words) -> dict[str, Any]:
        node = self.document
        for section, name in zip(words[::2], words[1::2], strict=True):
            entries: list[dict[str, Any]] = node.setdefault(section, [])
            found = next((each for each in entries if each["id"] == name), None)
            if found is None:
                found = {"id": name}
                entries.append(found)
            node = found
        return node
