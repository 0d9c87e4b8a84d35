"""Carries a change of a tenant from `control`, which decides, to its cell and the trails (DESIGN 4, flow "suspend").

At least once and idempotent by the change's id: killed anywhere, the platform's own round tells it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from psycopg.types.json import Jsonb
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from app.kernel.actor import Actor
from app.kernel.errors import SlipwayError
from app.kernel.runtime import Runtime
from app.kernel.work import open_work
from app.tenancy.events import EVENTS, TenantEvent
from app.tenancy.lookups import tenants_behind
from tenants.models import Plan, TenantEntry
from tenants.registry import find_home, tenant_of
from tenants.sessions import DatabaseAway, lookup_session, partner_session, registry_session
from tenants.tenant import Tenant

log = structlog.get_logger(__name__)
SYSTEM_ONLY = {
    "tell_cell": "the second step of a change that its operation has allowed",
    "tell_all": "a platform job of the dispatcher",
}
_ANY_STATE = frozenset({"active", "suspended", "exporting"})
_TRAIL_IS_THERE = _ANY_STATE | {"shredded"}  # until it is dropped


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to a tenant as a whole, as its row in control keeps it until everybody has been told."""

    id: UUID
    event: str
    actor: Actor
    reason: str
    trace_id: str
    facts: dict[str, Any]

    def stored(self) -> dict[str, Any]:
        """As the row keeps it."""
        who = {"kind": self.actor.kind, "id": str(self.actor.id), "name": self.actor.name}
        told = {"id": str(self.id), "event": self.event, "by": who, "reason": self.reason}
        return told | {"trace_id": self.trace_id, "facts": self.facts}

    @classmethod
    def read(cls, row: dict[str, Any]) -> Change:
        """From what the row keeps."""
        by = row["by"]
        actor = Actor(kind=by["kind"], id=UUID(by["id"]), name=by["name"])
        return cls(UUID(row["id"]), row["event"], actor, row["reason"], row["trace_id"], row["facts"])

    def told_of(self, tenant_id: UUID) -> TenantEvent:
        """As an entry of a trail."""
        facts: dict[str, Any] = {
            k: datetime.fromisoformat(v) if k.endswith("_at") else v for k, v in self.facts.items()
        }
        return EVENTS[self.event](subject_id=tenant_id, reason=self.reason, change_id=self.id, **facts)


def tell_cell(runtime: Runtime, organisation_id: UUID, tenant_id: UUID) -> None:
    """Tell the cell and both trails of the tenant's last change, once. Raises DatabaseAway when a part is away.

    Of a tenant without a place yet the home hears at once; its cell and its own trail when it has one.
    """
    with partner_session(runtime.databases, organisation_id, actor="tenancy") as (session, _now):
        found = _behind(session, tenant_id)
        if found is None:
            return
        tenant, change, told = found
    with lookup_session(runtime.databases, actor="tenancy") as (session, _now):
        home = find_home(session, organisation_id)
    if tenant.schema:
        if tenant.state in _ANY_STATE:
            _write_down(runtime, tenant, tenant_id, change)
        followed = {"tenant": tenant_id, "change": change.id, "state": tenant.state}
        if not _follow(runtime, tenant, change, told | followed):
            return
    if home is not None and home.id != tenant_id:
        _write_down(runtime, home, tenant_id, change)
    if tenant.state == "requested":
        return
    with partner_session(runtime.databases, organisation_id, actor="tenancy") as (session, _now):
        mine = TenantEntry.change["id"].astext == str(change.id)
        session.execute(update(TenantEntry).where(TenantEntry.id == tenant_id, mine).values(behind=False))


def _follow(runtime: Runtime, tenant: Tenant, change: Change, told: dict[str, Any]) -> bool:
    """Put the cell where the change wants it; False where a newer change has come meanwhile, and nothing was done.

    One at a time for each tenant, and control is asked again under the lock: a slow teller undoes no newer change.
    """
    with registry_session(runtime.databases, tenant.cell, actor="tenancy") as (session, now):
        session.execute(_ONE_TELLER, {"tenant": str(tenant.id)})
        with partner_session(runtime.databases, tenant.organisation_id, actor="tenancy") as (control, _now):
            found = _behind(control, tenant.id)
            if found is None or found[1].id != change.id:
                return False
        session.execute(_FOLLOW, told | {"now": now})
        return True


def tell_all(runtime: Runtime, *, seconds: int = 15) -> int:
    """Tell what a killed process left untold, the next also where one cannot be. Returns how many were."""
    with lookup_session(runtime.databases, actor="tenancy") as (session, _now):
        behind = tenants_behind(session, seconds=seconds)
    told, away = 0, set[str]()
    for cell, organisation_id, tenant_id in behind:
        if cell in away:
            continue
        try:
            tell_cell(runtime, organisation_id, tenant_id)
            told += 1
        except (SlipwayError, DatabaseAway) as error:
            log.warning("tenancy.change_untold", tenant_id=str(tenant_id), reason=str(error))
            away |= {cell} if isinstance(error, DatabaseAway) else set()
    return told


def _behind(session: Session, tenant_id: UUID) -> tuple[Tenant, Change, dict[str, Any]] | None:
    query = (
        select(TenantEntry, Plan.weight, Plan.limits)
        .outerjoin(Plan, Plan.key == TenantEntry.plan_key)
        .where(TenantEntry.id == tenant_id, TenantEntry.behind.is_(True))
    )
    row = session.execute(query).one_or_none()
    if row is None:
        return None
    entry, weight, limits = row
    if entry.change is None:
        return None
    told = {"weight": weight or 1, "limits": Jsonb({**(limits or {}), **(entry.limits or {})})}
    return tenant_of(entry), Change.read(entry.change), told


def _a_minute_before(change: UUID) -> UUID:
    """Ids begin with the milliseconds: an entry is younger than its change, but clocks of two hosts may differ."""
    return UUID(int=change.int - (60_000 << 80))


def _write_down(runtime: Runtime, into: Tenant, tenant_id: UUID, change: Change) -> None:
    """One entry in this trail, whoever else is telling the same at this moment."""
    with open_work(runtime, into, change.actor, trace_id=change.trace_id, states=_TRAIL_IS_THERE) as work:
        work.session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:id, 0))"), {"id": str(change.id)})
        if (
            work.session.execute(_WRITTEN, {"since": _a_minute_before(change.id), "change": str(change.id)}).first()
            is None
        ):
            work.record(change.told_of(tenant_id))


_WRITTEN = text("SELECT 1 FROM trail WHERE id > :since AND body->>'change_id' = :change LIMIT 1")
_ONE_TELLER = text("SELECT pg_advisory_xact_lock(hashtextextended('tell ' || :tenant, 0))")
_FOLLOW = text("""
    UPDATE cell.tenant SET state = CASE WHEN state IN ('active', 'suspended', 'exporting') THEN :state ELSE state END,
        weight = :weight, limits = :limits, change_id = :change, changed_at = :now
    WHERE id = :tenant AND change_id IS DISTINCT FROM :change
""")
