"""What changed between two documents, by path of ids: whole elements, moves, and values that are other ones now."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from app.templates.overlays.tree import Words, ids_of, kind_of, same, step

ChangeKind = Literal["added", "removed", "changed", "moved"]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. Of a move, the values are the ids of what it followed before and after; None: it was first."""

    path: str
    kind: ChangeKind
    before: Any = None
    after: Any = None


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
    """Every change, in the order of the documents. An element that came or went is one, whatever is in it."""
    return tuple(_mapping(old, new, ()))


def moved_ids(old: Sequence[str], new: Sequence[str]) -> frozenset[str]:
    """The fewest ids of both lists that have to be moved to get from one order to the other."""
    place = {name: index for index, name in enumerate(old)}
    both = [name for name in new if name in place]
    ends: list[int] = []  # where the best row of each length ends, in the old order
    rows: list[tuple[str, ...]] = []
    for name in both:
        length = bisect_left(ends, place[name])
        ends[length : length + 1] = [place[name]]
        rows[length : length + 1] = [(*rows[length - 1], name) if length else (name,)]
    return frozenset(both) - frozenset(rows[-1] if rows else ())


def follows(ids: Sequence[str], name: str) -> str | None:
    """The id before this one; None where it is first."""
    index = ids.index(name)
    return ids[index - 1] if index else None


def _mapping(old: Mapping[str, Any], new: Mapping[str, Any], words: Words) -> Iterator[Change]:
    for name in dict.fromkeys([*old, *new]):
        yield from _value(old.get(name), new.get(name), (*words, name))


def _value(old: Any, new: Any, words: Words) -> Iterator[Change]:
    kinds = {kind_of(old), kind_of(new)}
    if kinds == {"mapping"}:
        yield from _mapping(old, new, words)
    elif kinds == {"keyed"}:
        yield from _keyed(old, new, words)
    elif same(old, new):
        return
    elif "absent" in kinds:
        yield Change(".".join(words), "added" if old is None else "removed", old, new)
    else:
        yield Change(".".join(words), "changed", old, new)


def _keyed(old: list[Any], new: list[Any], words: Words) -> Iterator[Change]:
    before, after = ids_of(old), ids_of(new)
    moved = moved_ids(before, after)
    for name in dict.fromkeys([*before, *after]):
        below = (*words, name)
        if name in moved:
            yield Change(".".join(below), "moved", follows(before, name), follows(after, name))
        yield from _value(step(old, name), step(new, name), below)
