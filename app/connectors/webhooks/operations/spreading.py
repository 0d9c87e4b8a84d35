"""Keeps in every cell a copy of the homes' listeners that hear customers: the relay of a cell asks its own cell alone.

A home's own row decides; the copies follow it at once by a job, and each minute by the dispatcher's schedule.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
import structlog
from sqlalchemy import text

from tenants.engines import Databases
from tenants.sessions import DatabaseAway, dispatcher_session

log = structlog.get_logger(__name__)

SYSTEM_ONLY = {"spread_listeners": "called by a job of a home whose endpoint has changed, and by the dispatcher"}


def spread_listeners(databases: Databases) -> None:
    """Make the copies as the homes' rows are. In a cell that is away, what stands there stays as it is.

    Killed in the middle, or two at once with an older look: the next round makes it right.
    """
    wanted: list[dict[str, Any]] = []
    away: set[str] = set()
    for cell in databases.cells:
        try:
            with dispatcher_session(databases, cell, actor="webhooks") as (session, _now):
                wanted += [dict(row) for row in session.execute(_WANTED).mappings()]
        except DatabaseAway as error:
            log.warning("webhooks.cell_away", cell=cell, reason=str(error))
            away.add(cell)
    told = {"wanted": msgspec.json.encode(wanted).decode(), "all": not away}
    for cell in set(databases.cells) - away:
        with dispatcher_session(databases, cell, actor="webhooks") as (session, _now):
            session.execute(_ONE)
            session.execute(_TAKE_OUT, told)
            session.execute(_PUT_IN, told)


_WANTED: Final = text("""
    SELECT CAST(l.tenant_id AS text) AS tenant_id, CAST(l.endpoint_id AS text) AS endpoint_id,
        CAST(t.organisation_id AS text) AS organisation_id, l.patterns
    FROM cell.listener l JOIN cell.tenant t ON t.id = l.tenant_id
    WHERE l.customers AND t.kind = 'home' AND t.organisation_id IS NOT NULL AND t.state IN ('active', 'suspended')
""")
_ONE: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('connectors.spread_listeners', 0))")
_ROWS: Final = """jsonb_to_recordset(CAST(:wanted AS jsonb))
    AS w (tenant_id uuid, endpoint_id uuid, organisation_id uuid, patterns jsonb)"""
# Of a home whose cell is away nobody knows whether it still listens.
_TAKE_OUT: Final = text(f"""
    DELETE FROM cell.partner_listener p WHERE :all
        AND NOT EXISTS (SELECT FROM {_ROWS} WHERE w.tenant_id = p.tenant_id AND w.endpoint_id = p.endpoint_id)
""")  # noqa: S608 - constants of ours
_PUT_IN: Final = text(f"""
    INSERT INTO cell.partner_listener AS p (tenant_id, endpoint_id, organisation_id, patterns)
    SELECT w.tenant_id, w.endpoint_id, w.organisation_id, w.patterns FROM {_ROWS}
    ON CONFLICT (tenant_id, endpoint_id) DO UPDATE
    SET patterns = excluded.patterns, organisation_id = excluded.organisation_id
    WHERE (p.patterns, p.organisation_id) IS DISTINCT FROM (excluded.patterns, excluded.organisation_id)
""")  # noqa: S608 - constants of ours
