"""`slipway demo` as a process of its own: stopped, interrupted, killed; never anything left, always startable again."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any  # stdout of a Popen is optional to mypy, never here

import pytest

from tests.integration.demo.runs import (
    ask,
    environment,
    living,
    nothing_lives,
    ordinary_user,
    started,
    wait_for,
    words,
)


def postmaster(folder: Path) -> int:
    return int((folder / "pg" / "postmaster.pid").read_text().splitlines()[0])


def web_pid(address: str) -> int:
    return int(ask(address).split()[1])


def command(folder: Path) -> list[str]:
    return [sys.executable, *words(folder, "web")]


def read_until(program, said):
    """The last word of the line that begins so."""
    return next(line for line in program.stdout if line.startswith(said)).split()[-1]


class TestStopping:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_ends_everything(self, demo, folder, number):
        run = demo(children="web,worker")
        ask(run.address())
        assert run.stop(number) < 5
        assert run.child.returncode == 0
        assert living(folder) == []
        assert "Traceback" not in run.text

    def test_takes_five_seconds_at_most_when_a_child_will_not_end(self, demo, folder):
        run = demo(children="web,stubborn")
        run.until("busy")
        assert run.stop(signal.SIGINT) < 5
        assert "stubborn did not end in time and was killed" in run.text
        assert living(folder) == []

    def test_works_for_a_script_that_started_it_in_the_background(self, folder):
        # `sh` without job control gives its background commands SIGINT as SIG_IGN.
        shell: Any = started(
            ["sh", "-c", 'echo_pid() { echo "pid $1"; }; "$@" & echo_pid $!; wait $!', "sh", *command(folder)]
        )
        pid = int(read_until(shell, "pid "))
        read_until(shell, "  Platform")
        os.kill(pid, signal.SIGINT)
        assert shell.wait(5) == 0
        shell.stdout.close()
        assert living(folder) == []

    def test_comes_when_nobody_reads_the_log_any_more(self, folder):
        run: Any = started(command(folder))
        web = web_pid(read_until(run, "  Platform"))
        run.stdout.close()
        os.kill(web, signal.SIGKILL)
        assert run.wait(10) == 0
        assert nothing_lives(folder) < 5

    @pytest.mark.parametrize("moment", ["passwords.json", "pg.new", "pg"])
    def test_comes_at_once_while_booting(self, demo, empty, moment):
        run = demo(where=empty)
        wait_for((empty / moment).exists, moment)
        assert run.stop() < 5
        assert run.child.returncode == 0
        assert living(empty) == []


class TestChildren:
    def test_are_started_again_with_the_same_socket(self, demo):
        run = demo(children="web")
        address = run.address()
        first = web_pid(address)
        os.kill(first, signal.SIGKILL)
        assert web_pid(address) != first  # asked while nobody serves: the connection waits
        assert "web was killed by SIGKILL; it starts again" in run.text

    def test_leave_no_grandchild_behind(self, demo, folder):
        run = demo(children="web,worker")
        grandchild = int(run.until("grandchild").split()[-1])
        run.address()
        parent = int(Path(f"/proc/{grandchild}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(parent, signal.SIGKILL)
        run.until("grandchild", times=2)
        assert grandchild not in living(folder)

    def test_that_are_final_end_the_run_with_their_code(self, demo, folder):
        run = demo("--once")
        assert run.child.wait(20) == 7
        assert nothing_lives(folder) < 1
        assert "once is done" in run.text
        assert run.text.index("Slipway is ready") < run.text.index("once is done")


class TestPort:
    def test_is_the_next_one_when_taken_and_every_link_follows(self, demo):
        taken = int(environment()["SLIPWAY_HTTP_PORT"])
        with socket.create_server(("127.0.0.1", taken)):
            address = demo().address()
            assert address == f"http://localhost:{taken + 1}"
            assert ask(address).endswith(address)

    def test_differs_between_two_runs_side_by_side(self, demo, folder, other):
        runs = [demo(where=folder), demo(where=other)]
        addresses = {run.address() for run in runs}
        assert len(addresses) == 2
        assert runs[0].stop() < 5
        assert ask(runs[1].address())


class TestFolder:
    def test_is_for_one_run_at_a_time(self, demo):
        first = demo()
        first.address()
        second = demo()
        assert second.child.wait(10) == 1
        assert f"already runs in {first.folder} (pid {first.pid})" in second.until("already runs")
        assert ask(first.address())

    @pytest.mark.parametrize("uid", [65534, 54321], ids=["with a name", "without a name"])
    def test_may_be_an_ordinary_users_that_nobody_else_may_enter(self, demo, uid):
        prefix = ordinary_user(uid)
        home = Path("/tmp") / f"slipway-test-home-{os.getpid()}"  # noqa: S108 - pytest's own folder lets no other user in
        home.mkdir(mode=0o700)
        if prefix[0] == "setpriv":
            os.chown(home, uid, uid)
        try:
            run = demo(where=home / ".slipway", prefix=prefix, children="web,worker")
            ask(run.address())
            assert {path.stat().st_uid for path in home.rglob("*")} == {home.stat().st_uid}
            assert home.stat().st_mode & 0o777 == 0o700
            assert run.stop() < 5
            assert living(home) == []
        finally:
            subprocess.run(["rm", "-rf", str(home)], check=True)


class TestKilled:
    """kill -9, alone or all: within 10 s nothing of the old run lives, and the next start works."""

    def test_supervisor(self, demo, folder):
        run = demo(children="web,stubborn")
        run.until("busy")
        ask(run.address())
        run.child.kill()
        assert nothing_lives(folder) < 10
        assert ask(demo().address())

    def test_supervisor_when_the_next_run_starts_at_once(self, demo):
        run = demo(children="web,worker,stubborn")
        run.until("busy")
        # A grandchild gets no death signal from the kernel: the next run has to find it.
        grandchild = int(run.until("grandchild").split()[-1])
        run.child.kill()
        began = time.monotonic()
        assert ask(demo().address())
        assert time.monotonic() - began < 10
        assert not Path(f"/proc/{grandchild}/cwd").exists()

    def test_everything_with_a_busy_backend(self, demo, folder):
        run = demo(children="web,worker,stubborn")
        run.until("busy")
        run.address()
        for pid in (postmaster(folder), run.pid):
            os.kill(pid, signal.SIGKILL)
        for pid in living(folder):
            with contextlib.suppress(OSError):  # some have gone meanwhile
                if Path(f"/proc/{pid}/cwd").readlink() != folder / "pg":
                    os.kill(pid, signal.SIGKILL)
        assert nothing_lives(folder) < 10
        assert ask(demo().address())

    def test_postmaster_alone_is_brought_back(self, demo, folder):
        run = demo(children="web,stubborn")
        run.until("busy")
        address = run.address()
        killed = postmaster(folder)
        os.kill(killed, signal.SIGKILL)
        run.until("postgres had ended by itself; it runs again")
        run.until("busy", times=2)
        assert postmaster(folder) != killed
        assert ask(address)
        assert run.stop() < 5

    def test_valkey_alone_is_brought_back(self, demo, folder):
        run = demo()
        run.address()
        killed = [pid for pid in living(folder) if Path(f"/proc/{pid}/comm").read_text().startswith("valkey")]
        os.kill(killed[0], signal.SIGKILL)
        run.until("valkey had ended by itself; it runs again")

    def test_while_the_cluster_is_being_made(self, demo, empty):
        run = demo(where=empty)
        wait_for((empty / "pg.new").exists, "initdb")
        run.child.kill()
        assert nothing_lives(empty) < 10
        assert ask(demo(where=empty).address())
