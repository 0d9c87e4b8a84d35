"""What a partner's endpoint hears of its customers' workspaces, as far as each customer's delegation goes (DESIGN 4).

The customer's transaction decides and reads; the home's gets ids first, and what happened only to sign and send it.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Final
from uuid import UUID

from sqlalchemy import select

from app.access.decisions import can
from app.access.permissions import Permission
from app.access.roles import Role
from app.connectors.webhooks.envelope import Happened
from app.connectors.webhooks.operations.care import ask_for
from app.connectors.webhooks.operations.deliveries import happened
from app.connectors.webhooks.operations.messages import Asked
from app.connectors.webhooks.queries import Sent, find_endpoint_or_none
from app.kernel.actor import Actor
from app.kernel.errors import Forbidden
from app.kernel.runtime import Runtime
from app.kernel.work import Work, open_work
from tenants.models import TenantEntry
from tenants.registry import find_home, find_tenant
from tenants.sessions import lookup_session, partner_session
from tenants.tenant import Tenant

# Whoever of the partner may read the trail; of that, reading it is all that a listener may.
_ROLES: Final = frozenset({Role.ONBOARDING_LEAD, Role.AUDITOR})
_HEARING: Final = frozenset({Permission.TRAIL_READ})
_OVER: Final = frozenset({"shredded", "dropped"})

SYSTEM_ONLY = {
    "home_of": "asks where a job's customer belongs; no content is seen",
    "names_of": "asked in the organisation's own scope for deliveries that its reader was shown",
    "may_hear": "asks the customer's own delegations, and says so instead of a door",
    "hear_of": "asks the customer's own delegations, and says so instead of a door",
    "hand_over": "called by the job that has asked the customer",
}


class NotHeard(Forbidden):
    """The customer does not let the partner hear of this: no delegation is open that shares the trail."""


def home_of(runtime: Runtime, customer: Tenant) -> Tenant | None:
    """The home of the partner whose customer it is."""
    with lookup_session(runtime.databases, actor="webhooks") as (session, _now):
        return find_home(session, customer.organisation_id)


def may_hear(runtime: Runtime, home: Tenant, customer: Tenant) -> None:
    """Whether the partner's endpoints hear of this customer now. Raises NotHeard, TenantNotActive."""
    with _in_customer(runtime, home, customer, "") as work:
        _require_open(work)


def hear_of(runtime: Runtime, home: Tenant, asked: Asked, *, trace_id: str) -> Happened:
    """What happened at a customer's of this home. Raises NotHeard, TrailEntryMissing, TenantNotActive."""
    with lookup_session(runtime.databases, actor="webhooks") as (session, _now):
        customer = find_tenant(session, asked.customer) if asked.customer else None
    if customer is None or customer.state in _OVER or customer.organisation_id != home.organisation_id:
        raise NotHeard("The workspace is gone, or belongs to another partner.")
    with _in_customer(runtime, home, customer, trace_id) as work:
        _require_open(work)
        return happened(work, asked.event_id)


def hand_over(work: Work, wanted: Iterable[Asked], lane: str | None) -> None:
    """In the home: ask for a delivery to each of its endpoints that hear customers; once an event."""
    for asked in wanted:
        endpoint = find_endpoint_or_none(work, asked.endpoint_id)
        if endpoint and endpoint.customers:
            ask_for(work, asked, lane=f"{lane}:{endpoint.id}" if lane and endpoint.ordered else None)


def names_of(runtime: Runtime, organisation_id: UUID, sent: Iterable[Sent]) -> dict[UUID, str]:
    """How the organisation calls the customers of these deliveries."""
    ids = {each.delivery.tenant_id for each in sent} - {None}
    if not ids:
        return {}
    with partner_session(runtime.databases, organisation_id, actor="webhooks") as (session, _now):
        rows = session.execute(select(TenantEntry.id, TenantEntry.name).where(TenantEntry.id.in_(ids)))
        return {row.id: row.name for row in rows}


def _in_customer(runtime: Runtime, home: Tenant, customer: Tenant, trace_id: str) -> AbstractContextManager[Work]:
    """A transaction of the customer's, as the partner's software that may read its trail and nothing else."""
    listener = Actor(
        kind="service",
        id=home.id,
        name=home.name,
        organisation_id=home.organisation_id,
        roles=_ROLES,
        only=_HEARING,
    )
    return open_work(runtime, customer, listener, trace_id=trace_id)


def _require_open(work: Work) -> None:
    if not can(work.rights, Permission.TRAIL_READ):
        raise NotHeard("The customer shares nothing that this can be read with.")
