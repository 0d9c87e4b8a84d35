"""The embedded PostgreSQL: made once, with the same order of text everywhere; started on a Unix socket."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

import psycopg

from app.demo.embedded.children import PROC, Launch, end_all, servers_in, spawn
from app.demo.embedded.folder import write_private
from app.demo.embedded.ownership import install_owner
from app.demo.embedded.server import Ground, Server, ServerFailed

SUPERUSER = "slipway_superuser"
OWNER = "slipway"
DATABASES = ("slipway_control", "slipway_cell")

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "max_locks_per_transaction": "256",
    "shared_buffers": "128MB",
    "autovacuum_naptime": "30s",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    # A busy backend whose client is gone ends within a second, also when its postmaster was killed.
    "client_connection_check_interval": "1s",
}
# For clusters that nobody misses after a power cut.
CARELESS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "dynamic_shared_memory_type": "mmap",
    "autovacuum_naptime": "5min",
}
NO_MORE: Mapping[str, str] = MappingProxyType({})


class Postgres(Server):
    """PostgreSQL 18 on one Unix socket. `fsync=False` is for tests, `settings` for what needs a larger server."""

    name = "postgres"
    # One order of text on every machine; this provider is there from PostgreSQL 17 on.
    locale: tuple[str, ...] = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    # When we are killed: at once, without a checkpoint that may take long. The next start replays the log instead.
    death_signal = signal.SIGQUIT
    ladder = ((signal.SIGINT, 0.7), (signal.SIGQUIT, 0.2), (signal.SIGKILL, 0.1))

    def __init__(self, ground: Ground, *, fsync: bool, settings: Mapping[str, str] = NO_MORE) -> None:
        super().__init__(ground)
        self._fsync = fsync
        self._settings = {**SETTINGS, **({} if fsync else CARELESS), **settings}
        self._passwords: dict[str, str] = {}

    def url(self, user: str, database: str) -> str:
        """A libpq URL over the socket, with the user's password."""
        host = quote(str(self.ground.folder.sockets), safe="")
        return f"postgresql://{user}:{quote(self._passwords[user])}@/{database}?host={host}"

    @property
    def cluster(self) -> Path:
        """The folder of the database cluster."""
        return self.ground.folder.postgres

    @property
    def folders(self) -> tuple[Path, Path]:
        """Every folder in which a process of ours may work: the cluster, and one that is being made."""
        return self.cluster, self.cluster.with_name("pg.new")

    def start(self) -> None:
        """Make the cluster where there is none, start it, and see to the product's login and databases."""
        self._passwords = self.ground.folder.passwords(SUPERUSER, OWNER)
        if not self.cluster.exists():
            self._make_cluster()
        self.ground.account.give(self.cluster)
        self.clear_up()
        if PROC.exists():  # no process works in the cluster: a pid file is a killed run's, its pid anyone's by now
            (self.cluster / "postmaster.pid").unlink(missing_ok=True)
        words = self._settings | {"unix_socket_directories": self._quoted_sockets()}
        options = [word for name, value in words.items() for word in ("-c", f"{name}={value}")]
        self.launch([str(self.ground.binaries.postgres), "-D", str(self.cluster), *options], self.cluster)
        self.wait_until(self._answers)
        install_owner(self.url(SUPERUSER, "postgres"), OWNER, self._passwords[OWNER], DATABASES)

    def clear_up(self) -> None:
        """End processes that a killed postmaster left behind: they hold the shared memory and refuse a restart."""
        end_all(lambda: servers_in(self.folders))

    def _make_cluster(self) -> None:
        cluster, new = self.folders
        shutil.rmtree(new, ignore_errors=True)
        secret = self.ground.folder.root / "initdb.password"
        write_private(secret, self._passwords[SUPERUSER])
        new.mkdir(mode=0o700)
        for path in (secret, new):
            self.ground.account.give(path)
        command = [str(self.ground.binaries.initdb), "-D", str(new), "-U", SUPERUSER, f"--pwfile={secret}"]
        command += ["--auth-local=scram-sha-256", "--auth-host=reject", "--encoding=UTF8", "--locale=C"]
        command += self.locale
        command += [] if self._fsync else ["--no-sync"]
        self._run(command)
        secret.unlink()
        new.rename(cluster)
        if self._fsync:
            _sync(cluster.parent)

    def _run(self, command: list[str]) -> None:
        self.log.touch(mode=0o600)
        with self.log.open("wb") as output:
            child = spawn(
                Launch(
                    argv=command,
                    output=output.fileno(),
                    account=self.ground.account,
                    folder=self.folders[1],
                    environment=self.environment(),
                )
            )
        self.ground.register.add(child.pid)
        try:
            code = child.wait(120)
        except subprocess.TimeoutExpired:
            code = -1
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
            self.ground.register.drop(child.pid)
        if code != 0:
            raise ServerFailed(f"initdb did not make a database cluster. It said:\n{self.log.read_text()}")

    def _quoted_sockets(self) -> str:
        return '"' + str(self.ground.folder.sockets).replace('"', '""') + '"'

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(SUPERUSER, "postgres"), connect_timeout=5).close()
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise ServerFailed(
                    f"{self.cluster} has other passwords than {self.ground.folder.root / 'passwords.json'}. "
                    "Bring that file back, or remove the whole folder to begin anew."
                ) from None
            return False
        return True


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
