"""Finds jobs by state, kind, tenant, queue and age. What is done is looked at by nobody, so it is in no index here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from tenants.engines import Databases
from tenants.sessions import dispatcher_session

WAITING, UNDER_WAY, ENDED = ("ready",), ("dispatched", "running"), ("failed", "poisoned", "cancelled")
STATES: Final = (*WAITING, *UNDER_WAY, *ENDED)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which jobs are meant; None means any. `older`: asked for at least so many seconds ago. `ids`: only these."""

    states: Sequence[str] = STATES
    kind: str | None = None
    tenant_id: UUID | None = None
    queue: str | None = None
    older: float = 0.0
    ids: Sequence[UUID] | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Jobs of one tenant and kind in one state and queue: how many, how many are tried again, the oldest's age (s).

    `waits` is for how long the first could have been at work: nought where its time has not come, or it has ended.
    """

    state: str
    kind: str
    queue: str
    tenant_id: UUID
    number: int
    retried: int
    oldest: float
    waits: float


@dataclass(frozen=True, slots=True, eq=False)
class FoundJob:
    """One job as an operator sees it; its arguments are ids."""

    tenant_id: UUID
    id: UUID
    kind: str
    queue: str
    state: str
    attempts: int
    deaths: int
    epoch: int
    lane: str | None
    cap_key: str | None
    worker: str | None
    lease_until: datetime | None
    run_at: datetime
    created_at: datetime
    finished_at: datetime | None
    last_error: str | None
    trace_id: str
    args: dict[str, Any]


def count_groups(databases: Databases, cell: str, wanted: Wanted) -> list[Group]:
    """How many there are of which, the most first. Raises DatabaseAway."""
    with dispatcher_session(databases, cell, actor="operator") as (session, _now):
        rows = [row for each in _parts(_GROUPS, wanted) for row in session.execute(each, _values(wanted))]
    return sorted((Group(*row) for row in rows), key=lambda group: (-group.number, group.kind, group.tenant_id))


def find_jobs(
    databases: Databases, cell: str, wanted: Wanted, *, most: int, after: UUID | None = None
) -> list[FoundJob]:
    """The jobs themselves, by tenant and id, at most so many, beginning behind `after`. Raises DatabaseAway."""
    values = _values(wanted) | {"most": most, "after": after}
    with dispatcher_session(databases, cell, actor="operator") as (session, _now):
        rows = [row for each in _parts(_JOBS, wanted) for row in session.execute(each, values)]
    return sorted((FoundJob(*row) for row in rows), key=lambda job: job.id)[:most]


def find_job(databases: Databases, cell: str, job_id: UUID) -> FoundJob | None:
    """One job, whatever its state."""
    with dispatcher_session(databases, cell, actor="operator") as (session, _now):
        row = session.execute(_ONE, {"id": job_id}).one_or_none()
    return FoundJob(*row) if row else None


def _values(wanted: Wanted) -> dict[str, object]:
    ids = None if wanted.ids is None else list(wanted.ids)
    values: dict[str, object] = {"states": list(wanted.states), "kind": wanted.kind, "tenant": wanted.tenant_id}
    return values | {"queue": wanted.queue, "older": wanted.older, "ids": ids}


def _parts(statements: dict[tuple[str, ...], Any], wanted: Wanted) -> list[Any]:
    """One statement for each index that knows some of these states."""
    return [statement for states, statement in statements.items() if set(states) & set(wanted.states)]


_WORDS: Final = {
    WAITING: "j.state = 'ready'",
    UNDER_WAY: "j.state IN ('dispatched', 'running')",
    ENDED: "j.state IN ('failed', 'poisoned', 'cancelled')",
}
_CHOSEN: Final = """
    AND j.state = ANY(CAST(:states AS text[])) AND (CAST(:kind AS text) IS NULL OR j.kind = :kind)
    AND (CAST(:tenant AS uuid) IS NULL OR j.tenant_id = :tenant) AND (CAST(:queue AS text) IS NULL OR j.queue = :queue)
    AND j.created_at <= now() - make_interval(secs => :older)
    AND (CAST(:ids AS uuid[]) IS NULL OR j.id = ANY(CAST(:ids AS uuid[])))
"""
_COLUMNS: Final = (
    "j.tenant_id, j.id, j.kind, j.queue, j.state, j.attempts, COALESCE(j.deaths, 0), j.epoch, j.lane, j.cap_key,"
    " j.worker, j.lease_until, j.run_at, j.created_at, j.finished_at, j.last_error, j.trace_id, j.args"
)
_GROUPS: Final = {
    states: text(f"""
        SELECT j.state, j.kind, j.queue, j.tenant_id, count(*),
            count(*) FILTER (WHERE j.attempts > 1 OR j.state = 'ready' AND j.attempts > 0),
            EXTRACT(epoch FROM now() - min(j.created_at))::float,
            COALESCE(EXTRACT(epoch FROM now() - min(j.run_at)
                FILTER (WHERE j.state = 'ready' AND j.run_at <= now())), 0)::float
        FROM cell.job j WHERE {words} {_CHOSEN} GROUP BY 1, 2, 3, 4
    """)  # noqa: S608 - constants of ours
    for states, words in _WORDS.items()
}
_JOBS: Final = {
    states: text(f"""
        SELECT {_COLUMNS} FROM cell.job j WHERE {words} {_CHOSEN}
        AND (CAST(:after AS uuid) IS NULL OR j.id > :after) ORDER BY j.id LIMIT :most
    """)  # noqa: S608 - as above
    for states, words in _WORDS.items()
}
_ONE = text(f"SELECT {_COLUMNS} FROM cell.job j WHERE j.id = :id")  # noqa: S608 - as above
