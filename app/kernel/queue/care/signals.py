"""How much is to be done, told as what an autoscaler can use: by queue, and as a number of workers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import text

from app.kernel.queue.fair.rule import GUESS
from tenants.engines import Databases
from tenants.sessions import dispatcher_session

_PATIENCE: Final = 120.0  # seconds, where no door closes


class Load(NamedTuple):
    """What a queue of a cell has: due, under way, for how long the first waits, seconds of workers in all of it."""

    queue: str
    waiting: int
    under_way: int
    oldest: float
    seconds: float


def read_load(databases: Databases, cell: str) -> list[Load]:
    """The load of each queue that has any; of active tenants. Raises DatabaseAway."""
    with dispatcher_session(databases, cell, actor="metrics") as (session, _now):
        return [Load(*row) for row in session.execute(_LOAD)]


def wanted_workers(loads: Sequence[Load], *, threads: int, patience: int) -> int:
    """As many workers as have all of it done within the patience (s), so that no door closes; one at least."""
    seconds = sum(load.seconds for load in loads)
    return max(1, math.ceil(seconds / (threads * (patience or _PATIENCE))))


# Counted by tenant and queue first: what one of its jobs costs is the same for all of them.
_LOAD: Final = text(f"""
    SELECT c.queue, sum(c.waiting)::int, sum(c.under_way)::int, max(c.oldest)::float,
        sum((c.waiting + c.under_way) * COALESCE(s.cost, {GUESS}))::float
    FROM (
        SELECT j.tenant_id, j.queue, count(*) AS waiting, 0 AS under_way,
            EXTRACT(epoch FROM now() - min(j.run_at)) AS oldest
        FROM cell.job j WHERE j.state = 'ready' AND j.run_at <= now() GROUP BY 1, 2
        UNION ALL
        SELECT j.tenant_id, j.queue, 0, count(*), 0
        FROM cell.job j WHERE j.state IN ('dispatched', 'running') GROUP BY 1, 2
    ) c JOIN cell.tenant n ON n.id = c.tenant_id AND n.state = 'active'
    LEFT JOIN cell.share s ON s.tenant_id = c.tenant_id AND s.queue = c.queue
    GROUP BY c.queue ORDER BY c.queue
""")  # noqa: S608 - a number of ours
