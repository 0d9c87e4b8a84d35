"""The embedded servers themselves: where they may run, what they touch, and what a kill leaves."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import redis

from app.demo.embedded import account, children
from app.demo.embedded.account import NOBODY, NoAccount, choose_account, first_closed
from app.demo.embedded.folder import SOCKET_PATH_LIMIT, AlreadyRunning, FolderUnusable, RuntimeFolder
from app.demo.embedded.server import ServerFailed
from app.demo.servers import EmbeddedServers
from tests.integration.demo.runs import living, nothing_lives, wait_for
from tests.integration.demo.tiny import BUSY


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def postmaster(folder: Path) -> int:
    return int((folder / "pg" / "postmaster.pid").read_text().splitlines()[0])


def answers(servers: EmbeddedServers) -> bool:
    client = redis.Redis.from_url(servers.redis_url)
    try:
        return rows(servers.control_url, "SELECT 1") == [(1,)] and bool(client.ping())
    finally:
        client.close()


def modes(path: Path) -> dict[Path, tuple[int, int]]:
    return {each: (each.stat().st_mode, each.stat().st_uid) for each in path.parents}


class TestStart:
    def test_gives_the_product_a_login_that_is_no_superuser(self, folder):
        with EmbeddedServers(folder) as servers:
            query = (
                "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles WHERE rolname = current_user"
            )
            assert rows(servers.control_url, query) == [(False, True, False, False)]
            create = "SELECT has_database_privilege(current_database(), 'CREATE')"
            assert rows(servers.control_url, create) == rows(servers.cell_url, create) == [(True,)]
            assert rows(servers.cell_url, "SELECT current_database()") == [("slipway_cell",)]

    def test_lets_no_other_login_into_any_database(self, folder):
        with EmbeddedServers(folder) as servers:
            with psycopg.connect(servers.control_url, autocommit=True) as owner:
                owner.execute("CREATE ROLE stranger LOGIN PASSWORD 'x'")
            for database in ("slipway_control", "slipway_cell", "postgres", "template1"):
                url = servers.url_of(database).replace(servers.url_of("").split("@")[0], "postgresql://stranger:x")
                with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                    psycopg.connect(url)

    def test_asks_for_a_password(self, folder):
        with EmbeddedServers(folder) as servers:
            head, tail = servers.admin_url.split("@")
            for wrong in ("wrong", ""):
                with pytest.raises(psycopg.OperationalError, match="password"):
                    psycopg.connect(f"{head.rsplit(':', 1)[0]}:{wrong}@{tail}")

    def test_sorts_text_the_same_everywhere(self, folder):
        with EmbeddedServers(folder) as servers:
            query = "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = current_database()"
            assert rows(servers.control_url, query) == [("b", "C.UTF-8")]

    def test_keeps_what_was_written(self, folder):
        with EmbeddedServers(folder) as servers, psycopg.connect(servers.control_url) as connection:
            connection.execute("CREATE SCHEMA kept")
        with EmbeddedServers(folder) as servers:
            assert rows(servers.control_url, "SELECT 1 FROM pg_namespace WHERE nspname = 'kept'")

    def test_opens_no_port(self, folder):
        with EmbeddedServers(folder) as servers:
            assert answers(servers)
            ours = {inode for pid in living(folder) for inode in sockets_of(pid)}
            assert ours
            assert not ours & listening()

    def test_leaves_nothing_running(self, folder):
        with EmbeddedServers(folder) as servers:
            assert answers(servers)
        assert living(folder) == []
        assert not (folder / "run").exists()
        servers.stop()  # a second time is fine

    def test_is_for_the_main_thread(self, folder):
        # From another thread the kernel would kill the servers as soon as that thread ended.
        with ThreadPoolExecutor(1) as pool, pytest.raises(RuntimeError, match="main thread"):
            pool.submit(EmbeddedServers(folder).start).result()
        assert living(folder) == []

    def test_says_who_holds_the_folder(self, folder):
        with EmbeddedServers(folder), pytest.raises(AlreadyRunning, match=f"pid {os.getpid()}"):
            EmbeddedServers(folder).start()

    def test_says_so_when_the_passwords_are_lost(self, folder):
        (folder / "passwords.json").unlink()
        with pytest.raises(ServerFailed, match="Bring that file back"):
            EmbeddedServers(folder).start()
        assert living(folder) == []

    def test_goes_on_after_a_half_made_cluster(self, empty):
        (empty / "pg.new").mkdir(parents=True)
        (empty / "pg.new" / "PG_VERSION").write_text("18")
        with EmbeddedServers(empty, fsync=False, valkey=False) as servers:
            assert rows(servers.control_url, "SELECT 1")

    def test_is_not_fooled_by_a_pid_that_is_someone_elses_by_now(self, folder):
        with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as other:
            (folder / "pg" / "postmaster.pid").write_text(
                f"{other.pid}\n{folder / 'pg'}\n1\n5432\n{folder / 'run'}\n\n  1 1\n"
            )
            (folder / "pids.json").write_text(f"[[{other.pid}, 1]]")
            with EmbeddedServers(folder, valkey=False) as servers:
                assert rows(servers.control_url, "SELECT 1")
            assert other.poll() is None
            other.kill()


class TestPlace:
    def test_may_be_one_that_no_other_user_enters_and_stays_so(self, tmp_path):
        home = tmp_path / "home"
        home.mkdir(mode=0o700)
        before, users = modes(home / "x"), Path("/etc/passwd").read_bytes()
        with EmbeddedServers(home / ".slipway", fsync=False) as servers:
            assert answers(servers)
            assert modes(home / "x") == before
            assert stat.S_IMODE((home / ".slipway").stat().st_mode) == 0o700
            own = [*home.rglob("*")]
            assert {path.lstat().st_uid for path in own} == {os.geteuid()}
            assert not [path for path in own if path.name == "passwords.json" and path.stat().st_mode & 0o077]
        assert modes(home / "x") == before
        assert Path("/etc/passwd").read_bytes() == users

    def test_may_have_a_path_too_long_for_a_socket(self, folder, tmp_path):
        deep = tmp_path.joinpath(*["a-rather-long-name-of-a-folder"] * 5, ".slipway")
        deep.parent.mkdir(parents=True)
        folder.rename(deep)
        with EmbeddedServers(deep) as servers:
            sockets = servers.folder.sockets
            assert len(str(deep)) > SOCKET_PATH_LIMIT > len(str(sockets))
            assert stat.S_IMODE(sockets.lstat().st_mode) == 0o700
            assert answers(servers)
        assert not sockets.exists()

    @pytest.mark.parametrize("name", ["a 'b' \"c\" ü%20+", "a,b"])
    def test_may_have_blanks_quotes_and_letters_of_any_script(self, folder, tmp_path, name):
        odd = tmp_path / name / ".slipway"
        odd.parent.mkdir()
        folder.rename(odd)
        with EmbeddedServers(odd) as servers:
            assert answers(servers)

    @pytest.mark.parametrize("trap", ["open to others", "a link"])
    def test_of_sockets_is_refused_when_someone_prepared_it(self, tmp_path, trap):
        deep = RuntimeFolder(tmp_path.joinpath(*["a-rather-long-name-of-a-folder"] * 5, ".slipway"))
        target = tmp_path / "target"
        target.mkdir(mode=0o700)
        (target / "precious").touch()
        prepared = deep.sockets
        if trap == "a link":
            prepared.symlink_to(target)
        else:
            prepared.mkdir()
            prepared.chmod(0o777)
        try:
            with pytest.raises(FolderUnusable, match="someone else's or open to others"):
                EmbeddedServers(deep.root).start()
            assert (target / "precious").exists()
        finally:
            prepared.unlink() if trap == "a link" else prepared.rmdir()

    def test_may_be_beside_another(self, folder, other):
        with EmbeddedServers(folder) as one, EmbeddedServers(other) as two:
            with psycopg.connect(one.control_url) as connection:
                connection.execute("CREATE SCHEMA only_here")
            assert answers(one)
            assert not rows(two.control_url, "SELECT 1 FROM pg_namespace WHERE nspname = 'only_here'")


@pytest.mark.skipif(os.geteuid() != 0, reason="the account matters to root alone: run as root")
class TestAccount:
    def test_is_nobody_where_user_namespaces_are_refused(self, monkeypatch):
        monkeypatch.setattr(account, "namespace_works", lambda: False)
        # pytest's folder lets nobody else in, and this way needs a path that others may walk through.
        root = Path(f"/tmp/slipway-nobody-{os.getpid()}/.slipway")  # noqa: S108
        root.parent.mkdir(mode=0o755)
        try:
            with EmbeddedServers(root, fsync=False) as servers:
                assert answers(servers)
                assert (root / "pg").stat().st_uid == NOBODY
                assert {Path(f"/proc/{pid}").stat().st_uid for pid in living(root)} == {NOBODY}
                assert stat.S_IMODE((root / "passwords.json").stat().st_mode) == 0o600
            assert living(root) == []
            monkeypatch.undo()
            with EmbeddedServers(root, fsync=False) as servers:  # and back again
                assert answers(servers)
        finally:
            subprocess.run(["rm", "-rf", str(root.parent)], check=True)

    def test_names_the_folder_that_stands_in_the_way(self, monkeypatch, tmp_path):
        monkeypatch.setattr(account, "namespace_works", lambda: False)
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        first = first_closed([closed])
        with pytest.raises(NoAccount, match=f"may not enter {first}. Run Slipway as an ordinary user"):
            choose_account(closed / ".slipway", [])


class TestKilled:
    def test_postmaster_with_a_busy_backend_is_replaced(self, folder):
        with EmbeddedServers(folder) as servers:
            backend = busy(servers)
            os.kill(postmaster(folder), signal.SIGKILL)
            wait_for(lambda: servers.revive() == ["postgres"], "the postmaster to be brought back")
            assert answers(servers)
            assert backend not in living(folder)

    def test_postmaster_with_a_busy_backend_leaves_nothing_after_a_stop(self, folder):
        servers = EmbeddedServers(folder)
        servers.start()
        busy(servers)
        os.kill(postmaster(folder), signal.SIGKILL)
        servers.stop()
        assert living(folder) == []
        with EmbeddedServers(folder) as again:
            assert answers(again)

    def test_main_program_takes_the_servers_with_it(self, folder):
        script = (
            "import sys, time; from pathlib import Path; from app.demo.servers import EmbeddedServers\n"
            "EmbeddedServers(Path(sys.argv[1])).start(); print('up', flush=True); time.sleep(600)"
        )
        command = [sys.executable, "-c", script, str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
            assert program.stdout is not None
            assert program.stdout.readline() == "up\n"
            program.kill()
        assert nothing_lives(folder) < 10
        with EmbeddedServers(folder) as servers:
            assert answers(servers)

    def test_earlier_run_is_known_by_more_than_its_pid(self, folder):
        mine = children.start_time(os.getpid())
        assert mine is not None
        register = children.Register(folder / "pids.json")
        (folder / "pids.json").write_text(f"[[{os.getpid()}, {mine}], [{os.getppid()}, 1], [999999999, 1]]")
        assert register.earlier() == [os.getpid()]


def busy(servers: EmbeddedServers) -> int:
    """A backend that computes and never looks up; its pid."""
    connection = psycopg.connect(servers.control_url, autocommit=True)

    def compute():
        with pytest.raises(psycopg.OperationalError):
            connection.execute(BUSY.encode())
        connection.close()

    threading.Thread(target=compute, daemon=True).start()
    pid = connection.info.backend_pid
    query = "SELECT pid FROM pg_stat_activity WHERE state = 'active'"
    wait_for(lambda: (pid,) in rows(servers.admin_url, query), "the backend to be busy")
    return pid


def listening() -> set[str]:
    """Inodes of TCP sockets that listen on this machine."""
    lines = [
        line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
    ]
    return {words[9] for words in lines if words[3] == "0A"}


def sockets_of(pid: int) -> set[str]:
    """Inodes of the sockets a process holds."""
    links = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()]
    return {link.removeprefix("socket:[").rstrip("]") for link in links if link.startswith("socket:")}
