"""Reads jobs and timers that name something: for operators, who ask what is going on with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text

from tenants.engines import Databases
from tenants.sessions import dispatcher_session
from tenants.tenant import Tenant

# What ended without having done its work: by itself, because it cost workers, or by somebody's hand.
WITHOUT_SUCCESS: Final = frozenset({"failed", "poisoned", "cancelled"})


@dataclass(frozen=True, slots=True)
class JobLine:
    """One job: how far it is, how often it was tried, who holds it until when, what went wrong last."""

    id: UUID
    kind: str
    state: str
    attempts: int
    epoch: int
    worker: str | None
    lease_until: datetime | None
    run_at: datetime
    finished_at: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class TimerLine:
    """One timer: what it asks for, when, by which version of its subject."""

    kind: str
    args: dict[str, object]
    version: int
    due_at: datetime
    state: str


def list_jobs(databases: Databases, tenant: Tenant, names: Sequence[str]) -> list[JobLine]:
    """Jobs of the tenant whose arguments or lane name one of these ids, oldest first."""
    with dispatcher_session(databases, tenant.cell, actor="operator") as (session, _now):
        return [JobLine(*row) for row in session.execute(_JOBS, {"tenant": tenant.id, "names": list(names)})]


def list_timers(databases: Databases, tenant: Tenant, subject_id: UUID) -> list[TimerLine]:
    """Timers of the subject, in the order they are due."""
    with dispatcher_session(databases, tenant.cell, actor="operator") as (session, _now):
        return [TimerLine(*row) for row in session.execute(_TIMERS, {"tenant": tenant.id, "subject": subject_id})]


def list_working(databases: Databases, cell: str) -> list[UUID]:
    """The ids of the tenants of a cell that can be entered."""
    with dispatcher_session(databases, cell, actor="operator") as (session, _now):
        return list(session.execute(_WORKING).scalars())


_JOBS = text("""
    SELECT j.id, j.kind, j.state, j.attempts, j.epoch, j.worker, j.lease_until, j.run_at, j.finished_at, j.last_error
    FROM cell.job j WHERE j.tenant_id = :tenant AND (
        EXISTS (SELECT FROM jsonb_each_text(j.args) a WHERE a.value = ANY(CAST(:names AS text[])))
        OR EXISTS (SELECT FROM jsonb_array_elements(j.args -> 'timers') t
                   WHERE t ->> 'subject_id' = ANY(CAST(:names AS text[])))
        OR string_to_array(j.lane, ':') && CAST(:names AS text[]))
    ORDER BY j.created_at, j.id
""")
_TIMERS = text("""
    SELECT t.kind, t.args, t.version, t.due_at, t.state FROM cell.timer t
    WHERE t.tenant_id = :tenant AND t.subject_id = :subject ORDER BY t.due_at, t.id
""")
_WORKING = text("SELECT id FROM cell.tenant WHERE state IN ('active', 'suspended') ORDER BY id")
