"""How a cell's queue stands, and whether its jobs are handed out: one row that every dispatcher honours at once.

A drained cell goes on relaying events and firing timers; what is running ends; nothing new reaches a worker, also after
restarts. Who hands out holds an advisory lock while it does: once `stop_handing_out` returns, nobody hands out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text

from tenants.engines import Databases
from tenants.schema.policies import HANDING_OUT
from tenants.sessions import dispatcher_session

_LOCK: Final = HANDING_OUT  # advisory locks are the database's, so each cell has its own
HANDED_OUT: Final = "NOT EXISTS (SELECT FROM cell.dispatch WHERE drained)"


def of_active(row: str) -> str:
    """The condition that a row's tenant is active, asked of each row.

    A join would let the server begin with the tenants, and look at all that waits for each of them to find the first.
    """
    return f"(SELECT n.state FROM cell.tenant n WHERE n.id = {row}.tenant_id) = 'active'"  # noqa: S608 - a name of ours


# Nothing earlier of the job's lane is unfinished, or is still an event that nobody has relayed.
FREE: Final = """(r.lane IS NULL OR NOT EXISTS (
        SELECT FROM cell.job e WHERE e.tenant_id = r.tenant_id AND e.lane = r.lane AND e.finished_at IS NULL
        AND (COALESCE(e.lane_seq, 0), e.id) < (COALESCE(r.lane_seq, 0), r.id)))
    AND (r.lane_seq IS NULL OR NOT EXISTS (
        SELECT FROM cell.outbox o WHERE o.tenant_id = r.tenant_id AND o.lane = split_part(r.lane, ':', 1)
        AND o.lane_seq < r.lane_seq AND o.state = 'new'))"""
# The job waits for a worker and for nothing else: its tenant is active, its time has come, its lane is free.
WAITING: Final = f"""
    cell.job r WHERE r.state = 'ready' AND r.run_at <= now() AND {of_active("r")} AND {FREE}
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """A cell's queue: `left` are on their way to a worker or running; `oldest` is how long the first one waits (s)."""

    drained: bool
    reason: str
    since: datetime | None
    left: int
    waiting: int
    oldest: float


def stop_handing_out(databases: Databases, cell: str, *, reason: str) -> None:
    """Hand out no job any more, in no dispatcher, until `hand_out_again`. Said twice, the first reason stays."""
    _set(databases, cell, drained=True, reason=reason)


def hand_out_again(databases: Databases, cell: str) -> None:
    """Go on where it stopped."""
    _set(databases, cell, drained=False, reason="")


def read_standing(databases: Databases, cell: str) -> Standing:
    """How the cell's queue stands at this moment."""
    with dispatcher_session(databases, cell, actor="standing") as (session, _now):
        row = session.execute(_SWITCH).one_or_none()
        left, waiting, oldest = session.execute(_COUNTS).one()
    drained = bool(row and row.drained)
    since = row.changed_at if row and drained else None
    return Standing(drained, row.reason if row and drained else "", since, int(left), int(waiting), float(oldest))


def _set(databases: Databases, cell: str, *, drained: bool, reason: str) -> None:
    with dispatcher_session(databases, cell, actor="operator") as (session, _now):
        session.execute(_LOCK_ALONE)
        session.connection().execute(_SAY, {"drained": drained, "reason": reason})


_LOCK_ALONE = text(f"SELECT pg_advisory_xact_lock({_LOCK})")
_SAY = text("""
    INSERT INTO cell.dispatch AS d (id, drained, reason, changed_at) VALUES (1, :drained, :reason, now())
    ON CONFLICT (id) DO UPDATE SET drained = excluded.drained, reason = excluded.reason, changed_at = now()
    WHERE d.drained <> excluded.drained
""")
_SWITCH = text("SELECT drained, reason, changed_at FROM cell.dispatch WHERE id = 1")
_COUNTS = text(f"""
    SELECT (SELECT count(*) FROM cell.job WHERE state IN ('dispatched', 'running')),
           (SELECT count(*) FROM {WAITING}),
           (SELECT COALESCE(EXTRACT(epoch FROM now() - min(r.run_at)), 0) FROM {WAITING})
""")  # noqa: S608 - constants of ours


@dataclass(frozen=True, slots=True)
class OpenJobs:
    """The jobs of a kind that are not done: how many, how many are tried again, how old the oldest due one is (s)."""

    kind: str
    number: int
    retried: int
    oldest: float


def count_open(databases: Databases, cell: str) -> list[OpenJobs]:
    """The open jobs of a cell by kind; also those of workspaces that rest. Raises DatabaseAway."""
    with dispatcher_session(databases, cell, actor="metrics") as (session, _now):
        return [OpenJobs(*row) for row in session.execute(_OPEN)]


_OPEN: Final = text("""
    SELECT kind, count(*), count(*) FILTER (WHERE attempts > 1 OR state = 'ready' AND attempts > 0),
        coalesce(extract(epoch FROM now() - min(created_at) FILTER (WHERE run_at <= now())), 0)::float
    FROM cell.job WHERE state IN ('ready', 'dispatched', 'running') GROUP BY kind ORDER BY kind
""")
