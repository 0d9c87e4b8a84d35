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
from tests.integration.access.matrix.town import TREASURES, Town

_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s ORDER BY table_name"


def kinds() -> list[jobs.JobKind]:
    """All that are registered, by name."""
    return [kind for _name, kind in sorted(jobs._kinds.items())]


def foreign(town: Town, kind: jobs.JobKind) -> Iterator[dict[str, Any]]:
    """Arguments of this kind that name Acme's things; a job that follows an event gets one after the other."""
    ids = town.things("tenant")
    known = ids | {"subject_id": ids["onboarding_id"], "run_id": ids["connection_id"], "transfer_id": str(new_id())}
    known |= {"timer": "sla", "due_at": "2026-01-01T00:00:00Z"}
    named = [name for name in inspect.signature(kind.function).parameters if name != "run"]
    args = {name: known.get(name, 0) for name in named}
    if "event_id" not in named:
        yield args
        return
    query = "SELECT DISTINCT ON (action) id FROM {}.trail ORDER BY action, id"
    for row in town.installation.rows(town.acme, query):
        yield args | {"event_id": str(row.id)}


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
    """Where a treasure of Acme's lies in another's workspace, or in its jobs' reasons."""
    query, words = town.installation.cell, "|".join(TREASURES)
    places = [row.table_name for row in query(_TABLES, tenant.schema)]
    told = [
        f"{tenant.name}.{table}"
        for table in places
        if query(f'SELECT 1 FROM "{tenant.schema}"."{table}" t WHERE t::text ~* %s LIMIT 1', words)  # noqa: S608 - our own
    ]
    reasons = query("SELECT kind, error FROM cell.job WHERE tenant_id = %s AND error ~* %s", tenant.id, words)
    return told + [f"the reason of {row.kind}: {row.error}" for row in reasons]
