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
from app.kernel.queue.standing import HANDED_OUT, of_active
from app.kernel.queue.timers.due import DUE
from tenants.engines import Databases
from tenants.sessions import dispatcher_session

Subscriptions = Mapping[str, Sequence[str]]  # event type → kinds of job that are told

_BATCH = 200
_DELIVER: Final = "connectors.deliver_webhook"
_HAND_ON: Final = "connectors.hand_on_event"
CALLS_AT_ONCE: Final = 4  # to one endpoint: a slow one must not hold all threads


@dataclass(frozen=True, slots=True)
class Dispatched:
    """A job that a worker is to be told of. `first`: its tenant has nothing under way, so it passes what is queued."""

    tenant_id: UUID
    job_id: UUID
    queue: str
    first: bool = False


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
            _job(row, now, kind, {"event_id": str(row.id)}, laned=True)
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
    capped = {"cap_key": f"endpoint:{endpoint_id}", "cap_most": CALLS_AT_ONCE}
    return _job(row, now, _DELIVER, args, whom=f":{endpoint_id}", laned=bool(ordered)) | capped


def _handed_on(row: Any, now: datetime) -> dict[str, Any]:
    """The job that lets the partner's home know, in the order of the onboarding: its endpoints hear customers."""
    args = {"event_id": str(row.id), "endpoint_ids": row.partners, "lane": row.lane, "sequence": row.lane_seq}
    return _job(row, now, _HAND_ON, args, laned=True)


def _job(row: Any, now: datetime, kind: str, args: dict[str, Any], *, laned: bool, whom: str = "") -> dict[str, Any]:
    """A job that an event leads to: one for each (event, kind, whom)."""
    lane = f"{row.lane}:{kind}{whom}" if laned and row.lane else None
    return {
        "tenant_id": row.tenant_id,
        "id": new_id(),
        "kind": kind,
        "args": msgspec.json.encode(args).decode(),
        "lane": lane,
        "lane_seq": row.lane_seq if lane else None,
        "dedupe_key": f"{row.id}:{kind}{whom}",
        "trace_id": row.trace_id,
        "now": now,
        "cap_key": None,
        "cap_most": None,
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
                          trace_id, created_at, cap_key, cap_most)
    VALUES (:tenant_id, :id, :kind, 'default', CAST(:args AS jsonb), :lane, :lane_seq, :dedupe_key, :now, 'ready', 0,
            0, :trace_id, :now, :cap_key, :cap_most)
    ON CONFLICT DO NOTHING
""")
# Whoever is at this very moment claiming or completing some of them goes first: nobody waits for each other.
_RECOVER = text("""
    UPDATE cell.job j SET state = 'ready', worker = NULL, lease_until = NULL,
        deaths = CASE j.state WHEN 'running' THEN COALESCE(j.deaths, 0) + 1 ELSE j.deaths END
    FROM (SELECT tenant_id, id FROM cell.job WHERE state IN ('dispatched', 'running') AND lease_until < now()
          FOR UPDATE SKIP LOCKED) late
    WHERE j.tenant_id = late.tenant_id AND j.id = late.id
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
    UPDATE cell.job SET state = 'ready', worker = NULL, lease_until = NULL, deaths = COALESCE(deaths, 0) + 1
    WHERE state = 'running' AND worker = :worker
""")
# Whatever somebody is at this very moment claiming or sending is not lost.
_SEND_ANEW = text("""
    UPDATE cell.job j SET state = 'ready', lease_until = NULL
    FROM (SELECT tenant_id, id FROM cell.job WHERE state = 'dispatched' FOR UPDATE SKIP LOCKED) sent
    WHERE j.tenant_id = sent.tenant_id AND j.id = sent.id
""")
