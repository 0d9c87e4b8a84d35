"""Creating tenants: warm while the pool refills, cold, many in a row; and what a slot costs above its bare DDL."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path

import psycopg
from psycopg import sql

from app.bootstrap.schedules import schedules
from tenants.engines import InstallationKey
from tenants.fleet.owner import asking
from tenants.fleet.plan import count_below
from tenants.naming import new_schema_name
from tenants.schema.head import head_sql
from tenants.slots import BATCH, make_slots
from tests import cluster
from tests.benchmarks.ground import Ground, default_of, new_tenant
from tests.benchmarks.jobs import idle
from tests.benchmarks.measure import Figure, at_least, at_most, ms, percentile, sample, say
from tests.benchmarks.peers.fleet import DjangoTenants, django_tenants
from tests.factories.fleet import Revisions, make_fleet, make_tenants, upgrade
from tests.factories.installation import CELL, Installation, person

_COLD, _WARM, _ROW, _ROUNDS = 15, 200, 1_000, 3
_FLEET = 100  # tenants of ours and of the peer
_PEER = "django-tenants"
_BESIDE = 1.2  # the refilled pool is this much larger than what is created, so that it refills all the time


def measure(ground: Ground) -> Iterator[Figure]:
    """The figures of this group. The peer goes first and alone: what it needs is what ours is compared with."""
    say(f"tenancy: django-tenants with {_FLEET} tenants on the same tables")
    peer = django_tenants(ground, _FLEET)
    with ground.installation() as installation:
        yield from _slots(installation)
    with ground.installation() as installation:
        partner, actor = installation.partner().id, person()

        def create() -> None:
            new_tenant(installation, partner, actor)

        say(f"tenancy: {_COLD} cold, {_WARM} from the pool, {_ROW} in a row")
        cold = ms(percentile(sample(create, _COLD), 50))
        made = ms(percentile(peer.created, 50))
        yield Figure("create_tenant_cold_p50", cold, "ms", at_least(20, "ratio"), _PEER, made, times=True)
        size = int(_WARM * _BESIDE)
        make_slots(installation.databases, CELL, size)
        with refilling(installation, slots=size, every=0.05):
            times = sample(create, _WARM)
        warm = ms(percentile(times, 50))
        yield Figure("create_tenant_warm_p50", warm, "ms", None, _PEER, made, times=True)
        yield Figure("create_tenant_warm_p99", ms(percentile(times, 99)), "ms", at_most(20))
    with ground.installation() as installation:
        yield _in_a_row(installation)
        yield idle(ground, installation, _ROW)
    with ground.installation() as installation:
        yield from _fleet(installation, ground.folder, peer)


def _in_a_row(installation: Installation) -> Figure:
    """As an installation nobody has tuned: its own pool size, refilled as often as its dispatcher does."""
    partner, actor, slots = installation.partner().id, person(), default_of("SLIPWAY_WARM_SLOTS")
    make_slots(installation.databases, CELL, slots)
    new_tenant(installation, partner, actor)
    with refilling(installation, slots=slots):
        began = time.perf_counter()
        for _ in range(_ROW):
            new_tenant(installation, partner, actor)
        took = time.perf_counter() - began
    return Figure(f"create_tenant_{_ROW}_in_a_row", _ROW / took, "tenants/s", at_least(20))


@contextmanager
def refilling(installation: Installation, *, slots: int, every: float | None = None) -> Iterator[None]:
    """The dispatcher's schedule that keeps the pool at `slots`, in a process of its own as the dispatcher is one.

    `every` in place of the schedule's own seconds.
    """
    spawn = multiprocessing.get_context("spawn")
    ready, stop = spawn.Event(), spawn.Event()
    place = (installation.urls, installation.key)
    process = spawn.Process(target=_refill, args=(place, slots, every, ready, stop), name="refill")
    process.start()
    try:
        if not ready.wait(60):
            raise RuntimeError("the pool's process did not start")
        yield
    finally:
        stop.set()
        process.join(60)
        process.close()


def _refill(
    place: tuple[cluster.Databases, InstallationKey], slots: int, every: float | None, ready: Event, stop: Event
) -> None:
    installation = Installation(*place)
    refill = next(
        each for each in schedules(installation.runtime, warm_slots=slots) if each.name == "tenancy.refill_pool"
    )
    busy = refill.run() is True  # everything is loaded when it is said to be ready
    ready.set()
    while not stop.wait(every or (0.0 if busy else refill.every)):
        busy = refill.run() is True
    installation.close()


def _fleet(installation: Installation, folder: Path, peer: DjangoTenants) -> Iterator[Figure]:
    """One column and its index over every workspace, with the plan, rings and records of an upgrade; no soak."""
    say(f"tenancy: a column and an index over {_FLEET} workspaces")
    make_tenants(installation, _FLEET)
    fleet = make_fleet(installation, Revisions(folder / "versions").short())
    began = time.perf_counter()
    if upgrade(fleet).state != "finished":
        raise RuntimeError("the fleet did not come to its end")
    each, theirs = ms(time.perf_counter() - began) / _FLEET, ms(peer.changed)
    name = f"fleet_column_and_index_at_{_FLEET}"
    yield Figure(name, each, "ms/schema", at_least(50, "ratio"), _PEER, theirs, times=True)
    with asking(installation.urls.cell_url) as connection:
        times = sample(lambda: count_below(connection, fleet, fleet.tree.head), 50)
    idle, theirs = ms(percentile(times, 50)), ms(peer.idle) * _FLEET
    yield Figure(f"fleet_nothing_to_do_at_{_FLEET}", idle, "ms", None, _PEER, theirs, times=True)


def _slots(installation: Installation) -> Iterator[Figure]:
    """Slots beside bare schemas with the same tables and indexes, in batches of the same size, taking turns."""
    say(f"tenancy: {_ROUNDS} batches of {BATCH} slots beside their bare DDL")
    make_slots(installation.databases, CELL, 1)
    ours, bare = [], []
    with psycopg.connect(installation.urls.cell_url) as connection:
        for _ in range(_ROUNDS):
            began = time.perf_counter()
            make_slots(installation.databases, CELL, BATCH)
            between = time.perf_counter()
            with connection.transaction():
                for _schema in range(BATCH):
                    connection.execute(_bare_schema())
            ours.append((between - began) / BATCH)
            bare.append((time.perf_counter() - between) / BATCH)
    mine, peers = ms(percentile(ours, 50)), ms(percentile(bare, 50))
    yield Figure("make_slot", mine, "ms", at_most(1.3, "ratio"), "bare DDL batch", peers)


def _bare_schema() -> bytes:
    """A schema with the head's tables and indexes: no role, no rights, no row in the pool."""
    schema = sql.Identifier(new_schema_name())
    begin = sql.SQL("CREATE SCHEMA {schema}; SET LOCAL search_path = {schema};").format(schema=schema)
    return (begin.as_string(None) + head_sql()).encode()
