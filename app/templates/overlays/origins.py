"""Who set a value and where that is written, and who holds a path locked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from app.templates.language import Template
from app.templates.overlays.reading import Overlay
from app.templates.overlays.tree import Words, path_at, words_of
from app.templates.rules import Path


@dataclass(frozen=True, slots=True)
class Origin:
    """Who set a value: the template or an overlay of a partner, and the place in its file."""

    kind: Literal["template", "overlay"]
    id: str
    version: str
    partner: str | None
    file: str
    line: int
    column: int


def origin_in_template(template: Template, words: Words) -> Origin:
    """The template, at the place of a value or of the nearest thing above it; in a component where one brought it."""
    told = template.source.problem(path_at(template.source.document, words), "")
    return Origin("template", template.id, template.version, None, told.file, told.line, told.column)


def origin_in_overlay(overlay: Overlay, path: Path) -> Origin:
    """The overlay, at the place of an edit."""
    said = overlay.document
    told = overlay.source.problem(path, "")
    return Origin("overlay", overlay.id, said["version"], said["partner"], told.file, told.line, told.column)


def nearest(origins: Mapping[str, Origin], words: Words) -> Origin | None:
    """Who wrote the value at a path, or the nearest one above it."""
    for length in range(len(words), 0, -1):
        found = origins.get(".".join(words[:length]))
        if found:
            return found
    return None


@dataclass(frozen=True, slots=True)
class Lock:
    """A path that later overlays leave as it is, why, and who says so."""

    path: str
    reason: str
    holder: str  # “the template”, or the overlay by name

    def __str__(self) -> str:
        return f"“{self.path}” is locked by {self.holder}: {self.reason}"

    def holds(self, words: Words) -> bool:
        """Whether a path is this one, above it or below it."""
        own = words_of(self.path)
        shared = min(len(own), len(words))
        return own[:shared] == words[:shared]


def locks_in(document: Mapping[str, Any], holder: str) -> list[Lock]:
    """What a template or an overlay locks."""
    return [Lock(each["path"], each["reason"], holder) for each in document.get("locks", ())]


def lock_on(locks: Iterable[Lock], words: Words) -> Lock | None:
    """The first lock that keeps a path as it is."""
    return next((each for each in locks if each.holds(words)), None)
