"""What the suite leaves behind in this process's servers and folders, and how far it has been searched."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import psycopg
import redis

from tests import cluster
from tests.canaries.lawful import unlawful
from tests.canaries.listening import HEARD
from tests.canaries.marks import LONGEST, Find, search
from tests.factories.vault.canaries import unpacked, valkey

_PAGE: Final = 8192  # bytes of a page of the write-ahead log
_HEADER, _FIRST_HEADER = 24, 40  # bytes that stand before a page's records, and before those of a segment's first page
_BEFORE: Final = 128 + LONGEST  # bytes from the segment before: a value may begin there, and the words before it
_SOON: Final = 192 << 20  # bytes of write-ahead log after which it is searched; the server keeps more than twice that


def servers() -> cluster.Cluster | None:
    """The servers of this process, where a test has started them."""
    return next(iter(cluster._clusters.values()), None)


class WrittenLog:
    """The write-ahead log, searched while it grows: databases are put back after each test, so rows stay only there."""

    def __init__(self) -> None:
        self._reached = 0
        self._read: dict[str, float] = {}  # segments, and when each was changed when it was read last

    def search(self, *, now: bool = False) -> list[Find]:
        """Search what was written since the last time, once it is much, or `now`."""
        if (running := servers()) is None:
            return []
        with psycopg.connect(running.servers.admin_url, autocommit=True) as admin:
            at = int(_one(admin, "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"))
            if not now and at - self._reached < _SOON:
                return []
            folder = Path(_one(admin, "SHOW data_directory"))
            if now:
                admin.execute("CHECKPOINT")  # so that the files of what is left are as its rows are
        self._reached = at
        return find_in("write-ahead log", self._segments(folder / "pg_wal"))

    def _segments(self, folder: Path) -> Iterator[tuple[str, bytes]]:
        before = None
        for file in sorted(each for each in folder.iterdir() if each.is_file()):
            if (changed := file.stat().st_mtime) != self._read.get(file.name):
                self._read[file.name] = changed
                yield file.name, _end(before) + _records(file.read_bytes())
            before = file


def _records(segment: bytes) -> bytes:
    """What was written, without the headers of pages: it goes on behind them, in the middle of a value as well."""
    starts = range(0, len(segment), _PAGE)
    return b"".join(segment[at + (_HEADER if at else _FIRST_HEADER) : at + _PAGE] for at in starts)


def _end(segment: Path | None) -> bytes:
    """The last bytes of a segment, if there is one before."""
    if segment is None:
        return b""
    with segment.open("rb") as content:
        content.seek(-min(_BEFORE, segment.stat().st_size), os.SEEK_END)
        return content.read()


WRITTEN: Final = WrittenLog()


def what_is_left(folder: Path) -> list[Find]:
    """Search databases, logs and Valkey of the servers, and all files below the tests' own folder."""
    found = WRITTEN.search(now=True)
    if (running := servers()) is not None:
        redis.Redis.from_url(running.servers.redis_url).save()
        found += find_in("server file", every_file(Path(running.servers.folder.root), but="pg_wal"))
        found += find_in("valkey", valkey(running.servers.redis_url))
    # Logs of servers that tests have started beside: 12 GB in a whole run. `make soak ONLY=canaries` reads one of them.
    return found + find_in("file", every_file(folder, but="pg_wal"))


def every_file(folder: Path, *, but: str = "") -> Iterator[tuple[str, bytes]]:
    """Every file below a folder, by its path there, `but` for what lies in folders of that name."""
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink() and file.parent.name != but:
            yield str(file.relative_to(folder)), file.read_bytes()


def _one(admin: psycopg.Connection[Any], query: str) -> Any:
    row = admin.execute(query.encode()).fetchone()
    return row[0] if row else None


# What was searched and held nothing, by length and hash: servers that tests start beside are copies of one another.
CLEAN: Final[set[tuple[int, int]]] = set()


def find_in(kind: str, sources: Iterable[tuple[str, bytes]]) -> list[Find]:
    """What stands in the sources, also packed, and nothing allows."""
    found = []
    for where, content in sources:
        HEARD[kind] += len(content)
        if (same := (len(content), hash(content))) in CLEAN:
            continue
        finds = [find for piece in unpacked(content) for find in search(f"{kind} {where}", piece)]
        found += finds
        if not finds:
            CLEAN.add(same)
    return unlawful(found)
