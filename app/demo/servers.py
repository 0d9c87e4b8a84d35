"""The embedded servers of one folder, for the demo and for tests: one lock, one PostgreSQL, one Valkey."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from app.demo.embedded.account import choose_account
from app.demo.embedded.binaries import find_binaries
from app.demo.embedded.children import Register, end_all, marked_by, servers_in
from app.demo.embedded.folder import RuntimeFolder
from app.demo.embedded.postgres import DATABASES, NO_MORE, OWNER, SUPERUSER, Postgres
from app.demo.embedded.server import Ground, Server
from app.demo.embedded.valkey import Valkey


class EmbeddedServers:
    """Everything that runs in one folder. `postgres` and `valkey` are False where a server of one's own is used.

    `settings` are PostgreSQL's, where those for a laptop are not enough.

    Start and stop from the main thread: the servers die with the thread that started them.
    """

    def __init__(
        self,
        folder: Path,
        *,
        fsync: bool = True,
        postgres: bool = True,
        valkey: bool = True,
        settings: Mapping[str, str] = NO_MORE,
    ) -> None:
        self.folder = RuntimeFolder(folder)
        self.register = Register(self.folder.children)
        self._fsync, self._settings = fsync, settings
        self._wanted = (postgres, valkey)
        self._postgres: Postgres | None = None
        self._valkey: Valkey | None = None

    def start(self) -> None:
        """Lock the folder, clear up after a killed run, start what is wanted. On any error nothing stays behind.

        Raises AlreadyRunning, FolderUnusable, BinariesMissing, NoAccount, LeftoversAlive or ServerFailed.
        """
        self.folder.prepare()
        self.folder.lock()
        try:
            end_all(self.register.earlier)
            self._clear_up()
            if any(self._wanted):
                self._start_servers()
        except BaseException:  # a stop signal too: whatever it was, it goes on up once nothing runs any more
            self.stop()
            raise

    def stop(self, *, within: float = 5.0) -> None:
        """Stop the servers, harder as time runs out (seconds), and let the next run have the folder."""
        if not self.folder.locked:
            return
        try:
            for server in self._servers():
                server.stop(within=within)
            self._clear_up(gently=within * 0.1)
            self.register.clear()
        finally:
            self._postgres = self._valkey = None
            self.folder.unlock()

    def revive(self) -> list[str]:
        """Start again whatever has died by itself; the names of those. The URLs stay as they were."""
        fallen = [server for server in self._servers() if server.died]
        for server in fallen:
            server.forget()
            if isinstance(server, Postgres):
                server.clear_up()
            server.start()
        return [server.name for server in fallen]

    @property
    def control_url(self) -> str:
        """The control database, as its owner: LOGIN CREATEROLE, no superuser."""
        return self._running_postgres().url(OWNER, DATABASES[0])

    @property
    def cell_url(self) -> str:
        """The first cell's database, as its owner."""
        return self._running_postgres().url(OWNER, DATABASES[1])

    @property
    def admin_url(self) -> str:
        """The superuser, for tests that make databases. The product never connects so."""
        return self._running_postgres().url(SUPERUSER, "postgres")

    @property
    def redis_url(self) -> str:
        """Valkey, logical database 0 of 256."""
        if self._valkey is None:
            raise RuntimeError("the embedded Valkey is not running")
        return self._valkey.url

    def url_of(self, database: str) -> str:
        """Another database of the same server, as the product's owner."""
        return self._running_postgres().url(OWNER, database)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start_servers(self) -> None:
        binaries = find_binaries()
        account = choose_account(self.folder.root, binaries.all)
        self.folder.open_to(account)
        ground = Ground(self.folder, binaries, account, self.register)
        if self._wanted[0]:
            self._postgres = Postgres(ground, fsync=self._fsync, settings=self._settings)
            self._postgres.start()
        if self._wanted[1]:
            self._valkey = Valkey(ground)
            self._valkey.start()

    def _clear_up(self, *, gently: float = 3.0) -> None:
        """End whatever a run in this folder has started and that still lives, known to us or not."""
        cluster = self.folder.postgres
        places = (cluster, cluster.with_name("pg.new"), self.folder.valkey)
        end_all(lambda: {*servers_in(places), *marked_by(self.folder)}, gently=gently)
        self.folder.remove_sockets()

    def _servers(self) -> list[Server]:
        return [server for server in (self._valkey, self._postgres) if server is not None]

    def _running_postgres(self) -> Postgres:
        if self._postgres is None:
            raise RuntimeError("the embedded PostgreSQL is not running")
        return self._postgres
