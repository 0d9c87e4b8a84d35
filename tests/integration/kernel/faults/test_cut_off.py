"""The dispatcher killed at each of its commits, and server processes ended under everybody: nothing twice or lost."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from dramatiq import Worker

from app.demo.embedded.postgres import OWNER
from app.kernel.queue.broker import QUEUES, make_actor
from app.kernel.queue.loop import Dispatcher
from app.kernel.queue.wake import Doorbell
from app.kernel.work import JOBS
from tenants.tenant import Tenant
from tests import cluster
from tests.factories.installation import CELL, Installation, make_databases
from tests.integration.kernel.faults.in_memory import InMemoryBroker
from tests.integration.kernel.work_to_do import GuestArrived, arrive

Guests = Callable[[Tenant], list[str]]
HEAR = {GuestArrived.type: ["tests.hear"]}
_END_THEM = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = %s AND backend_type = 'client backend' AND usename <> %s  -- who looks on
"""


class DeadlyBroker(InMemoryBroker):
    """Dies instead of sending: what was taken in the database never reaches the queue."""

    def enqueue(self, message: Any, *, delay: int | None = None) -> Any:
        """The moment between the database and the queue."""
        del message, delay
        os.kill(os.getpid(), signal.SIGKILL)


def deadly(number: int, *, after: bool) -> Callable[[psycopg.Connection[Any]], None]:
    """The driver's commit, in which this process dies at that one: just before it is sent or once it is answered."""
    left, commit = [number], psycopg.Connection.commit

    def count(connection: psycopg.Connection[Any]) -> None:
        left[0] -= 1
        if after:
            commit(connection)
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        if not after:
            commit(connection)

    return count


def turn_and_die(installation: Installation, *, commit: int, after: bool) -> int:
    """One turn of a dispatcher in a fork that is killed before or after its commit of that number; how it ended."""
    child = os.fork()
    if child == 0:
        try:
            psycopg.Connection.commit = deadly(commit, after=after)  # type: ignore[assignment, method-assign]  # here alone
            databases = make_databases(installation.urls, installation.key)
            doorbell = Doorbell("unix:///nowhere/valkey.sock", JOBS)
            Dispatcher(databases, DeadlyBroker(), HEAR, doorbell, window=10).turn(CELL)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class TestAKilledDispatcher:
    @pytest.mark.parametrize("after", [False, True], ids=["before the commit", "after the commit"])
    @pytest.mark.parametrize("commit", range(1, 7))
    def test_loses_and_doubles_nothing_wherever_it_dies(
        self, installation: Installation, acme: Tenant, umbrella: Tenant, guests: Guests, *, commit: int, after: bool
    ):
        for tenant in (acme, umbrella):
            with installation.work(tenant) as work:
                arrive(work, "Bo")
                work.enqueue("tests.greet", args={"name": "Di"})
                work.set_timer("tests.note", subject_id=tenant.id, due_at=work.now, version=1, args={"note": "rang"})
        assert turn_and_die(installation, commit=commit, after=after) == -signal.SIGKILL
        installation.cell("UPDATE cell.job SET lease_until = now() - interval '1 s' WHERE state = 'dispatched'")
        installation.run_due(HEAR)
        for tenant in (acme, umbrella):
            assert Counter(guests(tenant)) == dict.fromkeys(["Bo", "heard Bo", "Di", "heard Di", "rang"], 1)

    def test_between_database_and_queue_leaves_jobs_that_are_sent_again(
        self, installation: Installation, acme: Tenant, guests: Guests
    ):
        with installation.work(acme) as work:
            work.enqueue("tests.greet", args={"name": "Di"})
        assert turn_and_die(installation, commit=99, after=True) == -signal.SIGKILL
        (row,) = installation.jobs("tests.greet")
        assert (row.state, row.attempts) == ("dispatched", 0)
        installation.cell("UPDATE cell.job SET lease_until = now() - interval '1 s'")
        installation.run_due(HEAR)
        assert Counter(guests(acme)) == {"Di": 1, "heard Di": 1}


# Where the whole suite is known there are sequencers of trails, too, which nobody is wired for here.
_UNFINISHED = "SELECT 1 FROM cell.job WHERE finished_at IS NULL AND starts_with(kind, 'tests.') LIMIT 1"


class TestServerProcesses:
    def test_that_are_ended_under_dispatcher_and_worker_cost_nothing_but_time(
        self, installation: Installation, acme: Tenant, guests: Guests
    ):
        broker = InMemoryBroker()
        for queue in QUEUES:
            broker.declare_actor(make_actor(broker, installation.runtime, queue=queue, worker="cut-off"))
        doorbell = Doorbell(cluster.cluster().servers.redis_url, JOBS)
        dispatcher = Dispatcher(installation.databases, broker, HEAR, doorbell, window=20)
        worker, storm = Worker(broker, worker_threads=4), 4
        turning = threading.Thread(target=dispatcher.run, daemon=True)
        with installation.work(acme) as work:
            for number in range(60):
                arrive(work, f"{number}")
        turning.start()
        worker.start()
        pause, ended = threading.Event(), 0
        try:
            with psycopg.connect(cluster.cluster().servers.admin_url, autocommit=True) as admin:
                name = cluster.name_of(installation.urls.cell_url)
                for _blow in range(100):
                    if ended >= storm:
                        break
                    ended += len(admin.execute(_END_THEM, [name, OWNER]).fetchall())
                    pause.wait(0.1)
            self._wait(installation, pause)
        finally:
            dispatcher.stop()
            turning.join()
            worker.stop()
            doorbell.close()
        assert ended >= storm
        assert Counter(guests(acme)) == {f"{prefix}{n}": 1 for prefix in ("", "heard ") for n in range(60)}

    def _wait(self, installation: Installation, pause: threading.Event) -> None:
        """Until all is done. Who lost the database lets go, and the lease brings the job back, here at once."""
        for _look in range(200):
            unfinished = installation.cell(_UNFINISHED)
            if not unfinished and not installation.cell("SELECT 1 FROM cell.outbox WHERE state = 'new' LIMIT 1"):
                return
            installation.cell("UPDATE cell.job SET lease_until = now() WHERE state IN ('dispatched', 'running')")
            installation.cell("UPDATE cell.job SET run_at = now() WHERE state = 'ready'")
            pause.wait(0.2)
        raise AssertionError(installation.cell("SELECT kind, state, attempts, last_error FROM cell.job"))
