"""Jobs through the product's own dispatcher and workers, beside Dramatiq alone with the same actors and threads."""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker

from app.bootstrap.schedules import schedules
from app.kernel.outcomes import Done, Outcome
from app.kernel.queue.broker import IDLE, QUEUES, make_actor, make_broker, with_database
from app.kernel.queue.jobs import JobRun, job
from app.kernel.queue.loop import Dispatcher, Schedule
from app.kernel.queue.wake import Doorbell, ValkeyWake
from app.kernel.work import JOBS
from tenants.slots import make_slots
from tenants.tenant import Tenant
from tests.benchmarks.ground import Ground, default_of
from tests.benchmarks.measure import Figure, at_least, at_most, ms, percentile, say
from tests.factories.installation import CELL, Installation

_NOTHING, _SHORT = "bench.do_nothing", "bench.take_20_ms"
_MANY, _SOME, _ALONE, _ROUNDS = 600, 1_200, 60, 3  # of rounds the middle one: Dramatiq's first pause may be all of one
_SERVICE = 0.02
_PATIENCE = 60.0
_SETTLED, _IDLE = 60.0, 30.0  # seconds: vacuum and checkpoint come to their end; two rounds of each schedule but one


@dataclass
class _Countdown:
    """Says when everybody has been here: asking the server again and again would be work, too."""

    left: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def one(self) -> None:
        with self.lock:
            self.left -= 1
            if not self.left:
                self.over.set()


_countdown = _Countdown()


@job(_NOTHING)
def do_nothing(_run: JobRun) -> Outcome:
    """All that is measured is what surrounds it."""
    _countdown.one()
    return Done()


@job(_SHORT)
def take_20_ms(_run: JobRun) -> Outcome:
    """As long as a quick call to the outside."""
    time.sleep(_SERVICE)  # the work itself: there is nothing to await
    _countdown.one()
    return Done()


def measure(ground: Ground) -> Iterator[Figure]:
    """The figures of this group."""
    url, threads = ground.cluster.servers.redis_url, default_of("SLIPWAY_WORKER_THREADS")
    with ground.installation() as installation, at_work(installation, url, threads):
        partner = installation.partner()
        make_slots(installation.databases, CELL, 4)
        tenants = [installation.customer(partner, f"Customer {n}") for n in range(4)]
        _throughput(installation, tenants, _NOTHING, 50)  # warm
        say(f"jobs: {_ALONE} alone, {_MANY} that do nothing, {_SOME} of 20 ms, {threads} threads")
        alone = [_latency(installation, tenants[n % 4]) for n in range(_ALONE)]
        nothing = _middle(lambda: _throughput(installation, tenants, _NOTHING, _MANY))
        short = _middle(lambda: _throughput(installation, tenants, _SHORT, _SOME))
    yield Figure("job_enqueued_to_done_p50", ms(percentile(alone, 50)), "ms")
    yield Figure("job_enqueued_to_done_p95", ms(percentile(alone, 95)), "ms")
    raw_nothing = _middle(lambda: _raw(url, threads, lambda: None, _MANY))
    raw_short = _middle(lambda: _raw(url, threads, lambda: time.sleep(_SERVICE), _SOME))  # the work itself, as above
    yield Figure("jobs_of_nothing", nothing, "jobs/s", None, "Dramatiq alone", raw_nothing)
    yield Figure("jobs_of_20_ms", short, "jobs/s", at_least(0.7, "ratio"), "Dramatiq alone", raw_short)


def idle(ground: Ground, installation: Installation, tenants: int) -> Figure:
    """Dispatcher with its schedules, worker, PostgreSQL and Valkey together, in per cent of one core."""
    say(f"tenancy: {tenants} idle tenants for {_IDLE:.0f} s")
    url, threads = ground.cluster.servers.redis_url, default_of("SLIPWAY_WORKER_THREADS")
    kept = schedules(installation.runtime, warm_slots=default_of("SLIPWAY_WARM_SLOTS"))
    clock = threading.Event()
    with at_work(installation, url, threads, kept):
        clock.wait(_SETTLED)
        before, began = _burnt(), time.perf_counter()
        clock.wait(_IDLE)
        share = (_burnt() - before) / (time.perf_counter() - began)
    return Figure(f"idle_{tenants}_tenants", share * 100, "% of a core", at_most(5))


@contextmanager
def at_work(installation: Installation, redis_url: str, threads: int, kept: Sequence[Schedule] = ()) -> Iterator[None]:
    """Dispatcher and worker of the product in this process, put together as `app.bootstrap` and `app.worker` do."""
    wake = ValkeyWake(redis_url)
    installation.runtime = replace(installation.runtime, wake=wake)
    broker = make_broker(redis_url)
    for queue in QUEUES:
        broker.declare_actor(make_actor(broker, installation.runtime, queue=queue, worker="bench"))
    doorbell = Doorbell(redis_url, JOBS)
    dispatcher = Dispatcher(installation.databases, broker, {}, doorbell, window=2 * threads, schedules=kept)
    thread = threading.Thread(target=dispatcher.run, name="dispatcher")
    with working(broker, threads):
        thread.start()
        try:
            yield
        finally:
            dispatcher.stop()
            thread.join()
            doorbell.close()
            wake.close()


@contextmanager
def working(broker: RedisBroker, threads: int) -> Iterator[None]:
    """Dramatiq's threads on this broker, which is emptied and closed afterwards."""
    worker = dramatiq.Worker(broker, worker_threads=threads, worker_timeout=IDLE)
    worker.start()
    try:
        yield
    finally:
        worker.stop(timeout=5_000)
        broker.client.flushdb()
        broker.close()
        broker.client.close()


def _throughput(installation: Installation, tenants: Sequence[Tenant], kind: str, count: int) -> float:
    """Jobs a second, from the first commit that asks for some to the last that completes one."""
    global _countdown  # noqa: PLW0603 - what the jobs above count down
    _countdown = _Countdown(count // len(tenants) * len(tenants))
    began = time.perf_counter()
    for tenant in tenants:
        with installation.work(tenant) as work:
            for _ in range(count // len(tenants)):
                work.enqueue(kind)
    unfinished = "SELECT count(*) AS n FROM cell.job WHERE finished_at IS NULL"
    assert _countdown.over.wait(_PATIENCE), "the jobs do not come to an end"
    _wait(lambda: installation.cell(unfinished)[0].n == 0, every=0.005)
    return count // len(tenants) * len(tenants) / (time.perf_counter() - began)


def _middle(measured: Callable[[], float]) -> float:
    """The middle of several rounds."""
    return percentile([measured() for _ in range(_ROUNDS)], 50)


def _latency(installation: Installation, tenant: Tenant) -> float:
    """Seconds from opening the transaction that asks for a job until everybody can see that it is done."""
    began = time.perf_counter()
    with installation.work(tenant) as work:
        asked: UUID = work.enqueue(_NOTHING)
    done = "SELECT state FROM cell.job WHERE id = %s"
    _wait(lambda: installation.cell(done, asked)[0].state == "done", every=0.001)
    return time.perf_counter() - began


def _raw(redis_url: str, threads: int, act: Callable[[], object], count: int) -> float:
    """Messages a second that Dramatiq, as it comes, works off with the same body and threads; nothing is kept."""
    broker = as_it_comes(redis_url)
    countdown = _Countdown(count)

    def body() -> None:
        act()
        countdown.one()

    actor: dramatiq.Actor[[], None] = dramatiq.Actor(
        body, broker=broker, actor_name="bench.raw", queue_name="bench", priority=0, options={"max_retries": 0}
    )
    with working(broker, threads):
        began = time.perf_counter()
        for _ in range(count):
            actor.send()
        assert countdown.over.wait(_PATIENCE), "Dramatiq does not come to an end"
        return count / (time.perf_counter() - began)


def as_it_comes(redis_url: str) -> RedisBroker:
    """Dramatiq's own broker with all that it does by itself, in a logical database of its own."""
    return RedisBroker(client=redis.Redis.from_url(with_database(redis_url, 1)))


def _wait(reached: Callable[[], bool], *, every: float) -> None:
    clock, deadline = threading.Event(), time.monotonic() + _PATIENCE
    while not reached():
        if time.monotonic() > deadline:
            raise AssertionError("the jobs do not come to an end")
        clock.wait(every)


def _burnt() -> float:
    """Seconds of processor time that this process and all it has started have used, the ended ones included."""
    used, below = dict[int, float](), defaultdict[int, list[int]](list)
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parts = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        pid = int(path.parent.name)
        used[pid] = sum(map(int, parts[11:15])) / os.sysconf("SC_CLK_TCK")
        below[int(parts[1])].append(pid)
    family = [os.getpid()]
    for pid in family:
        family += below[pid]
    return sum(used[pid] for pid in family)
