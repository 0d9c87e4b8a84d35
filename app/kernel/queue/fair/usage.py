"""What jobs really cost: measured where they run, told to the cell some times a second, forgotten by who dies.

A job is charged when it is handed out, by what its tenant's jobs cost before; what it took, with all that its worker
went on with at once, is corrected here. Nothing but fairness depends on it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from app.kernel.queue.fair.rule import Share, ShareKey, correct
from tenants.engines import Databases
from tenants.sessions import dispatcher_session


@dataclass(slots=True)
class _Used:
    seconds: float = 0.0
    handed: int = 0


class Meter:
    """Seconds of this process's threads by cell, tenant and queue. Safe to share between threads."""

    def __init__(self) -> None:
        self._used: dict[tuple[str, ShareKey], _Used] = {}
        self._lock = threading.Lock()

    @contextmanager
    def running(self, cell: str, tenant_id: UUID, queue: str) -> Iterator[None]:
        """Count what the block takes, for one job that was handed out."""
        began = time.monotonic()
        try:
            yield
        finally:
            seconds = time.monotonic() - began
            with self._lock:
                used = self._used.setdefault((cell, (tenant_id, queue)), _Used())
                used.seconds += seconds
                used.handed += 1

    def tell(self, databases: Databases, cell: str) -> int:
        """Write down what has been used in the cell since the last time. Returns of how many. Raises DatabaseAway."""
        with self._lock:
            mine = {key[1]: self._used.pop(key) for key in list(self._used) if key[0] == cell}
        if mine:
            with dispatcher_session(databases, cell, actor="usage") as (session, _now):
                keys = sorted(mine)
                named = {"tenants": [tenant for tenant, _queue in keys], "queues": [queue for _tenant, queue in keys]}
                changed = []
                for row in session.execute(_READ, named):
                    used = mine[row.tenant_id, row.queue]
                    share = Share(row.vtime, row.cost, float(max(1, row.weight)))
                    told = correct(share, row.reached, seconds=used.seconds, handed=used.handed)
                    changed.append((row.tenant_id, row.queue, told.vtime, told.cost))
                if changed:
                    columns = (list(column) for column in zip(*changed, strict=True))
                    names = ("tenants", "queues", "vtimes", "costs")
                    session.connection().execute(_CORRECT, dict(zip(names, columns, strict=True)))
        return len(mine)


METER = Meter()

# One after the other in the order in which the dispatcher writes them: nobody waits in a circle.
_READ = text("""
    SELECT s.tenant_id, s.queue, s.vtime, s.cost, COALESCE(n.weight, 1) AS weight, COALESCE(p.reached, 0) AS reached
    FROM unnest(CAST(:tenants AS uuid[]), CAST(:queues AS text[])) AS o (tenant_id, queue)
    CROSS JOIN LATERAL (
        SELECT * FROM cell.share s WHERE s.tenant_id = o.tenant_id AND s.queue = o.queue FOR UPDATE) s
    JOIN cell.tenant n ON n.id = s.tenant_id LEFT JOIN cell.pace p ON p.queue = s.queue
""")
_CORRECT = text("""
    UPDATE cell.share s SET vtime = c.vtime, cost = c.cost
    FROM unnest(CAST(:tenants AS uuid[]), CAST(:queues AS text[]), CAST(:vtimes AS float8[]), CAST(:costs AS float8[]))
        AS c (tenant_id, queue, vtime, cost)
    WHERE s.tenant_id = c.tenant_id AND s.queue = c.queue
""")
