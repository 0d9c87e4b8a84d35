"""The Merkle tree of RFC 6962 over leaf hashes: growing it, its root, and proofs. Hashes only; no database here.

A tree of any size is made of perfect subtrees. The subtree that a leaf completes is kept with that leaf, one hash for
each level above it, so nothing ever changes once written, and a proof needs O(log n) of the rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
_NODE_PREFIX: Final = b"\x01"

Range = tuple[int, int]  # leaves from the first on, up to before the second
# Gives the root of the perfect subtree of 2**level leaves at that place of its level.
NodeFinder = Callable[[int, int], bytes]


def hash_node(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node: SHA-256 over a one byte and both children."""
    return hashlib.sha256(_NODE_PREFIX + left + right).digest()


@dataclass(slots=True)
class Frontier:
    """What of a tree is needed to grow it: its size and the roots of its perfect subtrees, the largest first."""

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    def append(self, leaf: bytes) -> bytes:
        """Add one leaf; gives the roots of the subtrees it completes, from the lowest on, one after the other."""
        made, top, place = [], leaf, self.size
        while place & 1:
            top = hash_node(self.peaks.pop(), top)
            made.append(top)
            place >>= 1
        self.peaks.append(top)
        self.size += 1
        return b"".join(made)

    @property
    def root(self) -> bytes:
        """The root of the whole tree."""
        return _fold(self.peaks) if self.peaks else EMPTY_ROOT


def perfect_parts(whole: Range) -> Iterator[tuple[int, int]]:
    """The perfect subtrees that a range is made of, from left to right, as (level, place in it).

    The range begins where a subtree of the tree begins, as every range of a proof does.
    """
    start, end = whole
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def last_leaf(level: int, place: int) -> int:
    """The leaf that completes a perfect subtree."""
    return ((place + 1) << level) - 1


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """RFC 6962 2.1.1: the subtrees whose roots prove that a leaf is in the tree, from the leaf upwards."""
    found: list[Range] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start = middle
    return found[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """RFC 6962 2.1.2: the subtrees that prove that a tree begins with an older one of `old` leaves."""
    if not 0 < old < new:
        return []
    found: list[Range] = []
    start, end, whole = 0, new, True  # `whole`: the older tree is still the left edge, its root is known
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start, whole = middle, False
    if not whole:
        found.append((start, end))
    return found[::-1]


def roots_of(ranges: Iterable[Range], find: NodeFinder) -> list[bytes]:
    """The hash of each range, made of perfect subtrees."""
    return [_fold([find(level, place) for level, place in perfect_parts(one)]) for one in ranges]


def includes(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the proof leads from the leaf to the root (RFC 9162 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, top = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            top = hash_node(step, top)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            top = hash_node(top, step)
        place, last = place >> 1, last >> 1
    return last == 0 and top == root


def extends(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether the proof shows that the new tree begins with the old one (RFC 9162 2.1.4.2)."""
    if old in {0, new}:
        return not proof and (old_root == new_root if old == new else old_root == EMPTY_ROOT)
    if old > new or not proof:
        return False
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            before, after = hash_node(step, before), hash_node(step, after)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            after = hash_node(after, step)
        place, last = place >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root


def _split(size: int) -> int:
    """The largest power of two below the size."""
    return 1 << ((size - 1).bit_length() - 1)


def _fold(peaks: Sequence[bytes]) -> bytes:
    """The root over perfect subtrees of falling size."""
    top = peaks[-1]
    for peak in reversed(peaks[:-1]):
        top = hash_node(peak, top)
    return top
