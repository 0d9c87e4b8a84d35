"""One job, one worker: messages that come twice, and a worker that was stopped past its lease."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.kernel.outcomes import Done, Outcome
from app.kernel.queue.batches.claims import PARKED
from app.kernel.queue.broker import Broker, make_broker, send
from app.kernel.queue.dispatcher import Dispatched
from app.kernel.queue.jobs import JobRun
from tenants.tenant import Tenant
from tests import cluster
from tests.factories.installation import CELL, Installation
from tests.integration.kernel import killable_worker
from tests.integration.kernel.work_to_do import GuestArrived, add_guest, body

Guests = Callable[[Tenant], list[str]]
HEAR = {GuestArrived.type: ["tests.hear"]}


def parked(state: str) -> float:
    """How many messages this process has counted as parked, by the state of their job."""
    return next(
        sample.value
        for metric in PARKED.labels(state).collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    )


@pytest.fixture
def broker() -> Iterator[Broker]:
    made = make_broker(cluster.cluster().servers.redis_url)
    made.client.flushall()
    yield made
    made.client.flushall()
    made.close()
    made.client.close()


@pytest.fixture
def worker(installation: Installation) -> Iterator[subprocess.Popen[str]]:
    urls = [*installation.urls, cluster.cluster().servers.redis_url]
    command = [sys.executable, "-m", killable_worker.__name__, *urls]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.communicate()


def is_stopped(pid: int) -> bool:
    """Whether the process is held by SIGSTOP."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "T"


class TestAMessage:
    def test_that_comes_twice_while_its_job_runs_is_parked_and_counted(
        self, installation: Installation, acme: Tenant, guests: Guests
    ):
        inside, go_on = threading.Event(), threading.Event()

        def act(run: JobRun) -> Outcome:
            inside.set()
            assert go_on.wait(20)
            with run.finish() as work:
                add_guest(work, f"attempt {run.job.attempts}")
            return Done()

        body["act"] = act
        with installation.work(acme) as work:
            job_id = work.enqueue("tests.act")
        (item,) = installation.take()
        first = threading.Thread(target=installation.run_one, args=[item])
        first.start()
        assert inside.wait(20)
        before = parked("running")
        for _message in range(3):
            installation.run_one(item, worker="worker-2")
        assert parked("running") == before + 3
        row = installation.job(job_id)
        assert (row.state, row.worker, row.epoch, row.attempts) == ("running", "worker-1", 1, 1)
        go_on.set()
        first.join()
        assert guests(acme) == ["attempt 1"]

    def test_about_what_is_done_or_was_never_there_is_parked_too(self, installation: Installation, acme: Tenant):
        with installation.work(acme) as work:
            work.enqueue("tests.greet", args={"name": "Bo"})
        (item,) = installation.take()
        installation.run_one(item)
        before = parked("done"), parked("gone")
        installation.run_one(item)
        installation.run_one(Dispatched(tenant_id=acme.id, job_id=acme.id, queue="default"))
        assert (parked("done"), parked("gone")) == (before[0] + 1, before[1] + 1)


class TestAStoppedWorker:
    def test_that_goes_on_after_its_lease_is_fenced_off_and_the_effect_is_told_once(
        self,
        installation: Installation,
        broker: Broker,
        worker: subprocess.Popen[str],
        acme: Tenant,
        guests: Guests,
    ):
        with installation.work(acme) as work:
            job_id = work.enqueue("tests.stop")
        send(broker, CELL, installation.take())
        end = time.monotonic() + 30
        while not is_stopped(worker.pid):  # it stops itself between its claim and its effect
            assert time.monotonic() < end, "the worker never came to the job"
            time.sleep(0.01)  # another process's state has no event of ours
        installation.cell("UPDATE cell.job SET lease_until = now() - interval '1 s' WHERE id = %s", job_id)
        ran = installation.run_due(HEAR)
        assert [(row.kind, row.state) for row in ran] == [("tests.stop", "done"), ("tests.hear", "done")]
        worker.send_signal(signal.SIGCONT)
        assert worker.stdout is not None
        assert worker.stdout.readline() == "fenced\n"
        installation.run_due(HEAR)
        assert Counter(guests(acme)) == {"attempt 2": 1, "heard attempt 2": 1}
        row = installation.job(job_id)
        assert (row.state, row.epoch, row.attempts, row.worker) == ("done", 2, 2, None)
