"""What the suite leaves behind in this process's servers and folders, and how far it has been searched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import psycopg

from tests import cluster
from tests.canaries.lawful import is_lawful
from tests.canaries.marks import Find, search
from tests.factories.vault.canaries import unpacked, valkey

_SOON: Final = 192 << 20  # bytes of write-ahead log after which it is searched; the server keeps more than twice that
_searched: dict[str, float] = {}  # segments of the log, and when each was changed when it was read last
_reached = 0


def servers() -> cluster.Cluster | None:
    """The servers of this process, where a test has started them."""
    return next(iter(cluster._clusters.values()), None)


def log_of_the_database(*, now: bool = False) -> list[Find]:
    """Search what was written to the write-ahead log since the last time, once it is much, or `now`.

    Databases are put back after each test, so the log is where their rows stay.
    """
    global _reached
    if (running := servers()) is None:
        return []
    with psycopg.connect(running.servers.admin_url, autocommit=True) as admin:
        at = int(_one(admin, "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"))
        if not now and at - _reached < _SOON:
            return []
        admin.execute("SELECT pg_log_standby_snapshot()" if False else "CHECKPOINT")
        folder = Path(_one(admin, "SHOW data_directory"))
    _reached = at
    return [find for name, content in _segments(folder / "pg_wal") for find in search(name, content)]


def _one(admin: psycopg.Connection[Any], query: str) -> Any:
    row = admin.execute(query.encode()).fetchone()
    return row[0] if row else None


def _segments(folder: Path) -> Iterator[tuple[str, bytes]]:
    for file in sorted(folder.iterdir()):
        if file.is_file() and (changed := file.stat().st_mtime) != _searched.get(file.name):
            _searched[file.name] = changed
            yield f"write-ahead log {file.name}", file.read_bytes()


def what_is_left(folder: Path) -> list[Find]:
    """Search databases, logs and Valkey of the servers, and all files below the tests' own folder."""
    found = log_of_the_database(now=True)
    if (running := servers()) is not None:
        kept = Path(running.servers.folder.root)
        found += _all(("server file", files_of(kept)), ("valkey", valkey(running.servers.redis_url)))
    return found + _all(("file", files_of(folder)))


def _all(*kinds: tuple[str, Iterator[tuple[str, bytes]]]) -> list[Find]:
    return [
        find
        for kind, sources in kinds
        for where, content in sources
        if not is_lawful(kind, where)
        for piece in unpacked(content)
        for find in search(f"{kind} {where}", piece)
    ]


def files_of(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder, by its path there."""
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            yield str(file.relative_to(folder)), file.read_bytes()
