"""Who has to come by a provider: people all of whose business on a host asks for one. Owners keep the mailed link."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text

from app.identity.models import Member
from app.kernel.actor import Actor
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.kernel.work import TenantNotActive, open_work
from tenants.registry import find_tenant
from tenants.sessions import lookup_session

_DUTIES = text("SELECT * FROM control.list_sso_duties(:email, :person, :organisation)")
_OWNER, _PARTNER_OWNER = "owner", "partner_owner"


def find_duty(
    runtime: Runtime, organisation_id: UUID, *, email: str | None = None, person_id: UUID | None = None
) -> UUID | None:
    """The connection that this person has to use on the organisation's host; None for who may have a link by mail.

    Only where the answer goes to the person alone: who asks at the door must not learn that somebody exists.
    """
    values = {"email": email, "person": person_id, "organisation": organisation_id}
    with lookup_session(runtime.databases) as (session, _now):
        duties = session.execute(_DUTIES, values).all()
    if not duties or any(duty.connection_id is None for duty in duties):
        return None
    for duty in duties:
        if _PARTNER_OWNER in duty.held or (not duty.staff and _owns(runtime, duty.tenant_id, duty.person_id)):
            return None
    return UUID(str(duties[0].connection_id))


def _owns(runtime: Runtime, tenant_id: UUID, person_id: UUID) -> bool:
    """Whether the person owns the tenant, by its own row. One that rests lets nobody in, by whatever way."""
    with lookup_session(runtime.databases) as (session, _now):
        tenant = find_tenant(session, tenant_id)
    if tenant is None:
        return False
    try:
        with open_work(runtime, tenant, Actor("service", tenant.id, "sign-in"), trace_id=new_id().hex) as work:
            member = work.session.get(Member, person_id)
            return member is not None and member.role == _OWNER and member.state != "removed"
    except TenantNotActive:
        return False
