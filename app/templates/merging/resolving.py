"""Rewrites a patch by what was decided: upstream's value drops an edit, any other value is said anew."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.kernel.errors import Invalid
from app.templates.merging.conflicts import Conflict, ConflictKind
from app.templates.merging.difference import moved_ids
from app.templates.merging.finding import Versions
from app.templates.overlays.marks import ADD, POSITIONS, REMOVE
from app.templates.overlays.tree import Words, ids_of, is_keyed, kind_of, look, same, step
from app.templates.rules import likely_fix

_DROPPED_EITHER_WAY = {ConflictKind.ALREADY_GONE}
_UPSTREAM_ONLY = {ConflictKind.LOCKED}


class ResolutionRefused(Invalid):
    """A resolution that there is no conflict for, or that cannot be."""


@dataclass(frozen=True, slots=True)
class Own:
    """A resolution by a value of one's own; of a position, the id that it goes beside; None takes the value out."""

    value: Any


Resolution = str | Own  # ours, theirs, or a value


def check_resolutions(conflicts: Sequence[Conflict], resolutions: Mapping[str, Resolution]) -> None:
    """Raises ResolutionRefused for a path without conflict, an unknown word, or what cannot be had there."""
    known = {each.path: each for each in conflicts}
    for path, taken in resolutions.items():
        conflict = known.get(path)
        if conflict is None:
            raise ResolutionRefused(f"There is no conflict at “{path}”. {likely_fix(path, known)}".strip())
        if not isinstance(taken, Own) and taken not in {"ours", "theirs"}:
            raise ResolutionRefused(f"“{taken}” is no resolution of “{path}”: say ours, theirs, or a value.")
        if conflict.kind in _UPSTREAM_ONLY and taken != "theirs":
            raise ResolutionRefused(f"{conflict.sentence} Only theirs can be taken.")
        if conflict.kind in _DROPPED_EITHER_WAY and isinstance(taken, Own):
            raise ResolutionRefused(f"There is no “{path}” to set any more. Say ours or theirs: it stays out.")


def settled(versions: Versions, conflicts: Sequence[Conflict], resolutions: Mapping[str, Resolution]) -> dict[str, Any]:
    """The patch with every conflict decided as the (checked) resolutions say. Raises ResolutionRefused."""
    patch: dict[str, Any] = copy.deepcopy(dict(versions.patch))
    for conflict in conflicts:
        taken = resolutions[conflict.path]
        dropped = taken == "theirs" or conflict.kind in _DROPPED_EITHER_WAY
        if dropped:
            _prune(patch, conflict.words)
        elif conflict.is_position:
            _place(patch, versions, conflict, taken)
        else:
            _write(patch, versions, conflict, taken.value if isinstance(taken, Own) else conflict.ours)
    return patch


def statement(old: Any, new: Any) -> Any:
    """What a patch says to get from one value to another, as little as possible."""
    kinds = {kind_of(old), kind_of(new)}
    if kinds == {"mapping"}:
        names = dict.fromkeys([*old, *new])
        return {
            name: statement(old.get(name), new.get(name)) for name in names if not same(old.get(name), new.get(name))
        }
    if kinds == {"keyed"} and new != []:
        return _elements(old, new)
    return copy.deepcopy(new)


def _elements(old: list[Any], new: list[Any]) -> list[dict[str, Any]]:
    before, after = ids_of(old), ids_of(new)
    moved = moved_ids(before, after)
    said: list[dict[str, Any]] = [{"id": name, REMOVE: True} for name in before if name not in after]
    for index, name in enumerate(after):
        was, now = step(old, name), step(new, name)
        place = {"$after": after[index - 1]} if index else {"$first": True}
        if was is None:
            said.append({"id": name, ADD: True} | place | copy.deepcopy(now))
        elif not same(was, now) or name in moved:
            said.append({"id": name} | (place if name in moved else {}) | statement(was, now))
    return said


def _prune(patch: dict[str, Any], words: Words) -> None:
    """Take out what is said at a path, and what says nothing any more without it."""
    nodes: list[Any] = [patch]
    for word in words:
        nodes.append(step(nodes[-1], word))
    for depth in range(len(words) - 1, -1, -1):
        node, gone = nodes[depth], nodes[depth + 1]
        if isinstance(node, dict):
            node.pop(words[depth])
        else:
            node.remove(gone)
        if node and set(node) != {"id"} if isinstance(node, dict) else node:
            return


def _write(patch: dict[str, Any], versions: Versions, conflict: Conflict, value: Any) -> None:
    words, said = conflict.words, statement(conflict.theirs, value)
    parent = look(patch, words[:-1])
    if same(value, conflict.theirs):
        _prune(patch, words)
    elif isinstance(parent, dict):
        parent[words[-1]] = said
    elif value is not None and (not isinstance(value, dict) or value.get("id", words[-1]) != words[-1]):
        raise ResolutionRefused(f"“{conflict.path}” is an element of a list: its value is a mapping with its own id.")
    else:
        entry: dict[str, Any] = {"id": words[-1]}
        if value is None:
            entry[REMOVE] = True
        else:
            entry |= {ADD: True} if conflict.theirs is None else {}
            entry |= _position(patch, versions, words, is_new=conflict.theirs is None)
            entry |= said
        parent[ids_of(parent).index(words[-1])] = entry


def _position(patch: dict[str, Any], versions: Versions, words: Words, *, is_new: bool) -> dict[str, Any]:
    """The place an element said for itself; one that upstream took out stands where it stood, as near as can be."""
    said = look(patch, words)
    there = _there(patch, versions, words)
    for mark in POSITIONS:
        if mark in said and (said[mark] is True or said[mark] in there):
            return {mark: said[mark]}
    return _nearest(versions, words, there) if is_new and there else {}


def _nearest(versions: Versions, words: Words, there: Sequence[str]) -> dict[str, Any]:
    order = ids_of(look(versions.ours, words[:-1]))
    before = [name for name in order[: order.index(words[-1])] if name in there] if words[-1] in order else []
    return {"$after": before[-1]} if before else {"$first": True}


def _there(patch: dict[str, Any], versions: Versions, words: Words) -> list[str]:
    """What an element can go beside: upstream's elements that stay, and those that the patch adds before it."""
    said = look(patch, words[:-1])
    entries = said[: ids_of(said).index(words[-1])] if is_keyed(said) else []
    gone = {each["id"] for each in entries if REMOVE in each} | {words[-1]}
    fresh = [each["id"] for each in entries if ADD in each]
    return [name for name in [*ids_of(look(versions.new, words[:-1])), *fresh] if name not in gone]


def _place(patch: dict[str, Any], versions: Versions, conflict: Conflict, taken: Resolution) -> None:
    *above, mark = conflict.words
    words = tuple(above)
    entry, there = look(patch, words), _there(patch, versions, words)
    if isinstance(taken, Own):
        if taken.value not in there:
            fix = likely_fix(str(taken.value), there)
            raise ResolutionRefused(f"There is no “{taken.value}” beside “{'.'.join(words)}”. {fix}".strip())
        del entry[mark]
        entry["$before" if mark == "$before" else "$after"] = taken.value
    elif conflict.kind is ConflictKind.ANCHOR_GONE:
        del entry[mark]
        entry |= _nearest(versions, words, there)
