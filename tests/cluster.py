"""One throw-away PostgreSQL and Valkey for each test process, started on first use, and fresh databases on it.

Each pytest-xdist worker has its own (about a second): nothing is shared, so nothing is left when one is killed. The
servers die with the process that started them; its folder is swept by the next test process that starts one.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from app.demo.embedded.folder import AlreadyRunning
from app.demo.embedded.ownership import close_to_public
from app.demo.embedded.postgres import OWNER
from app.demo.servers import EmbeddedServers

LOGICAL_DATABASES = range(1, 256)
# The log of what was written is searched for secrets now and then (`tests/canaries`): until then it stays.
_KEPT_LOG = {"wal_keep_size": "512MB"}
# Whole files rather than a log of each block: half the time where nothing is synced, and 450 tests wait for a copy.
_COPY = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY file_copy")


class Databases(NamedTuple):
    """Two databases of one server, as their owner: LOGIN CREATEROLE, no superuser."""

    control_url: str
    cell_url: str


class Cluster:
    """The servers of this test process."""

    def __init__(self, folder: Path) -> None:
        self.servers = EmbeddedServers(folder / ".slipway", fsync=False, settings=_KEPT_LOG)
        self._redis = count(LOGICAL_DATABASES.start)

    def create_databases(self, template: Databases | None = None) -> Databases:
        """A new control and a new cell database, empty or copied from `template` (nobody may be connected to that one).

        Roles belong to the server: a copy names the same roles as its template.
        """
        mark = secrets.token_hex(5)
        names = [f"control_{mark}", f"cell_{mark}"]
        sources = [name_of(url) for url in template] if template else ["template0", "template0"]
        with self._admin() as admin:
            for name, source in zip(names, sources, strict=True):
                admin.execute(_COPY.format(sql.Identifier(name), sql.Identifier(OWNER), sql.Identifier(source)))
                close_to_public(admin, name)
        return Databases(*(self.servers.url_of(name) for name in names))

    def drop_databases(self, databases: Databases) -> None:
        """Drop both, ending whoever is still connected. Roles made for them stay; the cluster goes with the process."""
        with self._admin() as admin:
            for url in databases:
                name = sql.Identifier(name_of(url))
                admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    def fresh_redis_url(self) -> str:
        """An empty logical database that nobody else in this test process has been given."""
        number = next(self._redis)
        if number not in LOGICAL_DATABASES:
            raise RuntimeError("this test process has used up Valkey's logical databases: share one per module")
        return self.servers.redis_url.replace("?db=0", f"?db={number}")

    @contextmanager
    def _admin(self) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
        with psycopg.connect(self.servers.admin_url, autocommit=True) as admin:
            yield admin


def cluster() -> Cluster:
    """This process's cluster; the first call starts it, from the main thread, and the end of the process stops it."""
    if os.getpid() not in _clusters:
        _clusters[os.getpid()] = _start()
    return _clusters[os.getpid()]


def create_databases(template: Databases | None = None) -> Databases:
    """A new control and a new cell database. See Cluster.create_databases."""
    return cluster().create_databases(template)


def drop_databases(databases: Databases) -> None:
    """Drop both databases, ending whoever is still connected."""
    cluster().drop_databases(databases)


def fresh_redis_url() -> str:
    """An empty logical database of this process's Valkey."""
    return cluster().fresh_redis_url()


def name_of(url: str) -> str:
    """The database a URL names."""
    return urlsplit(url).path.removeprefix("/")


# By pid, so that a forked child never takes its parent's servers for its own.
_clusters: dict[int, Cluster] = {}


def _start() -> Cluster:
    parent = Path(tempfile.gettempdir()).absolute() / f"slipway-tests-{os.geteuid()}"
    parent.mkdir(mode=0o700, exist_ok=True)
    found = parent.lstat()
    if found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise RuntimeError(f"{parent} is not a private folder of yours: remove it or set TMPDIR")
    with open(parent / "lock", "w") as lock:  # noqa: PTH123 - flock wants a descriptor, not a path
        fcntl.flock(lock, fcntl.LOCK_EX)
        _sweep(parent)
        folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=parent))
        started = Cluster(folder)
        started.servers.start()
    atexit.register(_stop, os.getpid(), folder)
    return started


def _sweep(parent: Path) -> None:
    """Remove the folders of test processes that were killed."""
    for folder in parent.iterdir():
        if not folder.is_dir():
            continue
        left = EmbeddedServers(folder / ".slipway", postgres=False, valkey=False)
        try:
            left.start()  # takes the lock and ends whatever of that run still lives
        except AlreadyRunning:
            continue
        left.stop()
        shutil.rmtree(folder)


def _stop(pid: int, folder: Path) -> None:
    if pid == os.getpid() and (running := _clusters.pop(pid, None)) is not None:
        running.servers.stop()
        shutil.rmtree(folder)
