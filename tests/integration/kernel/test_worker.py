"""Real workers on a real queue: emptied in the middle, killed in the middle. Everything completes, once."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
import redis
from dramatiq import Worker

from app.kernel.outcomes import Done, Outcome
from app.kernel.queue.broker import QUEUES, Broker, make_actor, make_broker, send
from app.kernel.queue.dispatcher import recover_leases, relay_outbox
from app.kernel.queue.fair.handing import take_ready
from app.kernel.queue.jobs import JobRun
from tenants.tenant import Tenant
from tests import cluster
from tests.factories.installation import CELL, Installation
from tests.integration.kernel import killable_worker
from tests.integration.kernel.work_to_do import GuestArrived, add_guest, arrive, body

Guests = Callable[[Tenant], list[str]]
HEAR = {GuestArrived.type: ["tests.hear"]}


@pytest.fixture
def broker() -> Iterator[Broker]:
    made = make_broker(cluster.cluster().servers.redis_url)
    made.client.flushall()
    yield made
    made.client.flushall()
    made.close()
    made.client.close()


@pytest.fixture
def worker(installation: Installation, broker: Broker) -> Iterator[Worker]:
    for queue in QUEUES:
        make_actor(broker, installation.runtime, queue=queue, worker="in-process")
    made = Worker(broker, worker_threads=2, worker_timeout=50)
    made.start()
    yield made
    made.stop(timeout=5_000)


def unfinished(installation: Installation) -> int:
    left = installation.cell("SELECT 1 FROM cell.outbox WHERE state = 'new'")
    left += installation.cell("SELECT 1 FROM cell.job WHERE finished_at IS NULL")
    return len(left)


def drive(
    installation: Installation, broker: Broker, *, each_turn: Callable[[int], object] = lambda _turn: None
) -> None:
    """Dispatch until all work is finished, or say what is left after a while."""
    deadline, turn = time.monotonic() + 90, 0
    while unfinished(installation):
        assert time.monotonic() < deadline, installation.cell("SELECT kind, state, attempts, last_error FROM cell.job")
        relay_outbox(installation.databases, CELL, HEAR)
        recover_leases(installation.databases, CELL)
        send(broker, CELL, take_ready(installation.databases, CELL, window=20))
        each_turn(turn)
        turn += 1
        time.sleep(0.02)  # the dispatcher's own pace; what is awaited is the loop's condition


class TestAWorker:
    @pytest.mark.usefixtures("worker")
    def test_completes_all_work_of_both_tenants(
        self, installation: Installation, broker: Broker, acme: Tenant, umbrella: Tenant, guests: Guests
    ):
        for tenant in (acme, umbrella):
            with installation.work(tenant) as work:
                for number in range(20):
                    work.enqueue("tests.greet", args={"name": f"{number}"}, queue=QUEUES[number % 3])
        drive(installation, broker)
        for tenant in (acme, umbrella):
            names = guests(tenant)
            assert Counter(names) == {f"{prefix}{n}": 1 for prefix in ("", "heard ") for n in range(20)}

    @pytest.mark.usefixtures("worker")
    def test_completes_all_work_although_the_queue_is_emptied_in_the_middle(
        self, installation: Installation, broker: Broker, acme: Tenant, guests: Guests, monkeypatch
    ):
        monkeypatch.setattr("app.kernel.queue.fair.handing._DISPATCH_LEASE", 1)  # seconds; ten would test the same
        with installation.work(acme) as work:
            for number in range(60):
                arrive(work, f"{number}")

        def lose_everything(turn: int) -> None:
            if turn in (1, 3, 6):
                broker.client.flushall()

        drive(installation, broker, each_turn=lose_everything)
        assert Counter(guests(acme)) == {f"{prefix}{n}": 1 for prefix in ("", "heard ") for n in range(60)}

    def test_gets_messages_again_that_could_not_be_sent(self, installation: Installation, broker: Broker, acme: Tenant):
        with installation.work(acme) as work:
            work.enqueue("tests.greet", args={"name": "Bo"})
        nowhere = make_broker("unix:///nowhere/valkey.sock")
        taken = installation.take()
        assert send(nowhere, CELL, taken) == 0
        nowhere.client.close()
        assert installation.jobs()[0].state == "dispatched"
        assert send(broker, CELL, taken) == 1

    @pytest.mark.usefixtures("worker")
    def test_lives_on_after_a_job_that_blew_up(
        self, installation: Installation, broker: Broker, acme: Tenant, guests: Guests
    ):
        def act(run: JobRun) -> Outcome:
            if run.job.attempts == 1:
                raise MemoryError
            with run.finish() as work:
                add_guest(work, "recovered")
            return Done()

        body["act"] = act
        with installation.work(acme) as work:
            work.enqueue("tests.act")
        hurry = "UPDATE cell.job SET run_at = now() WHERE state = 'ready'"
        drive(installation, broker, each_turn=lambda _turn: installation.cell(hurry))
        assert guests(acme) == ["recovered"]


class TestAKilledWorker:
    def start(self, installation: Installation) -> subprocess.Popen[str]:
        urls = [*installation.urls, cluster.cluster().servers.redis_url]
        command = [sys.executable, "-m", killable_worker.__name__, *urls]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    def test_leaves_its_job_to_the_next_which_completes_it(
        self, installation: Installation, broker: Broker, acme: Tenant, guests: Guests, monkeypatch
    ):
        monkeypatch.setattr("app.kernel.queue.fair.handing._DISPATCH_LEASE", 1)  # what it had fetched comes back sooner
        with installation.work(acme) as work:
            job_id = work.enqueue("tests.kill", args={"once": True})
            for number in range(4):
                work.enqueue("tests.greet", args={"name": f"{number}"})
        workers = [self.start(installation)]

        def replace_the_dead(_turn: int) -> None:
            if workers[-1].poll() is not None:
                workers.append(self.start(installation))

        try:
            drive(installation, broker, each_turn=replace_the_dead)
        finally:
            for worker in workers:
                worker.kill()
                worker.communicate()
        assert len(workers) == 2
        row = installation.job(job_id)
        assert (row.state, row.attempts) == ("done", 2)
        expected = {"before 1": 1, "survived": 1, "0": 1, "1": 1, "2": 1, "3": 1}
        assert Counter(name for name in guests(acme) if not name.startswith("heard")) == expected


class TestMakeBroker:
    @pytest.mark.parametrize("address", ["redis://localhost:6379", "redis://localhost:6379/0", "redis://u:p@h:1/5?x=1"])
    def test_keeps_to_a_logical_database_of_its_own(self, address: str):
        made = make_broker(address)
        assert made.client.connection_pool.connection_kwargs["db"] == 1
        assert isinstance(made.client, redis.Redis)
        made.client.close()
