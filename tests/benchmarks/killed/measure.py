"""The figures: steps a second, what wakes the next step, what is lost and doubled, how soon a killed worker goes on."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks.ground import Ground
from tests.benchmarks.killed.contenders import Dbos, Ours, PlainChain
from tests.benchmarks.killed.contest import Result, contest, p95
from tests.benchmarks.killed.outside import Outside
from tests.benchmarks.measure import Figure, at_least, at_most, ms, say
from tests.benchmarks.peers.chain import STEPS
from tests.factories.main_job import MainJob

LEASE = 15.0  # seconds; what a job's worker may be silent for (app/kernel/queue/jobs.py)
_PATIENCE = 60.0


def measure(ground: Ground) -> Iterator[Figure]:
    """All three in one run, on the same PostgreSQL and Valkey, calling the same outside."""
    with ground.main_job() as job:
        outside = Outside()
        job.product.wire = outside
        urls, redis_url = ground.cluster.create_databases(), ground.cluster.fresh_redis_url
        ours = Ours(job, redis_url())
        folder = Path(tempfile.mkdtemp(dir=ground.folder))
        try:
            results = [contest(ours, outside)]
            handed_over = _another_worker(ours, job, outside)
            results.append(contest(Dbos(urls.cell_url, job.product.port, folder / "dbos"), outside))
            results.append(contest(PlainChain(redis_url(), job.product.port, folder / "chain"), outside))
        finally:
            ours.close()
            ground.cluster.drop_databases(urls)
    yield from _figures(*results)
    yield Figure("killed_another_worker_goes_on", handed_over, "s", at_most(LEASE + 2))


def _figures(ours: Result, dbos: Result, chain: Result) -> Iterator[Figure]:
    theirs = dbos.steps_per_second
    yield Figure("calls_in_a_row", ours.steps_per_second, "steps/s", at_least(1, "ratio"), "DBOS", theirs)
    yield Figure("calls_in_a_row_plain", ours.steps_per_second, "steps/s", None, "Dramatiq", chain.steps_per_second)
    yield Figure("wake_up_p95", ms(p95(ours.gaps)), "ms", at_most(500), "DBOS", ms(p95(dbos.gaps)))
    for name, one in (("", ours), ("_dbos", dbos), ("_plain", chain)):
        none = at_most(0) if one is ours else None
        yield Figure(f"killed_steps_lost{name}", one.lost, "steps", none)
        yield Figure(f"killed_effects_doubled{name}", one.doubled, "effects", none)
        yield Figure(f"killed_calls_repeated{name}", one.repeated, "calls")
        yield Figure(f"killed_done_after{name}", one.took, "s")
        soon = at_most(2) if one is ours else None
        yield Figure(f"killed_same_worker_goes_on{name}_p95", p95(one.recoveries), "s", soon)


def _another_worker(ours: Ours, job: MainJob, outside: Outside) -> float:
    """Seconds from the kill until a worker of another name has taken over what the killed one held."""
    say("engine: another worker takes over")
    flows = ["Slipway-other"]
    worker = ours.start()
    ours.begin(flows)
    _until(lambda: outside.done(flows) > 0)
    worker.kill()
    worker.wait()
    seen, began = outside.done(flows), time.perf_counter()
    other = ours.start(job.folder / "other")
    try:
        _until(lambda: outside.done(flows) > seen or outside.done(flows) == STEPS)
        return time.perf_counter() - began
    finally:
        other.kill()
        other.wait()


def _until(condition: Callable[[], bool]) -> None:
    end = time.perf_counter() + _PATIENCE
    while not condition() and time.perf_counter() < end:
        time.sleep(0.005)  # another program's turn
