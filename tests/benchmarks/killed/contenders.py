"""We, DBOS, and a plain Dramatiq chain: each with a worker program of its own, four threads, the same outside."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO
from uuid import UUID

from dramatiq.brokers.redis import RedisBroker
from psycopg.conninfo import conninfo_to_dict

from app.flow import events
from app.flow.events import By
from app.kernel.ids import new_id
from app.onboarding.operations.advance import advance, lock_onboarding
from app.onboarding.operations.running import StartRequest, start_onboarding
from app.templates.operations import pin
from app.tenancy.operations.creation import TenantRequest, create_tenant
from tenants.tenant import Tenant
from tests.benchmarks.killed.chain_worker import begin, make_call
from tests.benchmarks.peers.chain import STEPS, chain_of_calls
from tests.benchmarks.peers.environment import python_of
from tests.benchmarks.straight import straight_start
from tests.factories.main_job import WORKBENCH, MainJob
from tests.factories.walker import connect_product

_DBOS = Path(__file__).parents[1] / "peers" / "dbos"


def steps_of(flow: str) -> list[str]:
    """The names of a flow's steps, as the outside hears them."""
    return [f"{flow}-{number}" for number in range(STEPS)]


def run_program(job: MainJob, redis_url: str, name: str, folder: Path, **settings: str) -> subprocess.Popen[bytes]:
    """A program of the product over the installation, as an operator starts it: `worker`, `dispatcher`."""
    environment = job.environment(redis_url) | {"SLIPWAY_WARM_SLOTS": "1"} | settings
    command = [sys.executable, "-m", "app.cli", name]
    return _popen(command, folder, environment | {"PYTHONPATH": str(Path(__file__).parents[3])})


class Ours:
    """Onboardings of twelve actions in a row, in one customer's tenant. The dispatcher runs throughout."""

    name = "Slipway"

    def __init__(self, job: MainJob, redis_url: str) -> None:
        self.job, self.redis_url = job, redis_url
        self.effective = chain_of_calls()
        request = TenantRequest(job.organisation_id, kind="customer", name="Contoso", key="contoso")
        self.tenant: Tenant = create_tenant(job.runtime, job.lead, request, trace_id="bench")
        connect_product(job, self.tenant)
        with job.installation.work(self.tenant, job.lead) as work:
            pin(work, self.effective)
        self.dispatcher = run_program(job, redis_url, "dispatcher", job.folder)

    def start(self, folder: Path | None = None) -> subprocess.Popen[bytes]:
        """The worker; one of another folder is another worker."""
        return run_program(self.job, self.redis_url, "worker", folder or self.job.folder)

    def begin(self, flows: Sequence[str]) -> None:
        """Start the onboardings and pass their gates; everything else follows by itself."""
        for flow in flows:
            self._begin(flow, new_id())

    def _begin(self, flow: str, onboarding_id: UUID) -> None:
        definition = self.effective.compile()
        started = straight_start(definition, reference=flow)
        request = StartRequest(onboarding_id, flow, definition.digest, started, people={}, deal={})
        passed = events.GateDecided(by=By(actor="x", roles=("lead",)), gate="gate.quality", decision="pass")
        with self.job.installation.work(self.tenant, self.job.lead) as work:
            start_onboarding(work, request)
            advance(work, lock_onboarding(work, onboarding_id), passed)

    def close(self) -> None:
        """Stop the dispatcher."""
        self.dispatcher.kill()
        self.dispatcher.wait()


class Dbos:
    """Workflows of twelve steps, recovered by DBOS itself when its program starts again."""

    name = "DBOS"

    def __init__(self, url: str, port: int, folder: Path) -> None:
        parts = conninfo_to_dict(url)
        self.url = f"postgresql+psycopg://{parts['user']}:{parts['password']}@/{parts['dbname']}?host={parts['host']}"
        self.port, self.folder = port, folder
        self.asked: list[str] = []
        self.worker: subprocess.Popen[bytes] | None = None

    def start(self) -> subprocess.Popen[bytes]:
        """Its program; it is told again of all flows, as whoever asked would: known ones are started once."""
        command = [str(python_of(_DBOS)), str(_DBOS / "killed.py"), str(self.port), WORKBENCH]
        self.worker = _popen(command, self.folder, {"PEER_URL": self.url}, stdin=subprocess.PIPE)
        self._tell(self.asked)
        return self.worker

    def begin(self, flows: Sequence[str]) -> None:
        """Name them to the running program."""
        self.asked += flows
        self._tell(flows)

    def _tell(self, flows: Sequence[str]) -> None:
        assert self.worker is not None
        pipe: IO[bytes] | None = self.worker.stdin
        assert pipe is not None
        pipe.write("".join(f"{flow} {STEPS}\n" for flow in flows).encode())
        pipe.flush()


class PlainChain:
    """What one has without an engine."""

    name = "Dramatiq"

    def __init__(self, redis_url: str, port: int, folder: Path) -> None:
        self.redis_url, self.port, self.folder = redis_url, str(port), folder
        self.broker = RedisBroker(url=redis_url)
        self.call = make_call(self.broker, self.port, WORKBENCH)

    def start(self) -> subprocess.Popen[bytes]:
        """Its worker."""
        command = [sys.executable, "-m", "tests.benchmarks.killed.chain_worker", self.redis_url, self.port, WORKBENCH]
        return _popen(command, self.folder, {"PYTHONPATH": str(Path(__file__).parents[3])})

    def begin(self, flows: Sequence[str]) -> None:
        """Send each flow's first message."""
        begin(self.call, self.broker, [steps_of(flow) for flow in flows])


def _popen(
    command: list[str], folder: Path, environment: dict[str, str], *, stdin: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("SLIPWAY_", "PYTHON"))}
    folder.mkdir(exist_ok=True)
    with (folder / "worker.log").open("ab") as log:
        return subprocess.Popen(command, cwd=folder, env=clean | environment, stdin=stdin, stdout=log, stderr=log)
