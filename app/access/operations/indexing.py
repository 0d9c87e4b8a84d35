"""The index of delegations in `control`: it follows each tenant's commit, at least once, and can be made anew."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import msgspec
from sqlalchemy import select

from app.access.lookups import follow_delegations
from app.access.models import Delegation
from app.access.queries.delegations import show
from app.access.schemas import DelegationOut
from app.kernel.actor import job_actor
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.kernel.work import Work, open_work
from tenants.sessions import lookup_session
from tenants.tenant import Tenant

SYSTEM_ONLY = {
    "read_lines": "called by the job that follows a tenant's delegations",
    "write_lines": "called by the job that follows a tenant's delegations",
    "index_tenant": "the operator's command that makes the index anew",
}


def read_lines(work: Work, delegation_id: UUID | None = None) -> str:
    """What the index says of a delegation, or of all of the tenant's, as JSON."""
    query = select(Delegation)
    if delegation_id is not None:
        query = query.where(Delegation.id == delegation_id)
    return msgspec.json.encode([_line(show(row, _NEVER)) for row in work.session.scalars(query)]).decode()


def write_lines(runtime: Runtime, tenant: Tenant, lines: str) -> None:
    """Bring the index up to these lines; later ones that it has already stay."""
    with lookup_session(runtime.databases, actor="access") as (session, _now):
        follow_delegations(session, tenant.id, lines)


def index_tenant(runtime: Runtime, tenant: Tenant) -> None:
    """All of a tenant's delegations anew. Raises TenantNotActive for one that is on its way in or out."""
    actor = job_actor(tenant.id, "access.index_tenant")
    states = frozenset({"active", "suspended"})
    with open_work(runtime, tenant, actor, trace_id=new_id().hex, states=states) as work:
        lines = read_lines(work)
    write_lines(runtime, tenant, lines)


def _line(shown: DelegationOut) -> dict[str, object]:
    names = ("id", "organisation_id", "kind", "state", "roles", "reason", "starts_at", "ends_at", "requested_at")
    return {name: getattr(shown, name) for name in (*names, "renewal_of", "version")}


# The index holds what was decided; who reads it compares the window with the clock of that moment.
_NEVER = datetime.min.replace(tzinfo=UTC)
