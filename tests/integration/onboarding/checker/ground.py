"""The programs of one installation over its own servers: started, watched, and started again when they have died."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

import psycopg
import redis

from app.demo.embedded.postgres import OWNER
from app.kernel.errors import Unavailable
from tenants.sessions import DatabaseAway
from tests import cluster
from tests.factories.main_job import MainJob
from tests.integration.onboarding.checker.programs import COMMAND, Started, start_program

Answer = TypeVar("Answer")

PROGRAMS = tuple(COMMAND)
_END_THEM = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = ANY(%s) AND backend_type = 'client backend' AND usename <> %s  -- who looks on
"""
_PATIENCE = 60.0  # seconds


def insist(ask: Callable[[], Answer]) -> Answer:
    """Ask until the database answers."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            return ask()
        except (DatabaseAway, Unavailable):
            if time.monotonic() > end:
                raise
            time.sleep(0.02)  # another process is to come up meanwhile


class Ground:
    """What faults befall: a web program, a worker and a dispatcher, PostgreSQL and Valkey."""

    def __init__(self, shop: MainJob) -> None:
        self.shop = shop
        self.redis_url = cluster.cluster().fresh_redis_url()
        self.running: dict[str, Started] = {}
        self.stopped: list[Started] = []
        self.reached: Counter[str] = Counter()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self._make_lasting()

    def start(self, name: str) -> None:
        """Start a program; the former one of that name is dead or stopped."""
        own = {"SLIPWAY_WARM_SLOTS": "4", "SLIPWAY_HTTP_PORT": str(self.port), "SLIPWAY_QUEUE_AGE": "0"}
        own |= {"SLIPWAY_RATE_SCALE": "1000"}
        environment = self.shop.environment(self.redis_url) | own
        self.running[name] = start_program(name, environment, self.shop.folder / "programs.log")

    def mend(self) -> None:
        """Start what has died, and note the crash point it has died at."""
        for name, one in list(self.running.items()):
            if (point := one.died_at) is not None:
                one.process.join(20)
                self.reached[point or "killed"] += 1
                self.start(name)

    def kill_soon(self, name: str, seconds: float) -> None:
        """kill -9 in a moment, in the middle of whatever it does then."""
        process = self.running[name].process
        timer = threading.Timer(seconds, process.kill)
        timer.daemon = True
        timer.start()

    def arm(self, point: str) -> None:
        """From now on that program dies when it comes to this point."""
        self.running[point.partition(":")[0]].fuses.armed.value = point.encode()

    def is_armed(self, point: str) -> bool:
        """Whether the program that runs now is to die at this point."""
        armed: bytes = self.running[point.partition(":")[0]].fuses.armed.value
        return armed == point.encode()

    def stop_past_its_lease(self, name: str) -> None:
        """SIGSTOP; another of its name frees what it held and goes on."""
        former = self.running[name]
        if former.died_at is None:
            os.kill(former.process.pid or 0, signal.SIGSTOP)
            self.stopped.append(former)
        self.start(name)

    def go_on(self) -> None:
        """SIGCONT to all that were stopped; they live on a while as late ones of their kind."""
        for former in self.stopped:
            if former.process.is_alive():
                os.kill(former.process.pid or 0, signal.SIGCONT)

    def end_backends(self) -> None:
        """Every server process of the installation but the onlooker's."""
        names = [cluster.name_of(url) for url in self.shop.installation.urls]
        with psycopg.connect(cluster.cluster().servers.admin_url, autocommit=True) as admin:
            admin.execute(_END_THEM, [names, OWNER])

    def restart_postgres(self) -> None:
        """`pg_ctl stop -m immediate`, which is SIGQUIT to the postmaster, and a start: it recovers from its log."""
        servers = cluster.cluster().servers
        postmaster = servers._postgres
        assert postmaster is not None
        assert postmaster.child is not None
        os.kill(postmaster.child.pid, signal.SIGQUIT)
        postmaster.child.wait(30)
        assert servers.revive() == ["postgres"]
        for name in ("_control", "_cell"):  # the onlooker's own connections
            if name in self.shop.installation.__dict__:
                self.shop.installation.__dict__.pop(name).close()

    def flush(self) -> None:
        """Valkey forgets everything."""
        with redis.Redis.from_url(self.redis_url) as client:
            client.flushall()

    def heal(self) -> None:
        """No fault any more; who was stopped goes on and ends."""
        self.shop.product.faults.clear()
        for one in [*self.running.values(), *self.stopped]:
            one.fuses.armed.value = b""
        self.go_on()
        self.mend()

    def hurry(self) -> None:
        """Later tries now, and lost messages after two seconds instead of ten: sooner, none would ever arrive."""
        self.shop.hurry()
        lost = "state = 'dispatched' AND lease_until < now() + interval '8 s'"
        self.shop.installation.cell(f"UPDATE cell.job SET lease_until = now() WHERE {lost}")  # noqa: S608 - as above

    def end_the_late(self) -> None:
        """Those that were stopped have gone on for long enough; each holds connections."""
        for one in self.stopped:
            one.kill()
        self.stopped.clear()

    def close(self) -> None:
        """End every program."""
        for one in [*self.running.values(), *self.stopped]:
            one.kill()

    def _make_lasting(self) -> None:
        """A commit lasts when it is answered, as everywhere but in tests: PostgreSQL is going to be stopped."""
        with psycopg.connect(cluster.cluster().servers.admin_url, autocommit=True) as admin:
            for url in self.shop.installation.urls:
                admin.execute(f'ALTER DATABASE "{cluster.name_of(url)}" SET synchronous_commit = on'.encode())
        self.end_backends()
        for name in ("_control", "_cell"):
            if name in self.shop.installation.__dict__:
                self.shop.installation.__dict__.pop(name).close()
