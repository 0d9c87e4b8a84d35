"""What waits in a cell, as flows: found by jumping along an index from one to the next, however much waits in each.

A look costs some microseconds a flow, so where many tenants wait at once it counts for a while: `Known`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.kernel.queue.fair.rule import GUESS, Flow, Pace, Pick, Share, ShareKey, Turns

_COUNTS_FOR: Final = 4.0  # times as long as the look took: a fifth of a dispatcher's time at most
_FEW: Final = 32  # flows: as many are looked at anew each time, so that whoever comes is seen at once
_FIRST: Final = 256  # flows of each queue that a look brings, the earliest first: a plan has room for no more
_FURTHER: Final = 8  # times as many, where nothing of those can be handed out


@dataclass
class Known:
    """What a dispatcher has last seen of a cell; another's look, or what a flow turns out to hold, corrects it."""

    at_once: int | None = None  # jobs of a tenant on their way or running, where its plan says nothing
    flows: list[Flow] = field(default_factory=list)
    turns: Turns = field(default_factory=Turns)
    until: float = 0.0

    most: int = _FIRST
    cut: bool = False  # there were more flows than the look has brought

    def look(self, session: Session) -> None:
        """See whose turn is next, and how far they are; more of them than the last time, if those led to nothing."""
        began = time.monotonic()
        self.most = self.most * _FURTHER if self.cut and not self.flows else _FIRST
        self.turns, self.flows = Turns(), []
        rows = session.execute(_FLOWS, {"most": self.most}).all()
        self.cut = any(row.place == self.most for row in rows)
        for row in rows:
            self.turns.reached = row.queues_reached
            self.turns.paces[row.queue] = Pace(row.spent, row.reached)
            self.flows.append(Flow(row.tenant_id, row.queue, row.cap_key, row.run_at, row.cap_most))
            at_once = self.at_once if row.at_once is None else max(1, int(row.at_once))
            self.turns.shares[row.tenant_id, row.queue] = Share(row.vtime, row.cost, float(max(1, row.weight)), at_once)
        ended = time.monotonic()
        self.until = ended + _COUNTS_FOR * (ended - began) if len(self.flows) > _FEW else ended

    @property
    def stale(self) -> bool:
        """Whether it is time for another look."""
        return not self.flows or time.monotonic() >= self.until

    def forget(self, flows: Sequence[Flow]) -> None:
        """These hold nothing more at the moment."""
        gone = set(flows)
        self.flows = [flow for flow in self.flows if flow not in gone]


def write_turns(session: Session, turns: Turns, picks: Sequence[Pick], floors: Mapping[str, float]) -> None:
    """Keep how far everybody is who was picked. `floors`: what the tenants of each queue had reached before.

    What a tenant has had is added to what is kept by now: workers say meanwhile what its jobs really cost.
    """
    charges: dict[ShareKey, float] = {}
    for pick in picks:
        share = turns.shares[pick.flow.share]
        charges[pick.flow.share] = charges.get(pick.flow.share, 0.0) + share.cost / share.weight
    shares = sorted(charges.items())
    paces = [("", 0.0, turns.reached)]
    paces += [(queue, pace.spent, pace.reached) for queue, pace in sorted(turns.paces.items())]
    values = {
        "tenants": [tenant for (tenant, _queue), _charge in shares],
        "queues": [queue for (_tenant, queue), _charge in shares],
        "floors": [floors.get(queue, 0.0) for (_tenant, queue), _charge in shares],
        "charges": [charge for _key, charge in shares],
        "costs": [turns.shares[key].cost for key, _charge in shares],
        "names": [name for name, _spent, _reached in paces],
        "spent": [spent for _name, spent, _reached in paces],
        "reached": [reached for _name, _spent, reached in paces],
    }
    session.connection().execute(_WRITE, values)


_HEAD: Final = "r.tenant_id, r.queue, COALESCE(r.cap_key, '') AS cap_key, r.run_at, r.cap_most FROM cell.job r"
_ORDER: Final = "ORDER BY r.tenant_id, r.queue, COALESCE(r.cap_key, ''), r.run_at, r.id LIMIT 1"
# Each flow of which something is ready, due or not, with its first job: one probe of `ix_job_flow` for each.
EVERY_FLOW: Final = f"""
    WITH RECURSIVE flow AS (
        (SELECT {_HEAD} WHERE r.state = 'ready' {_ORDER})
        UNION ALL
        SELECT n.* FROM flow f CROSS JOIN LATERAL (
            SELECT {_HEAD} WHERE r.state = 'ready'
            AND (r.tenant_id, r.queue, COALESCE(r.cap_key, '')) > (f.tenant_id, f.queue, f.cap_key) {_ORDER}) n
    )
"""  # noqa: S608 - constants of ours
_FLOWS = text(f"""
    {EVERY_FLOW}
    SELECT * FROM (
        SELECT f.tenant_id, f.queue, f.cap_key, f.run_at, f.cap_most, COALESCE(n.weight, 1) AS weight,
            n.limits ->> 'jobs' AS at_once, COALESCE(s.vtime, 0) AS vtime, COALESCE(s.cost, {GUESS}) AS cost,
            COALESCE(p.spent, 0) AS spent, COALESCE(p.reached, 0) AS reached,
            COALESCE((SELECT q.reached FROM cell.pace q WHERE q.queue = ''), 0) AS queues_reached,
            row_number() OVER (PARTITION BY f.queue ORDER BY GREATEST(s.vtime, p.reached, 0), f.run_at) AS place
        FROM flow f JOIN cell.tenant n ON n.id = f.tenant_id LEFT JOIN cell.pace p ON p.queue = f.queue
        LEFT JOIN cell.share s ON s.tenant_id = f.tenant_id AND s.queue = f.queue
        WHERE f.run_at <= now() AND n.state = 'active') placed
    WHERE place <= :most
""")  # noqa: S608 - as above
# Rows come in one order: whoever else writes some of them (`usage`) waits, and nobody waits for each other.
_WRITE = text("""
    WITH c AS (
        SELECT * FROM unnest(CAST(:tenants AS uuid[]), CAST(:queues AS text[]), CAST(:floors AS float8[]),
            CAST(:charges AS float8[]), CAST(:costs AS float8[])) AS c (tenant_id, queue, least, charge, cost)
    ), charged AS (
        INSERT INTO cell.share AS s (tenant_id, queue, vtime, cost)
        SELECT c.tenant_id, c.queue, c.least + c.charge, c.cost FROM c
        ON CONFLICT (tenant_id, queue) DO UPDATE SET vtime = (
            SELECT GREATEST(s.vtime, c.least) + c.charge FROM c WHERE c.tenant_id = s.tenant_id AND c.queue = s.queue)
    )
    INSERT INTO cell.pace AS p (queue, spent, reached)
    SELECT * FROM unnest(CAST(:names AS text[]), CAST(:spent AS float8[]), CAST(:reached AS float8[]))
    ON CONFLICT (queue) DO UPDATE
    SET spent = GREATEST(p.spent, excluded.spent), reached = GREATEST(p.reached, excluded.reached)
""")
