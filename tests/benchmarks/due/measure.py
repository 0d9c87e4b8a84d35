"""How long it takes until all clocks have run out: journal, trail and next rung committed, none early, none twice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.benchmarks.due.ground import EACH, KIND, TENANTS, Waiting, make_waiting
from tests.benchmarks.ground import Ground, default_of
from tests.benchmarks.killed.contenders import run_program
from tests.benchmarks.measure import Figure, at_most, say
from tests.factories.installation import Installation
from tests.factories.main_job import MainJob

_WORKERS = 2  # programs, one for each core of the machine that the budget is of
_PATIENCE = 300.0
_SETTLED = 15.0  # seconds until the programs are up and find nothing to do
_POLL = 0.25
# The first is asked while there is much: it looks at the front of two indexes, where the other looks at all jobs.
_MUCH = """
    SELECT EXISTS (SELECT FROM cell.timer WHERE state = 'waiting' AND due_at <= %s)
        OR EXISTS (SELECT FROM cell.job WHERE state IN ('dispatched', 'running') AND kind = %s) AS some
"""
_LEFT = """
    SELECT EXISTS (SELECT FROM cell.timer WHERE state = 'waiting' AND due_at <= %s)
        OR EXISTS (SELECT FROM cell.job WHERE kind = %s AND state NOT IN ('done', 'failed')) AS some
"""
_FIRED = """
    SELECT (SELECT count(*) FROM {0}.journal j WHERE j.event ->> 'event' = 'timer_fired') AS journal,
           (SELECT count(*) FROM {0}.trail WHERE action = 'onboarding.sla.breached') AS trail,
           (SELECT count(*) FROM {0}.message WHERE kind = 'sla_breached') AS letters,
           (SELECT count(*) FROM {0}.onboarding WHERE seq = 2) AS onboardings,
           (SELECT count(*) FROM cell.timer t
            WHERE t.tenant_id = %s AND t.kind = %s AND t.state = 'waiting' AND t.due_at > %s) AS next_rung
"""
_EARLY = "SELECT count(*) AS many FROM {0}.journal j WHERE j.event ->> 'event' = 'timer_fired' AND j.at < %s"


def measure(ground: Ground) -> Iterator[Figure]:
    """The figures of this group."""
    with ground.main_job() as job:
        waiting = make_waiting(job.installation)
        with _at_work(job, ground.cluster.servers.redis_url):
            took = _run_out(job.installation, waiting)
        yield Figure(f"{TENANTS * EACH}_due_timers_fired", took, "s", at_most(60))
        yield from _counted(job.installation, waiting)


@contextmanager
def _at_work(job: MainJob, redis_url: str) -> Iterator[None]:
    """A dispatcher and two workers, each a program of its own as an operator starts them, with the default threads."""
    threads = str(default_of("SLIPWAY_WORKER_THREADS"))
    with ExitStack() as stack:
        for name, folder in [("dispatcher", job.folder), *(("worker", job.folder / f"w{n}") for n in range(_WORKERS))]:
            program = run_program(job, redis_url, name, folder, SLIPWAY_WORKER_THREADS=threads)
            stack.callback(program.wait)
            stack.callback(program.kill)
        time.sleep(_SETTLED)  # other programs' start
        yield


def _run_out(installation: Installation, waiting: Waiting) -> float:
    """Move the clock past the moment. Seconds until no timer waits and no job of one is unfinished."""
    say(f"due: {TENANTS * EACH:,} clocks run out")
    installation.cell("UPDATE cell.clock SET shift = %s - now() + interval '1 second'", waiting.due_at)
    began, asked = time.perf_counter(), (waiting.due_at, KIND)
    while any(installation.cell(query, *asked)[0].some for query in (_MUCH, _LEFT)):
        assert time.perf_counter() - began < _PATIENCE
        time.sleep(_POLL)  # other programs' turn
    return time.perf_counter() - began


def _counted(installation: Installation, waiting: Waiting) -> Iterator[Figure]:
    """What is there in each workspace: fifty of everything, nothing lost, nothing twice, nothing early."""
    lost = doubled = early = 0
    for tenant in waiting.tenants:
        schema = f'"{tenant.schema}"'
        (counts,) = installation.cell(_FIRED.format(schema), tenant.id, KIND, waiting.due_at)
        (soon,) = installation.cell(_EARLY.format(schema), waiting.due_at)
        lost += max(0, EACH - min(counts))
        doubled += max(0, max(counts) - EACH)
        early += soon.many
    yield Figure("due_timers_lost", lost, "timers", at_most(0))
    yield Figure("due_timers_doubled", doubled, "timers", at_most(0))
    yield Figure("due_timers_early", early, "timers", at_most(0))
