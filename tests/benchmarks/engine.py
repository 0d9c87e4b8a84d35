"""Steps of running onboardings: committed one by one from several threads beside DBOS, and the pure decision alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import cycle, islice
from statistics import median
from uuid import UUID

from app.flow import events
from app.flow.decide import decide, new_state
from app.flow.definition import Definition
from app.flow.events import Event
from app.flow.state import State
from app.kernel.ids import new_id
from app.kernel.work import open_work
from app.onboarding.operations.advance import advance, lock_onboarding
from app.onboarding.operations.running import StartRequest, start_onboarding
from app.templates.operations import pin
from app.templates.overlay import Effective
from tenants.engines import SCHEMAS_A_CONNECTION
from tenants.slots import make_slots
from tenants.tenant import Tenant
from tests.benchmarks.ground import Ground
from tests.benchmarks.killed import measure as killed
from tests.benchmarks.measure import Figure, at_least, percentile, say
from tests.benchmarks.peers.chain import STEPS, chain
from tests.benchmarks.peers.durable import dbos_steps
from tests.benchmarks.straight import straight_way
from tests.benchmarks.templates import largest
from tests.factories.fleet import make_tenants
from tests.factories.installation import CELL, Installation, person

THREADS = (1, 4, 8)
# Onboardings a thread brings to their end, one after the other: a second of work. Turns of a third of a second gave
# 0.89 and 1.08 for the same thing, since the machine's speed goes up and down within them.
_EACH = 24
_WALKS = 20
_MANY = (1, 10, 100, 1_000)  # tenants
_WARM = SCHEMAS_A_CONNECTION * 9 // 10  # for each gateway, whose connections then stay (docs/scale.md)
_AT_LEAST = 500  # onboardings in few tenants
_PARTS = 50
_TURNS = 5  # a machine's speed goes up and down within seconds

Running = Sequence[tuple[Tenant, UUID]]


def measure(ground: Ground) -> Iterator[Figure]:
    """The figures of this group."""
    effective = largest().effective()
    definition = effective.compile()
    way = straight_way(definition, datetime(2026, 11, 2, 9, 0, tzinfo=UTC))
    yield _decisions(definition, way)
    with ground.installation() as installation:
        partner = installation.partner()
        make_slots(installation.databases, CELL, max(THREADS))
        tenants = [installation.customer(partner, f"Customer {n}") for n in range(max(THREADS))]
        for tenant in tenants:
            with installation.work(tenant) as work:
                pin(work, effective)
        _finish(installation, tenants[0], _start(installation, tenants[0], definition, way), way)  # warm
        for threads in THREADS:
            rate = _steps(installation, tenants[:threads], definition, way)
            yield Figure(f"durable_steps_{threads}_threads", rate, "steps/s")
        yield from _beside_dbos(ground, installation, tenants)
    yield from _over_many_tenants(ground, effective, way)
    yield from killed.measure(ground)


def _over_many_tenants(ground: Ground, effective: Effective, way: Sequence[Event]) -> Iterator[Figure]:
    """Steps a second in one thread over more and more tenants, beside as many steps of one; the first do not count.

    Each step in another tenant than the one before, which is the worst that can be; then a few in a row in one tenant
    after the other, as a worker goes on with what a step leads to.
    """
    with ground.installation(gateways=_MANY[-1] // _WARM + 1) as installation:
        say(f"engine: {_MANY[-1]:,} tenants with a running onboarding each")
        definition, made = effective.compile(), make_tenants(installation, _MANY[-1])
        for tenant in made:
            with installation.work(tenant) as work:
                pin(work, effective)
        running = [_one_each(installation, made[:many], definition, way) for many in _MANY]
        _in_turn(installation, running, [way[1:2], way[2:3]])
        for name, rounds in (("steps", [[event] for event in way[3:6]]), ("steps_in_a_row", [way[6:12]])):
            one, *more = _in_turn(installation, running, rounds)
            for many, rate in zip(_MANY[1:], more, strict=True):
                yield Figure(f"{name}_over_{many}_tenants", rate, "steps/s", at_least(0.9, "ratio"), "one tenant", one)


def _one_each(
    installation: Installation, tenants: Sequence[Tenant], definition: Definition, way: Sequence[Event]
) -> Running:
    """Onboardings in turn over the tenants: one in each, or as many as it takes to measure something."""
    turns = islice(cycle(tenants), max(len(tenants), _AT_LEAST))
    return [(tenant, _start(installation, tenant, definition, way)) for tenant in turns]


def _in_turn(installation: Installation, running: Sequence[Running], rounds: Sequence[Sequence[Event]]) -> list[float]:
    """Steps a second of each, in one thread: a little of each in turn, since a machine's speed goes up and down."""
    took = [0.0] * len(running)
    for few in rounds:
        for part in range(_PARTS):
            for number, those in enumerate(running):
                size = len(those) // _PARTS
                took[number] += _time_of(installation, those[part * size : (part + 1) * size], few)
    steps = sum(map(len, rounds))
    return [len(those) // _PARTS * _PARTS * steps / took[number] for number, those in enumerate(running)]


def _time_of(installation: Installation, running: Running, few: Sequence[Event]) -> float:
    """Seconds for the next few events in each onboarding."""
    actor, began = person(), time.perf_counter()
    for tenant, onboarding_id in running:
        for event in few:
            with open_work(installation.runtime, tenant, actor, trace_id="bench") as work:
                advance(work, lock_onboarding(work, onboarding_id), event)
    return time.perf_counter() - began


def _beside_dbos(ground: Ground, installation: Installation, tenants: Sequence[Tenant]) -> Iterator[Figure]:
    """The same twelve steps in a row, by us and by DBOS in turn, on the same server; the median of each."""
    effective = chain()
    definition = effective.compile()
    way = straight_way(definition, datetime(2026, 11, 2, 9, 0, tzinfo=UTC))
    assert len(way) == STEPS + 1
    for tenant in tenants:
        with installation.work(tenant) as work:
            pin(work, effective)
    for threads in THREADS:
        ours, theirs = list[float](), list[float]()
        for _turn in range(_TURNS):
            ours.append(_steps(installation, tenants[:threads], definition, way))
            say(f"engine: DBOS, {threads} threads")
            theirs.append(dbos_steps(ground, threads=threads, workflows=_EACH, steps=STEPS))
        name = f"twelve_steps_{threads}_threads"
        yield Figure(name, median(ours), "steps/s", at_least(1, "ratio"), "DBOS", median(theirs))


def _decisions(definition: Definition, way: Sequence[Event]) -> Figure:
    """The median decision over whole onboardings: early ones have little state, late ones much."""
    times: list[float] = []
    now = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
    for _walk in range(_WALKS):
        state: State = new_state(definition)
        for event in way:
            began = time.perf_counter()
            state = decide(definition, state, event, now).state
            times.append(time.perf_counter() - began)
        assert state.status == "finished"
    return Figure("decide_p50", percentile(times, 50) * 1e6, "µs")


def _steps(
    installation: Installation, tenants: Sequence[Tenant], definition: Definition, way: Sequence[Event]
) -> float:
    """Steps a second. Each thread has a tenant; only the steps after the start are timed."""
    say(f"engine: {len(tenants)} threads, {_EACH} onboardings of {len(way) - 1} steps each")
    running = {t.id: [_start(installation, t, definition, way) for _ in range(_EACH)] for t in tenants}
    ready = threading.Barrier(len(tenants) + 1)

    def walk(tenant: Tenant) -> None:
        ready.wait()
        for onboarding_id in running[tenant.id]:
            _finish(installation, tenant, onboarding_id, way)

    with ThreadPoolExecutor(len(tenants)) as pool:
        walks = [pool.submit(walk, tenant) for tenant in tenants]
        ready.wait()
        began = time.perf_counter()
        for each in walks:
            each.result()
        took = time.perf_counter() - began
    return len(tenants) * _EACH * (len(way) - 1) / took


def _start(installation: Installation, tenant: Tenant, definition: Definition, way: Sequence[Event]) -> UUID:
    started, onboarding_id = way[0], new_id()
    assert isinstance(started, events.Started)
    request = StartRequest(
        id=onboarding_id,
        name="Bench",
        definition_digest=definition.digest,
        started=started,
        people={},
        deal={},
    )
    with installation.work(tenant) as work:
        start_onboarding(work, request)
    return onboarding_id


def _finish(installation: Installation, tenant: Tenant, onboarding_id: UUID, way: Sequence[Event]) -> None:
    """Every further event in a transaction of its own."""
    actor, status = person(), ""
    for event in way[1:]:
        with open_work(installation.runtime, tenant, actor, trace_id="bench") as work:
            status = advance(work, lock_onboarding(work, onboarding_id), event).state.status
    assert status == "finished"
