"""What the fleet looks like: the plan with its rings, who was set apart and why, and who is too old to be served."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import text

from tenants.engines import Databases
from tenants.fleet.owner import Fleet, asking
from tenants.fleet.plan import Plan, count_below, find_plan
from tenants.schema.head import outdated_revisions
from tenants.sessions import dispatcher_session


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A workspace that was set apart."""

    cell: str
    schema: str
    tenant_id: UUID | None
    revision: str
    attempts: int
    error: str


@dataclass
class Status:
    """The fleet at one moment. `rings` counts states by the name of the ring; `below` those not at the head."""

    plan: Plan | None
    revisions: Counter[str] = field(default_factory=Counter)
    rings: dict[str, Counter[str]] = field(default_factory=dict)
    quarantined: list[Quarantined] = field(default_factory=list)
    below: int = 0


def read_status(fleet: Fleet) -> Status:
    """Read the plan and every cell, with four queries a cell. Raises DatabaseAway, FleetRefused."""
    with asking(fleet.control_url) as control:
        status = Status(find_plan(control, fleet))
    names = status.plan.rings if status.plan else ()
    status.rings = {name: Counter() for name in names}
    for cell, url in fleet.cell_urls.items():
        with asking(url) as connection:
            status.below += count_below(connection, fleet, fleet.tree.head)
            status.revisions.update({row.revision: row.n for row in connection.execute(_REVISIONS)})
            if status.plan is None:
                continue
            for row in connection.execute(_RINGS, [status.plan.id]):
                status.rings[names[row.ring]][row.state] += row.n
            found = connection.execute(_QUARANTINED, [status.plan.id]).fetchall()
            status.quarantined += [Quarantined(cell, *row) for row in found]
    return status


def count_outdated(databases: Databases, cells: Iterable[str]) -> int:
    """Active workspaces that this build cannot serve, those aside that the fleet has set apart: they answer 503.

    With the dispatcher's login, one query a cell; none while this build serves every revision. Raises DatabaseAway.
    """
    outdated = sorted(outdated_revisions())
    if not outdated:
        return 0
    found = 0
    for cell in cells:
        with dispatcher_session(databases, cell, actor="fleet") as (session, _now):
            found += session.execute(_OUTDATED, {"outdated": outdated}).scalar_one()
    return found


_REVISIONS = "SELECT revision, count(*) AS n FROM cell.slot WHERE state = 'claimed' GROUP BY revision"
_RINGS = "SELECT ring, state, count(*) AS n FROM cell.fleet_step WHERE plan_id = %s GROUP BY ring, state"
_QUARANTINED = (
    "SELECT f.schema_name, s.tenant_id, s.revision, f.attempts, f.error FROM cell.fleet_step f"
    " JOIN cell.slot s USING (schema_name) WHERE f.plan_id = %s AND f.state = 'quarantined' ORDER BY f.schema_name"
)
_OUTDATED = text("""
    SELECT count(*) FROM cell.slot s JOIN cell.tenant t ON t.id = s.tenant_id
    WHERE s.state = 'claimed' AND t.state = 'active' AND s.revision = ANY(:outdated)
    AND NOT EXISTS (SELECT FROM cell.fleet_step f WHERE f.schema_name = s.schema_name AND f.state = 'quarantined')
""")
