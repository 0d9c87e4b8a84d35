"""Lets control follow a member row: assignments of staff, the index of memberships, and the end of sessions.

Idempotent: what is written is what the row says now, however often and in whatever order it is asked for.
"""

from __future__ import annotations

from uuid import UUID

import structlog
from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.identity.models import Assignment, Member, Membership
from app.identity.people.rules import STAFF
from app.kernel.actor import job_actor
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.kernel.work import open_work
from tenants.sessions import DatabaseAway, partner_session
from tenants.tenant import Tenant

SYSTEM_ONLY = {
    "follow_person": "follows the tenant's commit; the member row decides",
    "follow_soon": "follows the tenant's commit; the member row decides",
}
_log = structlog.get_logger()


def follow_soon(runtime: Runtime, tenant: Tenant, person_id: UUID, *, trace_id: str) -> None:
    """Right after the tenant's commit; where that fails now, the job that was asked for with it does it."""
    try:
        follow_person(runtime, tenant, person_id, trace_id=trace_id)
    except DatabaseAway as error:
        _log.warning("identity.person_not_followed", person_id=str(person_id), reason=str(error))


def follow_person(runtime: Runtime, tenant: Tenant, person_id: UUID, *, trace_id: str) -> None:
    """Bring control to what the tenant's row says of this person. Raises DatabaseAway, TenantNotActive.

    The lock in control is taken before the row is read: who comes later has read later.
    """
    actor = job_actor(new_id(), "identity.following")
    with partner_session(runtime.databases, tenant.organisation_id, actor=actor.label) as (session, now):
        session.execute(_LOCK, {"place": f"{tenant.id}:{person_id}"})
        with open_work(runtime, tenant, actor, trace_id=trace_id) as work:
            row = work.session.get(Member, person_id)
            said = None if row is None else (row.role, row.state != "removed", list(row.roles or ()))
        if said is None:
            return
        role, belongs, roles = said
        if role == STAFF:
            _assign(session, tenant, person_id, [str(each) for each in roles] if belongs else [], now)
        else:
            _belong(session, tenant, person_id, belongs=belongs, now=now)


def _assign(session: Session, tenant: Tenant, person_id: UUID, roles: list[str], now: object) -> None:
    mine = (Assignment.person_id == person_id, Assignment.organisation_id == tenant.organisation_id)
    session.execute(delete(Assignment).where(*mine, Assignment.role.not_in(roles)))
    held = set(session.scalars(select(Assignment.role).where(*mine)))
    for role in sorted(set(roles) - held):
        row = {"id": new_id(), "person_id": person_id, "organisation_id": tenant.organisation_id, "role": role}
        session.execute(insert(Assignment).values(**row, made_at=now).on_conflict_do_nothing())
    if not roles:
        session.execute(_END, {"person": person_id, "organisation": tenant.organisation_id, "tenant": None})


def _belong(session: Session, tenant: Tenant, person_id: UUID, *, belongs: bool, now: object) -> None:
    if belongs:
        row = {"person_id": person_id, "tenant_id": tenant.id, "organisation_id": tenant.organisation_id}
        session.execute(insert(Membership).values(**row, made_at=now).on_conflict_do_nothing())
        return
    session.execute(delete(Membership).where(Membership.person_id == person_id, Membership.tenant_id == tenant.id))
    session.execute(_END, {"person": person_id, "organisation": tenant.organisation_id, "tenant": tenant.id})


_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:place, 7))")
_END = text("SELECT control.end_person_sessions(:person, :organisation, :tenant)")
