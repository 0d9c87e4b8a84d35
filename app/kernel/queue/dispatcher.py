"""Moves what is due: outbox rows to jobs, ready jobs to workers, lost leases back to ready; timers have a place apart.

One transaction a step, every claim with SKIP LOCKED: two dispatchers share the work, a killed one loses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import text

from app.kernel.ids import new_id
from app.kernel.queue.sequencing import ANY_MARK
from app.kernel.queue.standing import HANDED_OUT, IN_FLIGHT, WAITING, of_active
from app.kernel.queue.timers.due import DUE
from tenants.engines import Databases
from tenants.sessions import dispatcher_session

Subscriptions = Mapping[str, Sequence[str]]  # event type → kinds of job that are told

_BATCH = 200
_DELIVER: Final = "connectors.deliver_webhook"
_HAND_ON: Final = "connectors.hand_on_event"
_DISPATCH_LEASE = 10  # seconds a message may take to reach a worker before it is sent again (FLUSHALL loses none)


@dataclass(frozen=True, slots=True)
class Dispatched:
    """A job that a worker is to be told of."""

    tenant_id: UUID
    job_id: UUID
    queue: str


class Found(NamedTuple):
    """What a look at a cell has found: which kinds of things are to be moved, and the jobs on their way or running."""

    events: bool
    timers: bool
    lost: bool
    marks: bool
    ready: bool
    in_flight: int

    @property
    def nothing_due(self) -> bool:
        """Whether this round has nothing to do."""
        return not any(self[:-1])


def look_at(databases: Databases, cell: str, *, marks: bool = True) -> Found:
    """One query that says which of the five that move things have something to move: most find nothing.

    Without `marks`, those of the trail are not looked for: that is a look at all of them where many wait.
    """
    with dispatcher_session(databases, cell, actor="dispatcher") as (session, _now):
        return Found(*session.execute(_ANY, {"marks": marks}).one())


def relay_outbox(databases: Databases, cell: str, subscriptions: Subscriptions) -> int:
    """Turn announced events into one job per (event, subscriber), and per endpoint. Returns how many events."""
    with dispatcher_session(databases, cell, actor="relay") as (session, now):
        rows = session.execute(_NEW_EVENTS, {"limit": _BATCH}).all()
        jobs = [
            {
                "tenant_id": row.tenant_id,
                "id": new_id(),
                "kind": kind,
                "args": f'{{"event_id": "{row.id}"}}',
                "lane": f"{row.lane}:{kind}" if row.lane else None,
                "lane_seq": row.lane_seq,
                "dedupe_key": f"{row.id}:{kind}",
                "trace_id": row.trace_id,
                "now": now,
            }
            for row in rows
            for kind in subscriptions.get(row.type, ())
        ]
        jobs += [_told(row, now, *listener) for row in rows for listener in row.listeners or ()]
        jobs += [_handed_on(row, now) for row in rows if row.partners]
        if jobs:
            session.connection().execute(_ADD_JOB, jobs)
        if rows:
            relayed = {"tenants": [row.tenant_id for row in rows], "events": [row.id for row in rows]}
            session.connection().execute(_RELAYED, relayed)
    return len(rows)


def _told(row: Any, now: datetime, endpoint_id: str, ordered: object) -> dict[str, Any]:
    """The job that sends an event to an endpoint; only one that wants them in order waits for those before."""
    args = {"event_id": str(row.id), "endpoint_id": endpoint_id, "sequence": row.lane_seq}
    lane = f"{row.lane}:{_DELIVER}:{endpoint_id}" if ordered and row.lane else None
    return {
        "tenant_id": row.tenant_id,
        "id": new_id(),
        "kind": _DELIVER,
        "args": msgspec.json.encode(args).decode(),
        "lane": lane,
        "lane_seq": row.lane_seq if lane else None,
        "dedupe_key": f"{row.id}:{_DELIVER}:{endpoint_id}",
        "trace_id": row.trace_id,
        "now": now,
    }


def _handed_on(row: Any, now: datetime) -> dict[str, Any]:
    """The job that lets the partner's home know, in the order of the onboarding: its endpoints hear customers."""
    lane = f"{row.lane}:{_HAND_ON}" if row.lane else None
    args = {"event_id": str(row.id), "endpoint_ids": row.partners, "lane": row.lane, "sequence": row.lane_seq}
    return {
        "tenant_id": row.tenant_id,
        "id": new_id(),
        "kind": _HAND_ON,
        "args": msgspec.json.encode(args).decode(),
        "lane": lane,
        "lane_seq": row.lane_seq if lane else None,
        "dedupe_key": f"{row.id}:{_HAND_ON}",
        "trace_id": row.trace_id,
        "now": now,
    }


def recover_leases(databases: Databases, cell: str) -> int:
    """Put jobs whose worker went silent back to ready; the late worker is fenced off by the epoch."""
    with dispatcher_session(databases, cell, actor="recovery") as (session, _now):
        return session.connection().execute(_RECOVER).rowcount


def release_worker(databases: Databases, cell: str, worker: str) -> int:
    """Free at once the leases of a worker that is known to be dead: its own restart calls this with its name.

    What was on its way is sent anew, too: messages that it had fetched died with it, and who gets one twice parks it.
    """
    with dispatcher_session(databases, cell, actor=worker) as (session, _now):
        held = session.connection().execute(_RELEASE, {"worker": worker}).rowcount
        return held + session.connection().execute(_SEND_ANEW).rowcount


def take_ready(databases: Databases, cell: str, *, window: int) -> list[Dispatched]:
    """Mark ready jobs as dispatched while fewer than `window` are on their way or running; none in a drained cell."""
    with dispatcher_session(databases, cell, actor="dispatcher") as (session, _now):
        room = window - int(session.execute(IN_FLIGHT).scalar_one())
        if room <= 0:
            return []
        rows = session.execute(_TAKE, {"room": room, "lease": _DISPATCH_LEASE}).all()
    return [Dispatched(tenant_id=row.tenant_id, job_id=row.id, queue=row.queue) for row in rows]


_NEW_EVENTS = text(f"""
    SELECT o.tenant_id, o.id, o.type, o.lane, o.lane_seq, o.trace_id,
        (SELECT jsonb_agg(jsonb_build_array(l.endpoint_id, l.ordered) ORDER BY l.endpoint_id) FROM cell.listener l
         WHERE l.tenant_id = o.tenant_id AND o.type LIKE ANY (ARRAY(SELECT jsonb_array_elements_text(l.patterns)))
        ) AS listeners,
        (SELECT jsonb_agg(p.endpoint_id ORDER BY p.endpoint_id) FROM cell.partner_listener p JOIN cell.tenant t
         ON t.organisation_id = p.organisation_id AND t.id = o.tenant_id AND t.kind = 'customer'
         WHERE o.type LIKE ANY (ARRAY(SELECT jsonb_array_elements_text(p.patterns)))
        ) AS partners
    FROM cell.outbox o
    WHERE o.state = 'new' AND {of_active("o")} ORDER BY o.created_at, o.id LIMIT :limit FOR UPDATE OF o SKIP LOCKED
""")  # noqa: S608 - constants of ours
_RELAYED = text("""
    UPDATE cell.outbox o SET state = 'relayed'
    FROM unnest(CAST(:tenants AS uuid[]), CAST(:events AS uuid[])) AS d (tenant_id, id)
    WHERE o.tenant_id = d.tenant_id AND o.id = d.id
""")
_ADD_JOB = text("""
    INSERT INTO cell.job (tenant_id, id, kind, queue, args, lane, lane_seq, dedupe_key, run_at, state, attempts, epoch,
                          trace_id, created_at)
    VALUES (:tenant_id, :id, :kind, 'default', CAST(:args AS jsonb), :lane, :lane_seq, :dedupe_key, :now, 'ready', 0,
            0, :trace_id, :now)
    ON CONFLICT DO NOTHING
""")
_RECOVER = text("""
    UPDATE cell.job SET state = 'ready', worker = NULL, lease_until = NULL
    WHERE state IN ('dispatched', 'running') AND lease_until < now()
""")
# Each line is the condition of one of the statements above, below, in `timers` and `sequencing`; lanes left out.
_ANY = text(f"""
    SELECT EXISTS (SELECT FROM cell.outbox o WHERE o.state = 'new' AND {of_active("o")}),
        COALESCE((SELECT true FROM cell.timer t WHERE {DUE} AND {of_active("t")} ORDER BY t.due_at LIMIT 1), false),
        EXISTS (SELECT FROM cell.job WHERE state IN ('dispatched', 'running') AND lease_until < now()),
        :marks AND EXISTS (SELECT {ANY_MARK}),
        EXISTS (SELECT FROM cell.job r WHERE r.state = 'ready' AND r.run_at <= now() AND {of_active("r")}
                AND {HANDED_OUT}),
        (SELECT count(*) FROM cell.job WHERE state IN ('dispatched', 'running'))
""")  # noqa: S608 - constants of ours
_RELEASE = text("""
    UPDATE cell.job SET state = 'ready', worker = NULL, lease_until = NULL WHERE state = 'running' AND worker = :worker
""")
# Whatever somebody is at this very moment claiming or sending is not lost.
_SEND_ANEW = text("""
    UPDATE cell.job j SET state = 'ready', lease_until = NULL
    FROM (SELECT tenant_id, id FROM cell.job WHERE state = 'dispatched' FOR UPDATE SKIP LOCKED) sent
    WHERE j.tenant_id = sent.tenant_id AND j.id = sent.id
""")
# On a lane nothing is sent while something earlier is unfinished, or is still an event that nobody has relayed.
_TAKE = text(f"""
    UPDATE cell.job j SET state = 'dispatched', lease_until = now() + make_interval(secs => :lease)
    FROM (SELECT r.tenant_id, r.id FROM {WAITING} AND {HANDED_OUT}
          ORDER BY r.run_at, r.id LIMIT :room FOR UPDATE OF r SKIP LOCKED) n
    WHERE j.tenant_id = n.tenant_id AND j.id = n.id
    RETURNING j.tenant_id, j.id, j.queue
""")  # noqa: S608 - constants of ours
