"""What a cell keeps of events and messages that are over: marks, swept a batch at a time once they are old enough.

A relayed event's mark serves nothing any more: its body is the trail's, its deliveries are jobs and documents of their
own, and so are replays. A message's mark keeps it from being taken twice: a sender that repeats it later is a stranger.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from prometheus_client import Counter
from sqlalchemy import text

from app.kernel.runtime import Runtime
from tenants.engines import Databases
from tenants.sessions import DatabaseAway, dispatcher_session

log = structlog.get_logger(__name__)
SYSTEM_ONLY = {"sweep_marks": "a platform job of the dispatcher: it removes what serves nothing any more"}
SWEPT = Counter("slipway_swept_marks", "Marks of events and messages that were removed for their age.", ["table"])
AT_ONCE: Final = 2_000  # rows a transaction: nobody waits for one longer than for a batch of timers
_OF_ONE: Final = 500  # of one workspace in it
_BATCHES: Final = 10  # a round; the next one goes on


def sweep_marks(runtime: Runtime, *, days: int) -> bool:
    """Remove relayed events and taken messages older than so many days. True where there is more to remove.

    What has not been relayed stays, however old. Killed in the middle, it has removed whole batches; two at once remove
    each row once. A cell that is away is left to the next round.
    """
    more = False
    for cell in runtime.databases.cells:
        try:
            more = _sweep(runtime.databases, cell, timedelta(days=days)) or more
        except DatabaseAway as error:
            log.warning("queue.marks_not_swept", cell=cell, reason=str(error))
    return more


def _sweep(databases: Databases, cell: str, age: timedelta) -> bool:
    more = False
    for table, statement in _STATEMENTS.items():
        for _batch in range(_BATCHES):
            with dispatcher_session(databases, cell, actor="sweeper") as (session, now):
                before = now - age
                asked = {"before": before, "first": _first_id(before), "limit": AT_ONCE, "each": _OF_ONE}
                removed = session.connection().execute(statement, asked).rowcount
            SWEPT.labels(table).inc(removed)
            if removed < _OF_ONE:
                break
        else:
            more = True
    return more


def _first_id(moment: datetime) -> UUID:
    """The least id that could have been made at that moment: ids begin with their time."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


# By workspace and id, as the key goes: no index more, and no look at rows that are too young.
_STATEMENTS: Final = {
    "outbox": text("""
        DELETE FROM cell.outbox o USING (
            SELECT old.tenant_id, old.id FROM cell.tenant t CROSS JOIN LATERAL (
                SELECT e.tenant_id, e.id FROM cell.outbox e
                WHERE e.tenant_id = t.id AND e.id < :first AND e.state = 'relayed' AND e.created_at < :before
                ORDER BY e.id LIMIT :each FOR UPDATE SKIP LOCKED
            ) old LIMIT :limit
        ) gone WHERE o.tenant_id = gone.tenant_id AND o.id = gone.id
    """),
    "inbox": text("""
        DELETE FROM cell.inbox i USING (
            SELECT old.tenant_id, old.source, old.external_id FROM cell.tenant t CROSS JOIN LATERAL (
                SELECT m.tenant_id, m.source, m.external_id FROM cell.inbox m
                WHERE m.tenant_id = t.id AND m.received_at < :before LIMIT :each
            ) old LIMIT :limit
        ) gone
        WHERE i.tenant_id = gone.tenant_id AND i.source = gone.source AND i.external_id = gone.external_id
    """),
}
