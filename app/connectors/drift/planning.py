"""When each workspace is compared with other systems: at a moment of its own in each period, not all at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import text

from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from tenants.sessions import DatabaseAway, dispatcher_session

log = structlog.get_logger(__name__)
SYSTEM_ONLY = {"plan_looks": "a platform job of the dispatcher"}
_AT_ONCE: Final = 500  # workspaces a round
_BACK: Final = timedelta(hours=1)  # a moment that no dispatcher was there for is made up for so long; then the next one
_BEGINNING: Final = datetime(2020, 1, 1, tzinfo=UTC)


def plan_looks(runtime: Runtime, *, hours: int) -> bool:
    """Ask for the looks whose moment has come, once a period of so many hours; 0: never. True where there may be more.

    One cell that is away is left to the next round. A dispatcher that is killed here, or a second one, changes nothing.
    """
    if not hours:
        return False
    planned = 0
    for cell in runtime.databases.cells:
        try:
            planned = max(planned, _plan(runtime, cell, timedelta(hours=hours)))
        except DatabaseAway as error:
            log.warning("connectors.looks_unplanned", cell=cell, reason=str(error))
    return planned == _AT_ONCE


def _plan(runtime: Runtime, cell: str, period: timedelta) -> int:
    with dispatcher_session(runtime.databases, cell, actor="connectors") as (session, now):
        number = (now - _BEGINNING) // period
        seconds, since = int(period.total_seconds()), int((now - (_BEGINNING + number * period)).total_seconds())
        wanted = {"key": f"drift:{number}:{seconds}", "seconds": seconds, "since": since, "limit": _AT_ONCE}
        wanted["back"] = int(_BACK.total_seconds())
        tenants = list(session.execute(_DUE, wanted).scalars())
        if tenants:
            made = {"tenants": tenants, "ids": [new_id() for _ in tenants], "traces": [new_id().hex for _ in tenants]}
            session.execute(_ASK, made | {"key": wanted["key"], "now": now})
    return len(tenants)


# The end of an id is random: so are the moments.
_DUE: Final = text("""
    SELECT t.id FROM cell.tenant t
    CROSS JOIN LATERAL (SELECT ('x' || right(t.id::text, 7))::bit(28)::int % :seconds AS moment) m
    WHERE t.state = 'active' AND m.moment <= :since AND m.moment > :since - :back
    AND NOT EXISTS (SELECT FROM cell.job j WHERE j.tenant_id = t.id AND j.dedupe_key = :key)
    ORDER BY t.id LIMIT :limit
""")
_ASK: Final = text("""
    INSERT INTO cell.job (tenant_id, id, kind, queue, args, dedupe_key, run_at, state, attempts, epoch, trace_id,
                          created_at)
    SELECT w.tenant_id, w.id, 'connectors.look_for_drift', 'bulk', '{}'::jsonb, :key, :now, 'ready', 0, 0, w.trace, :now
    FROM unnest(CAST(:tenants AS uuid[]), CAST(:ids AS uuid[]), CAST(:traces AS text[])) AS w (tenant_id, id, trace)
    ON CONFLICT DO NOTHING
""")
