"""Real worker processes, killed with -9 around a call, and a Valkey that forgets everything: nothing twice or lost."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from app.bootstrap.subscriptions import SUBSCRIPTIONS
from app.connectors.catalog.stand_in import Answer, Call
from app.kernel.queue.broker import make_broker, send
from app.kernel.queue.dispatcher import recover_leases, relay_outbox
from app.kernel.queue.fair import handing
from app.kernel.queue.fair.handing import take_ready
from app.kernel.queue.timers.due import fire_timers
from tests.cluster import cluster
from tests.factories.installation import CELL
from tests.factories.main_job import MainJob
from tests.factories.walker import connect_product, do, picture_of, walk
from tests.integration.connectors.oauth import OAuthLine

ROOT = Path(__file__).resolve().parents[3]
TASK = "task.create_workspace"


class Line:
    """Dispatches over a real Valkey to real workers while a test waits for something."""

    def __init__(self, shop: MainJob, redis_url: str) -> None:
        self.shop, self.redis_url = shop, redis_url
        self.broker = make_broker(redis_url)

    def wait(self, condition: Callable[[], Any], *, seconds: float = 90) -> Any:
        """Turn the dispatcher until the condition holds."""
        end, databases = time.monotonic() + seconds, self.shop.runtime.databases
        while not (found := condition()):
            assert time.monotonic() < end, "it did not happen in time"
            fire_timers(databases, CELL)
            relay_outbox(databases, CELL, SUBSCRIPTIONS)
            recover_leases(databases, CELL)
            send(self.broker, CELL, take_ready(databases, CELL, window=8))
        return found

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        """A worker process, killed at the end at the latest."""
        own = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
        command = [sys.executable, "-m", "app.cli", "worker"]
        log = (self.shop.folder / "worker.log").open("ab")
        process = subprocess.Popen(
            command, cwd=ROOT, env=own | self.shop.environment(self.redis_url), stdout=log, stderr=log
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait(10)
            log.close()


@pytest.fixture
def line(shop: MainJob, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    monkeypatch.setattr(handing, "_DISPATCH_LEASE", 1)  # seconds instead of ten, so that the test need not wait
    made = Line(shop, cluster().fresh_redis_url())
    yield made
    made.broker.close()


class Barrier:
    """Stands between the product and its answer: the effect has happened, the answer waits."""

    def __init__(self, wire: Callable[[Call], Answer]) -> None:
        self._wire = wire
        self.reached, self.opened = threading.Event(), threading.Event()

    def __call__(self, call: Call) -> Answer:
        """Do it, say so, and wait to be let through."""
        answer = self._wire(call)
        self.reached.set()
        self.opened.wait(30)
        return answer


def test_a_worker_killed_around_a_call_leaves_one_effect_and_the_onboarding_goes_on(shop: MainJob, line: Line):
    deal = shop.sell(company="Killed", email="k@killed.example")
    shop.tell(deal)
    shop.run()
    tenant, onboarding_id = shop.started(deal)
    connect_product(shop, tenant)
    walk(shop, tenant, onboarding_id, until="task.describe_environment")
    seen = picture_of(shop, tenant, onboarding_id)
    do(shop, tenant, seen, seen.item("task.describe_environment"))
    wire = shop.product.wire

    shop.product.wire = first = Barrier(wire)
    with line.worker() as worker:
        line.wait(first.reached.is_set)
        worker.kill()  # the call is under way
        worker.wait(10)
    first.opened.set()

    shop.product.wire = second = Barrier(wire)
    hold = f'SELECT 1 FROM "{tenant.schema}".run FOR UPDATE'  # noqa: S608 - our own schema
    with psycopg.connect(shop.installation.urls.cell_url) as holder, line.worker() as worker:
        line.wait(second.reached.is_set)
        holder.execute(hold.encode())  # the record will have to wait
        second.opened.set()
        waiting = "SELECT 1 FROM pg_locks WHERE NOT granted"
        line.wait(lambda: shop.installation.cell(waiting))
        worker.kill()  # the call has been answered, nothing of it is recorded
        worker.wait(10)
    shop.product.wire = wire

    ended = "SELECT state, attempts FROM {}.run WHERE state = 'succeeded'"
    with line.worker():
        [run] = line.wait(lambda: shop.installation.rows(tenant, ended))
        line.wait(lambda: picture_of(shop, tenant, onboarding_id).of(TASK).state == "done")
    assert [attempt["number"] for attempt in run.attempts] == [1, 2, 3]
    assert [effect["kind"] for effect in shop.product.effects] == ["workspace_created"]


def test_everything_completes_although_valkey_forgets_everything_in_the_middle(shop: MainJob, line: Line):
    deals = [shop.sell(company=f"Forgotten {number}", email=f"f{number}@f.example") for number in range(2)]
    for deal in deals:
        shop.tell(deal)
    client = redis.Redis.from_url(line.redis_url)
    with line.worker():
        for state in ("dispatched", "running"):
            line.wait(partial(shop.installation.cell, "SELECT 1 FROM cell.job WHERE state = %s LIMIT 1", state))
            client.flushall()
        line.wait(lambda: {row.external_id for row in shop.deals() if row.state == "started"} >= set(deals))
        client.flushall()
        line.wait(
            lambda: (
                not shop.installation.cell(
                    "SELECT 1 FROM cell.job WHERE finished_at IS NULL AND run_at <= now() LIMIT 1"
                )
            )
        )
    client.close()
    for deal in deals:
        assert [row.kind for row in shop.installation.jobs() if row.state == "failed"] == []
        tenant, _onboarding = shop.started(deal)
        assert len(shop.installation.rows(tenant, "SELECT id FROM {}.onboarding")) == 1


def test_two_workers_that_need_a_token_at_once_ask_for_it_once(shop: MainJob, line: Line):
    """Other processes, other pools, other clocks: the lease in the workspace is all that they share."""
    shop.installation.rows(shop.home, "UPDATE {}.connection SET state = 'removed' WHERE connector = 'hubspot'")
    oauth = OAuthLine(shop)
    oauth.connect()
    oauth.desk.rotates = True
    oauth.desk.answered.clear()
    oauth.desk.end_access()
    answer = shop.crm.open_doors["/oauth/v1/token"]

    def slowly(call: Call) -> Answer:
        time.sleep(0.5)  # a peer that takes its time: there is nothing to await
        return answer(call)

    shop.crm.open_doors["/oauth/v1/token"] = slowly
    runs = [oauth.ask() for _ in range(6)]
    with line.worker(), line.worker():
        line.wait(lambda: all(oauth.run_of(run).state == "succeeded" for run in runs))
    assert oauth.count("refresh_token") == 1
