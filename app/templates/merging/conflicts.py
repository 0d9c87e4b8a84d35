"""What an upgrade asks a person: both sides did something to one place, and only one of it can be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.templates.overlays.tree import Words
from app.web.translations import mark


class ConflictKind(StrEnum):
    """What happened on both sides."""

    BOTH_CHANGED = "both changed"
    REMOVED_UPSTREAM = "removed upstream"
    REMOVED_HERE = "removed here"
    ADDED_IN_BOTH = "added in both"
    ALREADY_GONE = "already gone"
    BOTH_MOVED = "both moved"
    ANCHOR_GONE = "anchor gone"
    LOCKED = "locked"


SENTENCES = {
    ConflictKind.BOTH_CHANGED: mark("It was changed here and, to something else, in the new version."),
    ConflictKind.REMOVED_UPSTREAM: mark("It was changed here, and the new version has it no more."),
    ConflictKind.REMOVED_HERE: mark("It was taken out here, and the new version changed it."),
    ConflictKind.ADDED_IN_BOTH: mark("It was added here and, with other content, in the new version."),
    ConflictKind.ALREADY_GONE: mark("It was taken out here, and the new version has it no more."),
    ConflictKind.BOTH_MOVED: mark("It was moved here and, to another place, in the new version."),
}


@dataclass(frozen=True, slots=True)
class Conflict:
    """One question: the value before, upstream's and the overlay's; None: there is none.

    Where a position is asked for (the path ends with its mark), the values are ids: of what it goes beside here, and of
    what it follows in the versions.
    """

    path: str
    kind: ConflictKind
    sentence: str
    old: Any
    theirs: Any
    ours: Any

    @property
    def words(self) -> Words:
        """The words of its path."""
        return tuple(self.path.split("."))

    @property
    def is_position(self) -> bool:
        """Whether it is only about where an element stands."""
        return self.words[-1].startswith("$")
