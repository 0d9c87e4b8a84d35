"""A quiet tenant beside 100,000 jobs of a noisy one; tenants that all have much to do; the same over raw Dramatiq.

The slots are as many as keep the machine's processors free: who is fair is the question, not how fast Python is.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from uuid import UUID

import dramatiq

from app.kernel.outcomes import Done, Outcome
from app.kernel.queue.jobs import JobRun, job
from tenants.slots import make_slots
from tenants.tenant import Tenant
from tests.benchmarks.ground import Ground
from tests.benchmarks.jobs import as_it_comes, at_work, working
from tests.benchmarks.measure import Figure, at_least, at_most, ms, percentile, say
from tests.factories.installation import CELL, Installation

_KIND, _SERVICE = "bench.fair_20_ms", 0.02
_SLOTS = 4
_NOISY, _QUIET, _EQUAL = 100_000, 60, 8
_FOR = 8.0  # seconds for which equal tenants are counted
_PAUSE = 0.11  # between two jobs of the quiet tenant
_MANY = """
    INSERT INTO cell.job (tenant_id, id, kind, queue, args, dedupe_key, run_at, state, attempts, epoch, trace_id,
        created_at)
    SELECT %s, gen_random_uuid(), %s, 'default', '{}', gen_random_uuid()::text, now(), 'ready', 0, 0, '', now()
    FROM generate_series(1, %s)
"""
_clock = threading.Event()
_begun: dict[UUID, float] = {}
_done: Counter[UUID] = Counter()


@job(_KIND)
def take_20_ms(run: JobRun) -> Outcome:
    """As long as a quick call to the outside; says when it began and whose it was."""
    _begun[run.job.id] = time.perf_counter()
    time.sleep(_SERVICE)  # the work itself: there is nothing to await
    _done[run.tenant.id] += 1
    return Done()


def measure(ground: Ground) -> Iterator[Figure]:
    """The figures of this group."""
    url = ground.cluster.servers.redis_url
    with ground.installation() as installation:
        partner = installation.partner()
        make_slots(installation.databases, CELL, _EQUAL + 2)
        noisy, quiet, *equal = [installation.customer(partner, f"Customer {n}") for n in range(_EQUAL + 2)]
        say(f"jobs: {_NOISY} of one tenant, {_QUIET} of another, then {_EQUAL} alike, {_SLOTS} threads")
        installation.cell(_MANY, noisy.id, _KIND, _NOISY)
        with at_work(installation, url, _SLOTS):
            _clock.wait(2)
            starts, service = _quiet_starts(installation, noisy, quiet)
            for number, tenant in enumerate(equal):
                installation.cell(_MANY, tenant.id, _KIND, 2_000 + 500 * number)
            shares = _shares([noisy, *equal])
    p95 = percentile(starts, 95)
    yield Figure("quiet_starts_p95", ms(p95), "ms")
    yield Figure("quiet_starts_in_service_times_p95", p95 / service, "service times", at_most(2))
    yield Figure("job_of_20_ms_in_a_slot", ms(service), "ms")
    yield Figure("jain_of_equal_tenants", _jain(shares), "", at_least(0.95))
    each, late = _queue_a_tenant(url)
    yield Figure("queue_a_tenant_quiet_starts_p95", ms(late), "ms")
    yield Figure("jobs_of_20_ms_in_turn", sum(shares) / _FOR, "jobs/s", None, "a queue a tenant", each)


def _quiet_starts(installation: Installation, noisy: Tenant, quiet: Tenant) -> tuple[list[float], float]:
    """Seconds from each commit to the start of its job; and what a job holds a slot for, seen from outside."""
    starts, before, began = [], _done[noisy.id], time.perf_counter()
    for _number in range(_QUIET):
        with installation.work(quiet) as work:
            job_id = work.enqueue(_KIND)
        committed = time.perf_counter()
        _wait_for(lambda job_id=job_id: job_id in _begun)  # type: ignore[misc]  # bound in the loop
        starts.append(_begun[job_id] - committed)
        _clock.wait(_PAUSE)
    done = _done[noisy.id] - before + _QUIET
    return starts, _SLOTS * (time.perf_counter() - began) / done


def _shares(tenants: Sequence[Tenant]) -> list[int]:
    """Jobs of each that were done while all of them had some waiting."""
    _clock.wait(1)
    before = Counter(_done)
    _clock.wait(_FOR)
    return [_done[tenant.id] - before[tenant.id] for tenant in tenants]


def _jain(shares: Sequence[int]) -> float:
    return sum(shares) ** 2 / (len(shares) * sum(share * share for share in shares))


def _queue_a_tenant(redis_url: str) -> tuple[float, float]:
    """Dramatiq alone with a queue for each tenant, one of which is noisy: jobs a second, and a quiet one's starts."""
    broker = as_it_comes(redis_url)
    done, begun = Counter[str](), dict[int, float]()

    def body(number: int, whose: str) -> None:
        begun[number] = time.perf_counter()
        time.sleep(_SERVICE)  # the work itself, as above
        done[whose] += 1

    def actor(whose: str) -> dramatiq.Actor[[int, str], None]:
        options = {"max_retries": 0}
        return dramatiq.Actor(body, broker=broker, actor_name=whose, queue_name=whose, priority=0, options=options)

    noisy, quiet = actor("noisy"), actor("quiet")
    others = [actor(f"t{number}") for number in range(_EQUAL)]
    for number in range(5_000):
        noisy.send(-number, "noisy")
    for number in range(4_000):
        others[number % _EQUAL].send(-number, f"t{number % _EQUAL}")
    with working(broker, _SLOTS):
        _clock.wait(2)
        began, before, starts = time.perf_counter(), done.total(), []
        for number in range(1, _QUIET + 1):
            sent = time.perf_counter()
            quiet.send(number, "quiet")
            _wait_for(lambda number=number: number in begun)  # type: ignore[misc]  # bound in the loop
            starts.append(begun[number] - sent)
            _clock.wait(_PAUSE)
        rate = (done.total() - before) / (time.perf_counter() - began)
    return rate, percentile(starts, 95)


def _wait_for(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline, "the job does not begin"
        _clock.wait(0.001)
