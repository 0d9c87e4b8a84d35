"""How long work waits, told by tenant: what one of them has piled up makes nobody else wait.

So it closes no door but its own. What waits in `bulk`, or for a place under a cap, says nothing about busy workers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text

from app.kernel.queue.fair.flows import EVERY_FLOW
from app.kernel.queue.standing import FREE, of_active
from tenants.engines import Databases
from tenants.sessions import dispatcher_session


class Waits(NamedTuple):
    """Of each tenant that waits, for how long its oldest job could have been at work (s); whether that is by order."""

    by_tenant: Mapping[UUID, float]
    drained: bool = False

    @property
    def oldest(self) -> float:
        """The longest of all."""
        return max(self.by_tenant.values(), default=0.0)

    @property
    def widespread(self) -> float:
        """As long as this wait half of those that wait, and two at least: so somebody new would wait as well.

        In a drained cell everybody waits, so there it is the longest.
        """
        ages = sorted(self.by_tenant.values(), reverse=True)
        place = max(1, (len(ages) - 1) // 2)
        if self.drained:
            return self.oldest
        return ages[place] if place < len(ages) else 0.0

    def met_by(self, tenant_id: UUID | None) -> float:
        """What counts for work that somebody begins in this tenant, or in one that is to be made."""
        return max(self.widespread, self.by_tenant.get(tenant_id, 0.0) if tenant_id else 0.0)


def read_waits(databases: Databases, cell: str) -> Waits:
    """Who waits in the cell, and for how long. A probe of an index for each flow. Raises DatabaseAway."""
    with dispatcher_session(databases, cell, actor="standing") as (session, _now):
        drained = session.execute(_DRAINED).scalar_one()
        ages: dict[UUID, float] = {}
        for tenant_id, age in session.execute(_AGES):
            ages[tenant_id] = max(ages.get(tenant_id, 0.0), float(age))
    return Waits(ages, drained)


_DRAINED = text("SELECT EXISTS (SELECT FROM cell.dispatch WHERE drained)")
_AGES = text(f"""
    {EVERY_FLOW}
    SELECT f.tenant_id, EXTRACT(epoch FROM now() - first.run_at) FROM flow f CROSS JOIN LATERAL (
        SELECT r.run_at FROM cell.job r
        WHERE r.state = 'ready' AND r.tenant_id = f.tenant_id AND r.queue = f.queue
        AND COALESCE(r.cap_key, '') = f.cap_key AND r.run_at <= now() AND {FREE}
        ORDER BY r.tenant_id, r.queue, COALESCE(r.cap_key, ''), r.run_at, r.id LIMIT 1) first
    WHERE f.run_at <= now() AND f.queue <> 'bulk' AND f.cap_key = '' AND {of_active("f")}
""")  # noqa: S608 - constants of ours
