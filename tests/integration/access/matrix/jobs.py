"""Every kind of job, asked for in one workspace with the ids of another's things in its arguments."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from app.kernel.actor import Actor
from app.kernel.ids import new_id
from app.kernel.queue import jobs
from tenants.tenant import Tenant
from tests.integration.access.matrix.town import TREASURE, Town

_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s ORDER BY table_name"


def kinds() -> list[jobs.JobKind]:
    """All of the product, by name. Other tests have kinds of their own, and one of those kills its process."""
    known = sorted(jobs._kinds.items())
    return [kind for _name, kind in known if kind.function.__module__.startswith("app.")]


def foreign(town: Town) -> Iterator[tuple[jobs.JobKind, dict[str, Any]]]:
    """Each kind with arguments that name Acme's things; one that follows an event gets one after the other."""
    ids = town.things("tenant")
    known = ids | {"subject_id": ids["onboarding_id"], "run_id": ids["connection_id"], "transfer_id": str(new_id())}
    known |= {"timer": "sla", "due_at": "2026-01-01T00:00:00Z"}
    query = "SELECT DISTINCT ON (action) id FROM {}.trail ORDER BY action, id"
    events = [str(row.id) for row in town.installation.rows(town.acme, query)]
    for kind in kinds():
        named = [name for name in inspect.signature(kind.function).parameters if name != "run"]
        args = {name: known.get(name, 0) for name in named}
        yield from ((kind, args | {"event_id": one}) for one in events) if "event_id" in named else [(kind, args)]


def ask_for(town: Town, tenant: Tenant, kind: str, args: dict[str, Any]) -> UUID:
    """A job of that kind in the workspace."""
    with town.installation.work(tenant, Actor("service", new_id(), "intruder")) as work:
        return work.enqueue(kind, args=args)


def run_all(town: Town) -> None:
    """Everything that is ready, once, as a worker does."""
    for item in town.installation.take(window=10_000):
        town.installation.run_one(item)


def forget(town: Town) -> None:
    """No job is left to be tried again."""
    town.installation.cell("DELETE FROM cell.job WHERE state <> 'done'")


def found_in(town: Town, tenant: Tenant) -> list[str]:
    """Where a treasure of Acme's lies in another's workspace, or in what its jobs say of their trouble."""
    query = town.installation.cell
    places = [row.table_name for row in query(_TABLES, tenant.schema)]
    told = [
        f"{tenant.name}.{table}"
        for table in places
        if query(f'SELECT 1 FROM "{tenant.schema}"."{table}" t WHERE t::text ~* %s LIMIT 1', TREASURE)  # noqa: S608 - our own
    ]
    rows = query("SELECT kind, last_error FROM cell.job WHERE tenant_id = %s AND last_error ~* %s", tenant.id, TREASURE)
    return told + [f"the job {row.kind}: {row.last_error}" for row in rows]
