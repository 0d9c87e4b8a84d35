"""Thousands of connections of many workspaces, each called once: dispatcher, worker and outside are real programs."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx2
import redis

from app.connectors.connecting.care import ask_for_test
from app.connectors.operations import ConnectionSetting, add_connection
from app.kernel.ids import new_id
from app.tenancy.operations.creation import TenantRequest, create_tenant
from app.vault.secret import Secret
from tenants.slots import make_slots
from tenants.tenant import Tenant
from tests.benchmarks.ground import Ground, default_of
from tests.benchmarks.killed.contenders import run_program
from tests.benchmarks.measure import Figure, percentile, say
from tests.factories.installation import CELL
from tests.factories.main_job import MainJob

TENANTS: Final = 50
EACH: Final = 50
_DELAY: Final = 0.1  # seconds that the outside takes
_PACE: Final = 40  # calls asked for in a second, where they are not all asked for at once
_STEADY: Final = 1_000
_IDLE: Final = 30.0
_SETTLED: Final = 15.0
_PATIENCE: Final = 600.0


@dataclass(frozen=True)
class Connected:
    """A connection and the token that it is known by outside."""

    tenant: Tenant
    id: UUID
    token: str


def measure(ground: Ground) -> Iterator[Figure]:
    """The figures of this group."""
    with ground.main_job() as job, ExitStack() as stack:
        redis_url = ground.cluster.fresh_redis_url()
        port = stack.enter_context(_peer())
        connected = _connect(job)
        say(f"connections: {len(connected)} of {TENANTS} workspaces; the outside takes {_DELAY * 1000:.0f} ms")
        settings = {
            "SLIPWAY_ADDRESS_BOOK": f"admin.workbench.example:443={port}",
            "SLIPWAY_WORKER_THREADS": str(default_of("SLIPWAY_WORKER_THREADS")),
        }
        dispatcher = stack.enter_context(_program(job, redis_url, "dispatcher", settings))
        worker = stack.enter_context(_program(job, redis_url, "worker", settings))
        time.sleep(_SETTLED)  # programs that find nothing to do say nothing
        yield from _idle(redis_url, {"dispatcher": dispatcher.pid, "worker": worker.pid})
        yield from _all_at_once(job, connected, port)
        yield from _steadily(job, connected, port)
        yield Figure("worker_memory_after_all", _resident(worker.pid), "MB")
        yield Figure("dispatcher_memory_after_all", _resident(dispatcher.pid), "MB")


def _idle(redis_url: str, pids: dict[str, int]) -> Iterator[Figure]:
    with redis.Redis.from_url(redis_url) as client:
        before = _commands(client)
        time.sleep(_IDLE)  # what is measured is a time in which nothing happens
        yield Figure("redis_commands_idle", (_commands(client) - before) / _IDLE, "commands/s")
    for name, pid in pids.items():
        yield Figure(f"{name}_memory_idle", _resident(pid), "MB")


def _all_at_once(job: MainJob, connected: list[Connected], port: int) -> Iterator[Figure]:
    """Each workspace asks for all of its calls in one commit; nobody waits for anybody."""
    began = time.monotonic()
    for tenant in {each.tenant.id: each.tenant for each in connected}.values():
        with job.installation.work(tenant, job.staff["tom"]) as work:
            for each in connected:
                if each.tenant.id == tenant.id:
                    ask_for_test(work, each.id)
    seen = _wait_for(job, port)
    last = max(seen["seen"].values())
    assert len(seen["seen"]) == len(connected), "a connection was not called"
    yield Figure("calls_all_at_once", len(connected) / (last - began), "calls/s")
    yield Figure("calls_open_at_once", seen["most"], "calls")


def _steadily(job: MainJob, connected: list[Connected], port: int) -> Iterator[Figure]:
    """One every 25 ms, of the workspaces in turn: how long after its commit the outside is called."""
    asked: dict[str, float] = {}
    began = time.monotonic()
    in_turn = [connected[n % TENANTS * EACH + n // TENANTS] for n in range(_STEADY)]
    for number, each in enumerate(in_turn):
        time.sleep(max(0.0, began + number / _PACE - time.monotonic()))  # the pace itself
        with job.installation.work(each.tenant, job.staff["tom"]) as work:
            ask_for_test(work, each.id)
        asked[each.token] = time.monotonic()
    seen = _wait_for(job, port)["seen"]
    waits = [seen[token] - at for token, at in asked.items()]
    yield Figure("commit_to_call_p50", percentile(waits, 50) * 1000, "ms")
    yield Figure("commit_to_call_p95", percentile(waits, 95) * 1000, "ms")


def _connect(job: MainJob) -> list[Connected]:
    make_slots(job.installation.databases, CELL, TENANTS)
    return [each for number in range(TENANTS) for each in _connections(job, number)]


def _connections(job: MainJob, number: int) -> Iterator[Connected]:
    request = TenantRequest(job.organisation_id, kind="customer", name=f"Customer {number}", key=new_id().hex)
    tenant = create_tenant(job.runtime, job.lead, request, trace_id="bench")
    with job.installation.work(tenant, job.staff["tom"]) as work:
        for place in range(EACH):
            token = new_id().hex
            setting = ConnectionSetting("product_admin", f"Workbench {place}", {}, {"api_token": Secret(token)})
            yield Connected(tenant, add_connection(work, setting), token)


def _wait_for(job: MainJob, port: int) -> dict[str, Any]:
    """What the outside has seen since it was asked last, once no call is left to be made."""
    end = time.monotonic() + _PATIENCE
    left = (
        "SELECT EXISTS (SELECT FROM cell.job WHERE finished_at IS NULL AND kind = 'connectors.test_connection') AS some"
    )
    while job.installation.cell(left)[0].some:
        assert time.monotonic() < end, "the calls do not come to an end"
        time.sleep(0.1)  # between two looks
    seen: dict[str, Any] = httpx2.get(f"http://127.0.0.1:{port}/__seen").json()
    return seen


@contextmanager
def _peer() -> Iterator[int]:
    command = [sys.executable, "-m", "tests.benchmarks.connections.peer", "--delay", str(_DELAY)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


@contextmanager
def _program(job: MainJob, redis_url: str, name: str, settings: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = run_program(job, redis_url, name, job.folder, **settings)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def _commands(client: redis.Redis) -> int:
    told = client.info("stats")
    return int(told["total_commands_processed"])


def _resident(pid: int) -> float:
    """Megabytes of memory that the program has and shares with nobody that was not started by it."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024
