"""Hands out what is ready: the plan says whose jobs are next, one statement takes the first of each flow.

One dispatcher of a cell at a time: a second one has other things to do meanwhile, and caps are kept exactly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.kernel.queue.dispatcher import Dispatched
from app.kernel.queue.fair.flows import Known, write_turns
from app.kernel.queue.fair.rule import Flow, FlowKey, Pick, in_turn
from app.kernel.queue.standing import FREE, HANDED_OUT
from tenants.engines import Databases
from tenants.schema.policies import HANDING_OUT
from tenants.sessions import dispatcher_session

# Seconds a message may take to reach a worker before it is sent again: FLUSHALL loses none.
_DISPATCH_LEASE: Final = 10
_LOOKS: Final = 6  # plans a transaction: flows that hold less than was planned leave room for others


def take_ready(databases: Databases, cell: str, *, window: int, known: Known | None = None) -> list[Dispatched]:
    """Mark ready jobs as dispatched while fewer than `window` are on their way or running; none in a drained cell.

    In the order of their turns. `known` is what the caller keeps of earlier looks at this cell.
    """
    known = known or Known()
    with dispatcher_session(databases, cell, actor="dispatcher") as (session, _now):
        if not session.execute(_ALONE).one()[0]:
            return []
        busy = Counter({(tenant, cap): number for tenant, cap, number in session.execute(_BUSY)})
        at_work = {tenant for tenant, _cap in busy}
        taken = _fill(session, known, window - busy.total(), busy)
    return list(_dispatched([row for _pick, row in taken], at_work))


def _dispatched(rows: Sequence[Any], at_work: set[UUID]) -> Iterator[Dispatched]:
    """What workers are told, in turn. Who has nothing under way waits for a thread, and not for what is queued too."""
    for row in rows:
        first = row.tenant_id not in at_work and row.queue != "bulk"
        at_work.add(row.tenant_id)
        yield Dispatched(tenant_id=row.tenant_id, job_id=row.id, queue=row.queue, first=first)


def _fill(session: Session, known: Known, room: int, busy: Counter[tuple[UUID, str]]) -> list[tuple[Pick, Any]]:
    """Plan and take until the room is used up or nothing more is found, by a look of this very transaction."""
    taken: list[tuple[Pick, Any]] = []
    looked = False
    for _look in range(_LOOKS):
        if len(taken) >= room or (looked and not known.flows and not known.cut):
            break
        if known.stale:
            known.look(session)
            looked = True
        picks = known.turns.plan(known.flows, room - len(taken), busy)
        found = list(in_turn(picks, _take(session, picks)))
        _charge(session, known, [pick for pick, _row in found])
        busy.update((pick.flow.tenant_id, pick.flow.cap_key) for pick, _row in found)
        known.forget(_emptied(picks, found) if picks else known.flows)
        taken += found
    return taken


def _charge(session: Session, known: Known, picks: Sequence[Pick]) -> None:
    if picks:
        floors = {queue: pace.reached for queue, pace in known.turns.paces.items()}
        known.turns.charge(picks)
        write_turns(session, known.turns, picks, floors)


def _emptied(picks: Sequence[Pick], found: Sequence[tuple[Pick, Any]]) -> list[Flow]:
    """The flows that held less than was planned."""
    missing = Counter(pick.flow for pick in picks)
    missing.subtract(pick.flow for pick, _row in found)
    return [flow for flow, number in missing.items() if number > 0]


def _take(session: Session, picks: Sequence[Pick]) -> Mapping[FlowKey, list[Any]]:
    """As many jobs of each flow as were planned, if it has them, the first ones first."""
    wanted = Counter(pick.flow.key for pick in picks)
    if not wanted:
        return {}
    tenants, queues, caps = (list(column) for column in zip(*wanted, strict=True))
    values = {"tenants": tenants, "queues": queues, "caps": caps, "numbers": list(wanted.values())}
    found: dict[FlowKey, list[Any]] = {}
    for row in session.execute(_TAKE, values | {"lease": _DISPATCH_LEASE}):
        found.setdefault((row.tenant_id, row.queue, row.cap_key), []).append(row)
    for rows in found.values():
        rows.sort(key=lambda row: (row.run_at, row.id))
    return found


# Shared with whoever goes on with a job at once, against whoever drains; alone among dispatchers, without waiting.
# The disk is not waited for: a hand-out that a crash of the server takes back is made anew, and every claim that could
# follow from it comes after it in the log.
_ALONE = text(f"""
    SELECT pg_try_advisory_xact_lock({HANDING_OUT} + 1), set_config('synchronous_commit', 'off', true)
    FROM pg_advisory_xact_lock_shared({HANDING_OUT})
""")  # noqa: S608 - a number of ours
_BUSY = text("""
    SELECT tenant_id, COALESCE(cap_key, ''), count(*) FROM cell.job
    WHERE state IN ('dispatched', 'running') GROUP BY 1, 2
""")
# Ordered by all columns of `ix_job_flow`, though the first three are one value: no other index gives this order, so the
# server does not walk through everybody's jobs by their time.
_TAKE = text(f"""
    UPDATE cell.job j SET state = 'dispatched', lease_until = now() + make_interval(secs => :lease)
    FROM (SELECT n.tenant_id, n.id
          FROM unnest(CAST(:tenants AS uuid[]), CAST(:queues AS text[]), CAST(:caps AS text[]), CAST(:numbers AS int[]))
            AS w (tenant_id, queue, cap_key, number)
          CROSS JOIN LATERAL (
            SELECT r.tenant_id, r.id FROM cell.job r
            WHERE r.state = 'ready' AND r.tenant_id = w.tenant_id AND r.queue = w.queue
            AND COALESCE(r.cap_key, '') = w.cap_key AND r.run_at <= now() AND {FREE} AND {HANDED_OUT}
            ORDER BY r.tenant_id, r.queue, COALESCE(r.cap_key, ''), r.run_at, r.id LIMIT w.number
            FOR UPDATE OF r SKIP LOCKED) n) t
    WHERE j.tenant_id = t.tenant_id AND j.id = t.id
    RETURNING j.tenant_id, j.id, j.queue, COALESCE(j.cap_key, '') AS cap_key, j.run_at
""")  # noqa: S608 - constants of ours
