"""Compares each edit of an overlay with what became of its place: untouched, said by both, or a conflict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.templates.merging.conflicts import SENTENCES, Conflict, ConflictKind
from app.templates.merging.difference import follows, moved_ids
from app.templates.overlays.edits import Edit
from app.templates.overlays.origins import Lock, lock_on
from app.templates.overlays.patching import reordered
from app.templates.overlays.tree import Words, alike, ids_of, is_keyed, kind_of, look, same

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Versions:
    """What an overlay stands between: the old document, the new one, its own effect on the old one, and its patch."""

    old: Document
    new: Document
    ours: Document
    patch: Document
    locks: Sequence[Lock]

    def conflict(self, kind: ConflictKind, words: Words, sentence: str = "") -> Conflict:
        """A conflict at a place, with its three values."""
        values = (look(self.old, words), look(self.new, words), look(self.ours, words))
        return Conflict(".".join(words), kind, sentence or SENTENCES[kind], *values)


@dataclass(frozen=True, slots=True)
class Found:
    """What became of every edit, by path: each path is in one of the three."""

    conflicts: tuple[Conflict, ...]
    carried: tuple[str, ...]
    redundant: tuple[str, ...]


@dataclass(slots=True)
class _Search:
    versions: Versions
    added: frozenset[Words]
    conflicts: dict[Words, Conflict] = field(default_factory=dict)
    carried: list[Words] = field(default_factory=list)
    redundant: list[Words] = field(default_factory=list)


def find_conflicts(versions: Versions, edits: Sequence[Edit]) -> Found:
    """What becomes of every edit in the new version. One question a place: what stands in it is part of it."""
    search = _Search(versions, frozenset(edit.words for edit in edits if edit.verb == "add"))
    for edit in edits:
        found = _conflict(search, edit)
        if found is not None:
            search.conflicts.setdefault(found.words, found)
        elif _is_said_by_both(versions, edit):
            search.redundant.append(edit.place)
        else:
            search.carried.append(edit.place)
    conflicts = {words: each for words, each in search.conflicts.items() if not _is_below(words, search.conflicts)}
    untouched = [
        [".".join(words) for words in said if words not in conflicts and not _is_below(words, conflicts)]
        for said in (search.carried, search.redundant)
    ]
    return Found(tuple(conflicts.values()), *map(tuple, untouched))


def _is_below(words: Words, places: Mapping[Words, Conflict]) -> bool:
    return any(words[:length] in places for length in range(1, len(words)))


def _is_said_by_both(versions: Versions, edit: Edit) -> bool:
    if edit.verb == "move":
        ids = ids_of(look(versions.new, edit.words[:-1]))
        return edit.words[-1] in ids and reordered(ids, edit) == ids
    return edit.verb in {"set", "add"} and same(look(versions.new, edit.words), edit.value)


def _conflict(search: _Search, edit: Edit) -> Conflict | None:
    versions = search.versions
    lock = lock_on(versions.locks, edit.words)
    if lock:
        ours = edit.value if edit.verb == "move" else look(versions.ours, edit.words)
        values = look(versions.old, edit.place), look(versions.new, edit.place), ours
        return Conflict(".".join(edit.place), ConflictKind.LOCKED, str(lock), *values)
    if edit.verb in {"unset", "remove"}:
        return _taken_out(versions, edit)
    breach = next(_breaches(versions, edit, fresh=edit.words in search.added), None)
    if breach:
        return breach
    return _position(search, edit) if edit.verb == "move" else _written(versions, edit)


def _taken_out(versions: Versions, edit: Edit) -> Conflict | None:
    theirs = look(versions.new, edit.words)
    if theirs is None:
        return versions.conflict(ConflictKind.ALREADY_GONE, edit.words)
    if not alike(theirs, look(versions.old, edit.words)):  # who wants none of it does not mind its order
        return versions.conflict(ConflictKind.REMOVED_HERE, edit.words)
    return None


def _breaches(versions: Versions, edit: Edit, *, fresh: bool) -> Iterator[Conflict]:
    """What an edit stands in and the new version has no more, or has as something of another kind.

    A fresh element needs no list that was there before.
    """
    for length in range(1, len(edit.words) + (edit.verb == "move" and not fresh)):
        words = edit.words[:length]
        was, now = kind_of(look(versions.old, words)), kind_of(look(versions.new, words))
        makes_list = fresh and length == len(edit.words) - 1 and {was, now} <= {"absent", "keyed"}
        if was == now or makes_list:
            continue
        if _is_said_whole(versions, words):
            return
        kind = ConflictKind.REMOVED_UPSTREAM if now == "absent" else ConflictKind.BOTH_CHANGED
        yield versions.conflict(kind if was != "absent" else ConflictKind.ADDED_IN_BOTH, words)


def _is_said_whole(versions: Versions, words: Words) -> bool:
    """Whether the patch says again all that the old version has there: it stays, whatever the new version has."""
    said, element = look(versions.patch, words), is_keyed(look(versions.old, words[:-1]))
    if not said or element:
        return False
    return all(same(said, look(version, words)) for version in (versions.old, versions.ours))


def _written(versions: Versions, edit: Edit) -> Conflict | None:
    old, theirs = look(versions.old, edit.words), look(versions.new, edit.words)
    if same(theirs, edit.value):
        return None
    if edit.verb == "add":
        return versions.conflict(ConflictKind.ADDED_IN_BOTH, edit.words) if theirs is not None else None
    if same(edit.value, old) or same(theirs, old):  # said although it was so, or nobody else touched it
        return None
    if theirs is None:
        return versions.conflict(ConflictKind.REMOVED_UPSTREAM, edit.words)
    kind = ConflictKind.ADDED_IN_BOTH if old is None else ConflictKind.BOTH_CHANGED
    return versions.conflict(kind, edit.words)


def _position(search: _Search, edit: Edit) -> Conflict | None:
    versions, name = search.versions, edit.words[-1]
    old, new, ours = (ids_of(look(each, edit.words[:-1])) for each in (versions.old, versions.new, versions.ours))
    told = ".".join(edit.place)
    before = follows(old, name) if name in old else None
    theirs = follows(new, name) if name in new else None
    beside = (*edit.words[:-1], str(edit.value))
    if isinstance(edit.value, str) and edit.value not in new and beside not in search.added:
        sentence = f"It goes beside “{edit.value}”, and the new version has that no more."
        return Conflict(told, ConflictKind.ANCHOR_GONE, sentence, before, theirs, edit.value)
    if name not in moved_ids(old, new) or name not in moved_ids(old, ours) or reordered(new, edit) == new:
        return None
    return Conflict(told, ConflictKind.BOTH_MOVED, SENTENCES[ConflictKind.BOTH_MOVED], before, theirs, edit.value)
