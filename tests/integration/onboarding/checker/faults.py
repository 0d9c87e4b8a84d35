"""A real worker and a real dispatcher over one installation, and what is done to them: each fault by its name."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from multiprocessing.context import ForkServerProcess
from random import Random
from typing import Any

import psycopg
import redis

from app.connectors.catalog.stand_in import Fault
from app.demo.embedded.postgres import OWNER
from tests import cluster
from tests.factories.main_job import MainJob
from tests.integration.onboarding.checker.programs import start_program

PROGRAMS = ("worker", "dispatcher")
_END_THEM = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = %s AND backend_type = 'client backend' AND usename <> %s  -- who looks on
"""


class Ground:
    """The programs of one installation, and the faults that befall them."""

    def __init__(self, shop: MainJob) -> None:
        self.shop = shop
        self.redis_url = cluster.cluster().fresh_redis_url()
        self.running: dict[str, ForkServerProcess] = {}
        self.stopped: list[ForkServerProcess] = []

    def start(self, name: str) -> None:
        """Start a program; the former one of that name is dead or stopped."""
        environment = {"SLIPWAY_WARM_SLOTS": "4"} | self.shop.environment(self.redis_url)
        self.running[name] = start_program(name, environment, self.shop.folder / "programs.log")

    def befall(self, chance: Random) -> str:
        """One fault. Returns its name."""
        name = chance.choice(sorted(FAULTS))
        FAULTS[name](self, chance)
        return name

    def kill(self, name: str) -> None:
        """kill -9, and another one takes over."""
        self.running[name].kill()
        self.running[name].join(20)
        self.start(name)

    def stop_past_its_lease(self) -> None:
        """SIGSTOP to the worker; another of its name frees what it held and goes on."""
        former = self.running["worker"]
        os.kill(former.pid or 0, signal.SIGSTOP)
        self.stopped.append(former)
        self.start("worker")

    def go_on(self) -> None:
        """SIGCONT to all that were stopped; they live on a while as late workers."""
        for former in self.stopped:
            os.kill(former.pid or 0, signal.SIGCONT)

    def end_backends(self) -> None:
        """Every server process of the cell but the onlooker's."""
        with psycopg.connect(cluster.cluster().servers.admin_url, autocommit=True) as admin:
            admin.execute(_END_THEM, [cluster.name_of(self.shop.installation.urls.cell_url), OWNER])

    def flush(self) -> None:
        """Valkey forgets everything."""
        with redis.Redis.from_url(self.redis_url) as client:
            client.flushall()

    def heal(self) -> None:
        """No fault any more; who was stopped goes on and ends."""
        self.shop.product.faults.clear()
        self.go_on()

    def hurry(self) -> None:
        """Later tries now, and lost messages after two seconds instead of ten: sooner, none would ever arrive."""
        self.shop.hurry()
        lost = "state = 'dispatched' AND lease_until < now() + interval '8 s'"
        self.shop.installation.cell(f"UPDATE cell.job SET lease_until = now() WHERE {lost}")  # noqa: S608 - as above

    def close(self) -> None:
        """End every program."""
        for process in [*self.running.values(), *self.stopped]:
            process.kill()
            process.join(20)


def _spoil(kind: Any, **more: Any) -> Any:
    def befall(ground: Ground, chance: Random) -> None:
        ground.shop.product.break_next(Fault(kind=kind, path="/v1/", times=chance.randint(1, 3), **more))

    return befall


FAULTS: dict[str, Any] = {
    "worker killed": lambda ground, _chance: ground.kill("worker"),
    "dispatcher killed": lambda ground, _chance: ground.kill("dispatcher"),
    "worker stopped past its lease": lambda ground, _chance: ground.stop_past_its_lease(),
    "stopped worker goes on": lambda ground, _chance: ground.go_on(),
    "server processes ended": lambda ground, _chance: ground.end_backends(),
    "queue forgotten": lambda ground, _chance: ground.flush(),
    "answer lost after the effect": _spoil("reset_after_effect"),
    "product says 429": _spoil("status", status=429, headers={"Retry-After": "1"}),
    "product says 500": _spoil("status", status=500),
    "a day goes by": lambda ground, chance: ground.shop.installation.move_clock(timedelta(hours=chance.randint(6, 60))),
    "messages sent again": lambda ground, _chance: ground.hurry(),
}
