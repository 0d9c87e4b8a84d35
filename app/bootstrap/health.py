"""What probes ask: is the process alive, can it do its work, what has it counted. No brand, no sign-in."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import redis
from alembic.script import ScriptDirectory
from litestar import Controller, Request, Response, get
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy import text

from app.bootstrap.fleet import behind
from app.kernel.queue.care.signals import read_load, wanted_workers
from app.kernel.queue.standing import count_open, read_standing
from app.marketplace.queries.counting import count_market
from app.onboarding.queries.steering.counting import count_exceptions
from app.web.begin import runtime_of
from tenants.engines import Databases
from tenants.schema.migrate import script_config
from tenants.sessions import DatabaseAway, dispatcher_session, lookup_session

OK = "ok"


@dataclass(frozen=True, slots=True)
class Readiness:
    """Looks at each part this process needs; Valkey carries hints only, so without it the process is still ready."""

    databases: Databases
    redis_url: str

    def look(self) -> tuple[bool, dict[str, str]]:
        """Whether work can be done, and what each part said."""
        parts = {"control": self._control()}
        parts |= {f"cell {name}": self._cell(name) for name in self.databases.cells}
        ready = all(said == OK for said in parts.values())
        return ready, parts | self._drained() | self._fleet() | {"valkey": self._valkey()}

    def _control(self) -> str:
        try:
            with lookup_session(self.databases) as (session, _now):
                found = session.execute(text("SELECT control.schema_revision()")).scalar_one_or_none()
        except DatabaseAway:
            return "away"
        head = ScriptDirectory.from_config(script_config("control")).get_current_head()
        return OK if found == head else f"at revision {found}, this build needs {head}"

    def _cell(self, name: str) -> str:
        try:
            with dispatcher_session(self.databases, name, actor="readiness") as (session, _now):
                mark = session.execute(text("SELECT installation_id, name FROM cell.mark")).one_or_none()
        except DatabaseAway:
            return "away"
        if mark is None or tuple(mark) != (self.databases.key.id, name):
            return "another cell than this installation's"
        return OK

    def _drained(self) -> dict[str, str]:
        """Said, not judged: this program can work while an operator has the dispatcher hand out nothing."""
        said = {}
        for name in self.databases.cells:
            with suppress(DatabaseAway):  # the cell's own line says so
                standing = read_standing(self.databases, name)
                if standing.drained:
                    said[f"dispatcher {name}"] = f"drained, {standing.left} jobs left. {standing.reason}".strip()
        return said

    def _fleet(self) -> dict[str, str]:
        """Said, not judged: a few workspaces that answer 503 are no reason to take this program from all others."""
        try:
            said = behind(self.databases)
        except DatabaseAway:
            said = ""  # the cell's own line says so
        return {"fleet": said} if said else {}

    def _valkey(self) -> str:
        client = redis.Redis.from_url(self.redis_url, socket_timeout=1, socket_connect_timeout=1)
        try:
            client.ping()
        except redis.RedisError:
            return "away, polling instead"
        finally:
            client.close()
        return OK


class ProbeDoors(Controller):
    """Answered on a bare address, as load balancers and orchestrators ask."""

    opt = {"door": "public", "probe": True, "quota": None}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/healthz", sync_to_thread=False)
    def alive(self) -> dict[str, str]:
        """The process answers."""
        return {"status": OK}

    @get("/readyz", sync_to_thread=True)
    def ready(self, request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
        """Databases reachable and at the revision of this build: 200, else 503 with what is wrong."""
        ready, parts = runtime_of(request).service(Readiness).look()
        body = {"status": OK if ready else "not ready", "parts": parts}
        return Response(body, status_code=200 if ready else 503)

    @get("/metrics", opt={"door": "machine"}, sync_to_thread=True)
    def metrics(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """What this process has counted, and what waits in the whole installation, for Prometheus."""
        told, databases = generate_latest(), runtime_of(request).databases
        for count in (count_exceptions, count_market, count_jobs):
            with suppress(DatabaseAway):  # what the process has counted is told all the same
                told += count(databases)
        with suppress(DatabaseAway):
            told += runtime_of(request).service(Signals).count()
        return Response(told, headers={"content-type": CONTENT_TYPE_LATEST})


def count_jobs(databases: Databases) -> bytes:
    """The open jobs of every cell as Prometheus reads them. Raises DatabaseAway."""
    registry, labels = CollectorRegistry(), ["cell", "kind"]
    number = Gauge("slipway_jobs_open", "Jobs that are not done.", labels, registry=registry)
    retried = Gauge("slipway_jobs_open_retried", "Of these, those that are tried again.", labels, registry=registry)
    oldest = Gauge("slipway_jobs_open_oldest_seconds", "Age of the oldest that is due.", labels, registry=registry)
    for cell in databases.cells:
        for kind in count_open(databases, cell):
            number.labels(cell, kind.kind).set(kind.number)
            retried.labels(cell, kind.kind).set(kind.retried)
            oldest.labels(cell, kind.kind).set(kind.oldest)
    return generate_latest(registry)


@dataclass(frozen=True, slots=True)
class Signals:
    """What an autoscaler asks for; `threads` of a worker, `patience` in seconds before a door closes (0: none does)."""

    databases: Databases
    threads: int
    patience: int

    def count(self) -> bytes:
        """The load of every cell as Prometheus reads it. Raises DatabaseAway."""
        registry, labels = CollectorRegistry(), ["cell", "queue"]
        waiting = Gauge("slipway_jobs_waiting", "Jobs that are due and wait.", labels, registry=registry)
        under_way = Gauge("slipway_jobs_under_way", "Jobs on their way or running.", labels, registry=registry)
        oldest = Gauge(
            "slipway_jobs_waiting_oldest_seconds", "For how long the first waits.", labels, registry=registry
        )
        wanted = Gauge("slipway_workers_wanted", "Workers that would do it in time.", ["cell"], registry=registry)
        for cell in self.databases.cells:
            loads = read_load(self.databases, cell)
            for load in loads:
                waiting.labels(cell, load.queue).set(load.waiting)
                under_way.labels(cell, load.queue).set(load.under_way)
                oldest.labels(cell, load.queue).set(load.oldest)
            wanted.labels(cell).set(wanted_workers(loads, threads=self.threads, patience=self.patience))
        return generate_latest(registry)
