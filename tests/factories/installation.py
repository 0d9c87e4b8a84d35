"""What a test does with an installation: partners, customers, actors, units of work, due work and the clock."""

# ruff: noqa: S608 - names of our own tables

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import create_engine

from app.access.queries import load_rights
from app.audit.leaf import make_leaf
from app.kernel.actor import Actor
from app.kernel.ids import new_id
from app.kernel.queue import execution
from app.kernel.queue.dispatcher import Dispatched, recover_leases, relay_outbox
from app.kernel.queue.execution import run_job
from app.kernel.queue.fair.handing import take_ready
from app.kernel.queue.timers.due import fire_timers
from app.kernel.runtime import Runtime
from app.kernel.work import Work, open_work
from tenants.engines import PATIENCE, Databases, InstallationKey, driver_url
from tenants.metadata import TenantRecord
from tenants.schema.install import _allow_connect
from tenants.sessions import registry_session
from tenants.slots import ClaimedSlot, claim_slot, make_slots
from tenants.tenant import Tenant
from tests import cluster

CELL = "main"
GATEWAYS = 4
CELL_TABLES = ("outbox", "job", "timer", "inbox", "trail_mark", "trail_head", "listener")
_ROUNDS = 50  # of run_due, before it says that work begets work for ever
# Events of a tenant that rests stay where they are: they are not due.
_RELAYABLE = (
    "SELECT 1 FROM cell.outbox o JOIN cell.tenant t ON t.id = o.tenant_id AND t.state = 'active'"
    " WHERE o.state = 'new' LIMIT 1"
)


class Partner(NamedTuple):
    """A partner: its organisation and its home."""

    id: UUID
    home: Tenant


@dataclass
class RecordingWake:
    """Keeps every topic that was published, in order."""

    topics: list[str] = field(default_factory=list)

    def publish(self, topics: Iterable[str]) -> None:
        """Remember the topics."""
        self.topics.extend(topics)


def person(name: str = "Ann", **more: Any) -> Actor:
    """A person who acts, and has proved who they are a moment ago."""
    return Actor(kind="person", id=new_id(), name=name, **({"stepped_up": True} | more))


def open_doors(databases: cluster.Databases, key: InstallationKey) -> None:
    """Let the installation's logins into databases that were cloned: CREATE DATABASE does not copy these grants."""
    roles = key.roles
    gateways = [roles.gateway(n) for n in range(GATEWAYS)]
    logins = {databases.control_url: [roles.door], databases.cell_url: [roles.dispatcher, roles.registry, *gateways]}
    for url, names in logins.items():
        engine = create_engine(driver_url(url))
        with engine.begin() as connection:
            _allow_connect(connection, names)
        engine.dispose()


def make_databases(
    urls: cluster.Databases, key: InstallationKey, *, gateways: int = GATEWAYS, patience: float = PATIENCE
) -> Databases:
    """The pools of one more process over the same installation."""
    cells = {CELL: urls.cell_url}
    return Databases(control_url=urls.control_url, cell_urls=cells, key=key, gateways=gateways, patience=patience)


def make_runtime(databases: Databases, **more: Any) -> Runtime:
    """A process's runtime with the product's own services; only the wake-up line is a list."""
    services: dict[str, Any] = {
        "load_rights": load_rights,
        "make_leaf": make_leaf,
        "wake": RecordingWake(),
    }
    return Runtime(databases=databases, **(services | more))


class Installation:
    """One installation under test. Every change outside a unit of work is made with the owner's login."""

    def __init__(self, urls: cluster.Databases, key: InstallationKey, *, gateways: int = GATEWAYS) -> None:
        self.urls = urls
        self.key = key
        self.databases = make_databases(urls, key, gateways=gateways)
        self.runtime = make_runtime(self.databases)
        self.wake: RecordingWake = self.runtime.wake  # type: ignore[assignment]  # made two lines above

    def close(self) -> None:
        """Close every connection of this installation."""
        self.databases.close()
        for name in ("_control", "_cell"):
            if name in self.__dict__:
                self.__dict__.pop(name).close()

    @cached_property
    def _control(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.urls.control_url, autocommit=True, row_factory=namedtuple_row)

    @cached_property
    def _cell(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.urls.cell_url, autocommit=True, row_factory=namedtuple_row)

    def control(self, statement: str, *values: object) -> list[Any]:
        """Run SQL in `control` as the owner, whom no policy binds; rows as named tuples."""
        execution._found.clear()
        return _rows(self._control.execute(statement, values))

    def cell(self, statement: str, *values: object) -> list[Any]:
        """Run SQL in the cell as the owner, whom no policy binds; rows as named tuples."""
        return _rows(self._cell.execute(statement, values))

    def empty(self) -> None:
        """Take away what the tenants did: their rows, their jobs, the moved clock. Tenants and partners stay."""
        self.wake.topics.clear()
        self.control("UPDATE control.tenant SET state = 'active'")
        schemas = [row.schema_name for row in self.cell("SELECT schema_name FROM cell.slot WHERE state = 'claimed'")]
        tables = [f'"{table.name}"' for table in reversed(TenantRecord.metadata.sorted_tables)]
        lines = [f"DELETE FROM cell.{name}" for name in (*CELL_TABLES, "partner_listener", "dispatch", "share", "pace")]
        lines += ["UPDATE cell.clock SET shift = '0'", "UPDATE cell.tenant SET state = 'active'"]
        lines += [f"DELETE FROM {schema}.{table}" for schema in schemas for table in tables]
        self._cell.execute("; ".join(lines).encode())

    @cached_property
    def platform(self) -> UUID:
        """The operator's organisation, the root of the tree."""
        return self._organisation("Operator", kind="platform", parent=None)

    def partner(self, name: str = "Northwind", *, parent: UUID | None = None) -> Partner:
        """A partner below the platform (or below `parent`), with its active home."""
        organisation = self._organisation(name, kind="partner", parent=parent or self.platform)
        return Partner(organisation, self.tenant(organisation, name, kind="home"))

    def customer(self, partner: Partner, name: str = "Acme") -> Tenant:
        """An active tenant of a customer of the partner."""
        return self.tenant(partner.id, name, kind="customer")

    def two_customers(self) -> tuple[Tenant, Tenant]:
        """Tenants of two partners that have nothing in common: what leaks from one shows in the other."""
        return (
            self.customer(self.partner("Northwind"), "Acme"),
            self.customer(self.partner("Contoso"), "Umbrella"),
        )

    def tenant(self, organisation_id: UUID, name: str, *, kind: str) -> Tenant:
        """A claimed slot, active in the cell and in the directory."""
        tenant_id = new_id()
        slot = self.claim(tenant_id)
        self.cell("UPDATE cell.tenant SET state = 'active' WHERE id = %s", tenant_id)
        self.control(
            "INSERT INTO control.tenant (id, organisation_id, kind, name, state, request_key, cause, cell_name,"
            " schema_name, role_name, gateway, requested_at, active_at)"
            " VALUES (%s, %s, %s, %s, 'active', %s, '{}', %s, %s, %s, %s, now(), now())",
            *(tenant_id, organisation_id, kind, name, str(tenant_id), CELL, slot.schema, slot.role, slot.gateway),
        )
        return Tenant(
            id=tenant_id,
            organisation_id=organisation_id,
            kind=kind,
            name=name,
            cell=CELL,
            schema=slot.schema,
            role=slot.role,
            gateway=slot.gateway,
            state="active",
        )

    def claim(self, tenant_id: UUID) -> ClaimedSlot:
        """A slot of the pool; a new one where the pool is empty."""
        while True:
            with registry_session(self.databases, CELL, actor="test") as (session, _now):
                if (slot := claim_slot(session, tenant_id)) is not None:
                    return slot
            make_slots(self.databases, CELL, 1)

    def own_slots(self) -> None:
        """Forget the slots that every clone of the template has: their roles are one on this server.

        What is claimed from now on is this installation's alone, so it may be dropped.
        """
        self.cell("DELETE FROM cell.slot WHERE state = 'free'")

    def free_slot(self, gateway: int) -> tuple[str, str]:
        """Role and schema of a slot of that gateway which nobody has claimed."""
        query = "SELECT role_name, schema_name FROM cell.slot WHERE gateway = %s AND state = 'free' LIMIT 1"
        while not (found := self.cell(query, gateway)):
            make_slots(self.databases, CELL, 1)
        return found[0].role_name, found[0].schema_name

    def set_state(self, tenant: Tenant, state: str) -> Tenant:
        """Put the tenant into a state, in the cell and in the directory."""
        self.cell("UPDATE cell.tenant SET state = %s WHERE id = %s", state, tenant.id)
        self.control("UPDATE control.tenant SET state = %s WHERE id = %s", state, tenant.id)
        return replace(tenant, state=state)

    @contextmanager
    def work(self, tenant: Tenant, actor: Actor | None = None, *, trace_id: str = "trace") -> Iterator[Work]:
        """One unit of work in the tenant, as the actor or as some person."""
        with open_work(self.runtime, tenant, actor or person(), trace_id=trace_id) as work:
            yield work

    def rows(self, tenant: Tenant, statement: str, *values: object) -> list[Any]:
        """Read the tenant's schema as the owner; `{}` in the statement is the schema."""
        return self.cell(statement.replace("{}", f'"{tenant.schema}"'), *values)

    def run_due(self, subscriptions: Mapping[str, Sequence[str]] | None = None, *, rounds: int = _ROUNDS) -> list[Any]:
        """Relay, fire, dispatch and execute until nothing is due. Returns the rows of the jobs that ran, in order."""
        ran: list[Dispatched] = []
        for _round in range(rounds):
            fire_timers(self.databases, CELL)
            relay_outbox(self.databases, CELL, subscriptions or {})
            recover_leases(self.databases, CELL)
            taken = take_ready(self.databases, CELL, window=100)
            for item in taken:
                self.run_one(item)
            ran += taken
            if not taken and not self.cell(_RELAYABLE):
                return [self.job(item.job_id) for item in ran]
        raise AssertionError(f"work is still due after {rounds} rounds; {len(ran)} jobs ran")

    def take(self, *, window: int = 100) -> list[Dispatched]:
        """Mark what is ready as dispatched, as the dispatcher does."""
        return take_ready(self.databases, CELL, window=window)

    def run_one(self, item: Dispatched, *, worker: str = "worker-1", runtime: Runtime | None = None) -> None:
        """Execute one dispatched job in this thread, as a worker would."""
        run_job(runtime or self.runtime, cell=CELL, tenant_id=item.tenant_id, job_id=item.job_id, worker=worker)

    def job(self, job_id: UUID) -> Any:
        """The row of a job."""
        return self.cell("SELECT * FROM cell.job WHERE id = %s", job_id)[0]

    def jobs(self, kind: str | None = None) -> list[Any]:
        """The rows of all jobs (of one kind), oldest first."""
        return self.cell("SELECT * FROM cell.job WHERE kind = COALESCE(%s::text, kind) ORDER BY id", kind)

    def move_clock(self, by: timedelta) -> None:
        """Move the cell's business time; leases and sessions stay on the database's own clock."""
        self.cell("UPDATE cell.clock SET shift = shift + %s", by)

    def _organisation(self, name: str, *, kind: str, parent: UUID | None) -> UUID:
        made = new_id()
        self.control(
            "INSERT INTO control.organisation (id, parent_id, kind, slug, name, state, made_at)"
            " VALUES (%s, %s, %s, %s, %s, 'active', now())",
            *(made, parent, kind, f"{name.lower()}-{made.hex[-6:]}", name),
        )
        self.control(
            "INSERT INTO control.org_edge (ancestor_id, descendant_id, depth)"
            " SELECT ancestor_id, %s, depth + 1 FROM control.org_edge WHERE descendant_id = %s"
            " UNION ALL SELECT %s, %s, 0",
            *(made, parent, made, made),
        )
        return made


def _rows(cursor: psycopg.Cursor[Any]) -> list[Any]:
    return cursor.fetchall() if cursor.description is not None else []
