"""The mark that every secret of this test run carries, in the eight spellings in which something could keep it."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from collections.abc import Iterator
from typing import Final, NamedTuple

# Letters whose code is two digits in hex, and that base64 writes without + and /: one spelling serves for several.
_LETTERS: Final = "pqrstuvwxy"
_LENGTH: Final = 12  # ten to the twelfth: nothing holds it by chance
_ANY_BASE64: Final = 3  # how far a value may stand from where a group of three bytes begins


_BY_XDIST: Final = "PYTEST_XDIST_TESTRUNUID"
# For a program that a test starts and that is to draw with the same mark: what to add to its environment.
OF_THIS_RUN: Final = (_BY_XDIST, os.environ.get(_BY_XDIST) or secrets.token_hex(16))


def _of_this_run() -> str:
    """The same in all processes of a run, since names of tests must not differ between them; new with each run."""
    seed = OF_THIS_RUN[1]
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in hashlib.sha256(seed.encode()).digest()[:_LENGTH])


MARK: Final = _of_this_run()


def marked(kind: str) -> str:
    """A secret for a test, which says what it is: a token of a connection, a password, a key of a door."""
    return f"{kind}-{MARK}"


def spelled(value: str) -> dict[str, bytes]:
    """A value as it is written where values get written; upper and lower hex, URL and HTML are the same for a mark."""
    raw = value.encode()
    found = {
        "plain": raw,
        "hex": raw.hex().encode(),
        "UTF-16": value.encode("utf-16-le"),
        "backwards": raw[::-1],
        "percent": "".join(f"%{byte:02x}" for byte in raw).encode(),
    }
    for before in range(_ANY_BASE64):
        # Whole groups only: what stands beside the value decides its first and its last letters.
        group = base64.b64encode(b"\0" * before + raw)[-(-before * 4 // 3) + (before > 0) :]
        found[f"base64+{before}"] = group.rstrip(b"=")[:-2]
    return found


# Stands in the product's source: whoever checks a connector uses this very token (`app/connectors/trials/bench.py`).
OF_THE_BENCH: Final = "canary-7f3a9c1e"
LOOKED_FOR: Final = tuple(
    (spelling, form) for value in (MARK, OF_THE_BENCH) for spelling, form in spelled(value).items()
)
LONGEST: Final = max(len(form) for _spelling, form in LOOKED_FOR)
_AROUND: Final = 60  # bytes before a find that are shown: enough to tell which field or statement it is


class Find(NamedTuple):
    """A secret where none may be."""

    where: str
    spelling: str
    before: str
    test: str = "after the tests"

    def __str__(self) -> str:
        return f"{self.where}: {self.spelling}, after {self.before!r} ({self.test})"


def search(where: str, content: bytes) -> list[Find]:
    """Every place of every spelling in some content."""
    return [
        Find(where, spelling, content[max(0, at - _AROUND) : at].decode("utf-8", "replace"))
        for spelling, form in LOOKED_FOR
        for at in _places(content, form)
    ]


def _places(content: bytes, form: bytes) -> Iterator[int]:
    at = content.find(form)
    while at >= 0:
        yield at
        at = content.find(form, at + len(form))
