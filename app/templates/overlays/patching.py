"""Applies overlays to a plain document, edit by edit: refuses what is locked or not there, notes who wrote what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from app.templates.overlays.edits import Edit, edits_of
from app.templates.overlays.origins import Lock, Origin, lock_on, locks_in, origin_in_overlay
from app.templates.overlays.reading import Overlay
from app.templates.overlays.tree import Words, copied, ids_of, look, same, step, words_of
from app.templates.rules import Path, Problem, likely_fix

POSITION = "$position"  # under it is noted who moved an element


@dataclass(slots=True)
class Patching:
    """A document under way: what is locked in it, what came from where, and what was refused."""

    document: dict[str, Any]
    locks: list[Lock]
    origin: dict[str, Origin] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def apply(self, overlay: Overlay) -> None:
        """Do what an overlay says; then its own locks hold."""
        one = _One(self, overlay)
        for edit in edits_of(overlay.document["patch"], self.document):
            lock = lock_on(self.locks, edit.words)
            if edit.verb == "missing":
                one.missing(edit)
            elif lock:
                one.say(edit.path, str(lock))
            else:
                verbs: dict[str, Callable[[Edit], None]] = {
                    "set": one.set,
                    "unset": one.unset,
                    "add": one.add,
                    "remove": one.remove,
                    "move": one.move,
                }
                verbs[edit.verb](edit)
        one.lock()


@dataclass(frozen=True, slots=True)
class _One:
    """One overlay being applied."""

    work: Patching
    overlay: Overlay

    def set(self, edit: Edit) -> None:
        self._parent(edit)[edit.words[-1]] = copied(edit.value)
        self._note(edit.words, edit.path)

    def unset(self, edit: Edit) -> None:
        parent = self._parent(edit)
        if parent.pop(edit.words[-1], None) is None:
            fix = likely_fix(edit.words[-1], parent)
            self.say(edit.path, f"There is no “{'.'.join(edit.words)}” to take out.", fix)
        self._note(edit.words, edit.path)

    def add(self, edit: Edit) -> None:
        """Put an element in; one that is there already with the same content may be said once more."""
        beside = self._beside(edit)
        there = step(beside, edit.words[-1])
        if there is None:
            beside.append(copied(edit.value))
        elif not same(there, edit.value):
            self.say(edit.path, f"“{'.'.join(edit.words)}” exists already.", "Leave $add out to change it.")
            return
        self._note(edit.words, edit.path)

    def remove(self, edit: Edit) -> None:
        beside = self._beside(edit)
        beside.remove(step(beside, edit.words[-1]))
        self._note(edit.words, edit.path)

    def move(self, edit: Edit) -> None:
        beside = self._beside(edit)
        moved = step(beside, edit.words[-1])
        ids = ids_of(beside)
        order = reordered(ids, edit)
        if moved is None:
            return  # it was refused
        if order is None:
            others = [name for name in ids if name != edit.words[-1]]
            fix = likely_fix(str(edit.value), others)
            self.say((*edit.path, edit.mark), f"There is no “{edit.value}” beside it.", fix)
            return
        beside.sort(key=lambda each: order.index(each["id"]))
        self._note((*edit.words, POSITION), (*edit.path, edit.mark))

    def missing(self, edit: Edit) -> None:
        known = ids_of(look(self.work.document, edit.words[:-1]))
        fix = likely_fix(edit.words[-1], known) or "To put in a new one, say $add: true."
        self.say(edit.path, f"There is no “{'.'.join(edit.words)}” in the template.", fix)

    def lock(self) -> None:
        """From here on the overlay's own locks hold; a path that is locked already is not locked twice."""
        held = {each.path for each in self.work.locks}
        fresh = locks_in(self.overlay.document, f"the overlay “{self.overlay.id}”")
        for index, each in enumerate(fresh):
            words = words_of(each.path)
            if look(self.work.document, words) is None:
                above = look(self.work.document, words[:-1])
                fix = likely_fix(words[-1], above if isinstance(above, dict) else ids_of(above))
                self.say(("locks", index, "path"), f"There is no “{each.path}” to lock.", fix)
        fresh = [each for each in fresh if each.path not in held]
        if fresh:
            said = [{"path": each.path, "reason": each.reason} for each in fresh]
            self.work.document["locks"] = [*self.work.document.get("locks", ()), *said]
            self.work.locks += fresh
            self._note(("locks",), ("locks",))

    def say(self, path: Path, message: str, fix: str = "") -> None:
        self.work.problems.append(self.overlay.source.problem(path, message, fix))

    def _parent(self, edit: Edit) -> dict[str, Any]:
        parent: dict[str, Any] = look(self.work.document, edit.words[:-1])
        return parent

    def _beside(self, edit: Edit) -> list[Any]:
        """The list that an edit's element is in; made where there is none yet."""
        parent: dict[str, Any] = look(self.work.document, edit.words[:-2])
        beside: list[Any] = parent.setdefault(edit.words[-2], [])
        return beside

    def _note(self, words: Words, path: Path) -> None:
        """What was written below this path before is not there any more."""
        dotted = ".".join(words)
        if words[-1] != POSITION:
            for old in [each for each in self.work.origin if each.startswith(f"{dotted}.")]:
                del self.work.origin[old]
        self.work.origin[dotted] = origin_in_overlay(self.overlay, path)


def reordered(ids: list[str], edit: Edit) -> list[str] | None:
    """The ids of a list after a move; None where what it goes beside is not there."""
    moved = edit.words[-1]
    others = [name for name in ids if name != moved]
    if edit.mark in {"$first", "$last"}:
        return [moved, *others] if edit.mark == "$first" else [*others, moved]
    if edit.value not in others:
        return None
    place = others.index(edit.value) + (edit.mark == "$after")
    return [*others[:place], moved, *others[place:]]
