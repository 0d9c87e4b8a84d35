"""The lines of a bundle: canonical JSON, one record each. What is in a line and how it is spelled; nothing is decided.

    {"trail": 1, "tenant": id, "keys": [name+id+key, …], "head": note}     the first line
    {"entry": place, "leaf": {…}, "open": {path: [key, value]}, "proof": [hash, …]}
    {"checkpoint": note, "after": size of the one before, "proof": [hash, …]}     after the last entry it covers

Each entry's proof leads to the root of `head`, which is also the last line: a line can be shown alone, with the first.
A path of the leaf's commitments that is not in `open` has been erased.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeGuard

from app.audit.leaf import canonical

FORMAT: Final = 1
HEADER: Final = frozenset({"trail", "tenant", "keys", "head"})
ENTRY: Final = frozenset({"entry", "leaf", "open", "proof"})
CHECKPOINT: Final = frozenset({"checkpoint", "after", "proof"})
ERASED: Final = "audit.values.erased"  # the action of entries that name, in `entries`, those that lost values
_HASH_LETTERS: Final = 64
_LONGEST: Final = 16 << 20  # bytes of a line


class LineUnreadable(ValueError):
    """The line is not canonical JSON of one record."""


def write_line(record: Mapping[str, Any]) -> bytes:
    """A record as its line."""
    return canonical(record) + b"\n"


def header_line(*, tenant: str, keys: Sequence[str], head: str) -> bytes:
    """The first line."""
    return write_line({"trail": FORMAT, "tenant": tenant, "keys": list(keys), "head": head})


def entry_line(place: int, leaf: Mapping[str, Any], opened: Mapping[str, Any], proof: Sequence[bytes]) -> bytes:
    """The line of one entry."""
    return write_line({"entry": place, "leaf": leaf, "open": opened, "proof": [step.hex() for step in proof]})


def checkpoint_line(note: str, after: int, proof: Sequence[bytes]) -> bytes:
    """The line of a checkpoint."""
    return write_line({"checkpoint": note, "after": after, "proof": [step.hex() for step in proof]})


def read_line(line: bytes) -> dict[str, Any]:
    """The record of a line. Raises LineUnreadable for any other spelling of it, however well it could be read."""
    if not line.endswith(b"\n"):
        raise LineUnreadable("the line is cut off")
    if len(line) > _LONGEST:
        raise LineUnreadable("the line is too long")
    try:
        record = json.loads(line)
        same = isinstance(record, dict) and write_line(record) == line
    except Exception:  # noqa: BLE001 - bytes of a stranger: whatever is wrong with them, the line is unreadable
        raise LineUnreadable("it is not JSON") from None
    if not same:
        raise LineUnreadable("it is not written as a bundle is")
    return dict(record)


def is_text(value: object) -> TypeGuard[str]:
    """Whether a value is text."""
    return isinstance(value, str)


def is_count(value: object) -> TypeGuard[int]:
    """Whether a value is a number of things."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_hash(value: object) -> TypeGuard[str]:
    """Whether a value is 32 bytes in hex, as we write it."""
    return is_text(value) and len(value) == _HASH_LETTERS and set(value) <= set("0123456789abcdef")


def read_hashes(value: object) -> list[bytes] | None:
    """The hashes of a proof; None where it is none."""
    if not isinstance(value, list) or not all(is_hash(step) for step in value):
        return None
    return [bytes.fromhex(step) for step in value]
