"""Reads a partner's own roles, and who holds them. In the organisation's scope of `control`."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.access.models import CustomRole
from app.access.permissions import Permission
from app.access.policy.names import CUSTOM, write_name
from app.access.require import require
from app.access.rights import AtWork, staff_rights
from app.access.roles import Role
from app.access.schemas import CustomRoleList, CustomRoleOut
from app.kernel.actor import Actor
from app.kernel.errors import Missing
from app.kernel.runtime import Runtime
from app.web.translations import mark
from tenants.registry import find_home
from tenants.sessions import lookup_session, partner_session
from tenants.tenant import Tenant

_MOST = 200
_UNKNOWN = mark("There is no such role of your organisation.")
# Assignments and people are identity's rows; by name, since identity stands above.
_HOLDERS = text(
    "SELECT p.name FROM control.assignment a JOIN control.person p ON p.id = a.person_id"
    " WHERE a.role = :role ORDER BY p.name LIMIT 20"
)


class RoleUnknown(Missing):
    """There is no such role of this organisation."""


def list_custom_roles(runtime: Runtime, actor: Actor) -> CustomRoleList:
    """The organisation's own roles, by name. Raises NotPermitted."""
    require(AtWork(staff_rights(actor), actor), Permission.TENANT_READ)
    with partner_session(runtime.databases, _own(actor), actor=actor.label) as (session, _now):
        mine = (CustomRole.organisation_id == actor.organisation_id, CustomRole.ended_at.is_(None))
        query = select(CustomRole).where(*mine)
        return CustomRoleList([_out(row) for row in session.scalars(query.order_by(CustomRole.name).limit(_MOST))])


def get_custom_role(runtime: Runtime, actor: Actor, role_id: UUID) -> CustomRoleOut:
    """One of them. Raises NotPermitted, RoleUnknown."""
    require(AtWork(staff_rights(actor), actor), Permission.TENANT_READ)
    with partner_session(runtime.databases, _own(actor), actor=actor.label) as (session, _now):
        return _out(_find(session, actor, role_id))


def find_custom_role(runtime: Runtime, actor: Actor, role_id: UUID) -> CustomRoleOut | None:
    """One of them, or None. Raises NotPermitted."""
    try:
        return get_custom_role(runtime, actor, role_id)
    except RoleUnknown:
        return None


def list_holders(runtime: Runtime, actor: Actor, role_id: UUID) -> list[str]:
    """Who holds the role, by name; at most twenty."""
    with partner_session(runtime.databases, _own(actor), actor=actor.label) as (session, _now):
        return [str(row.name) for row in session.execute(_HOLDERS, {"role": f"{CUSTOM}{role_id}"})]


def find_home_of(runtime: Runtime, actor: Actor) -> Tenant:
    """The home of the actor's organisation. Raises RoleUnknown for who has none."""
    with lookup_session(runtime.databases, actor=actor.label) as (session, _now):
        home = find_home(session, _own(actor))
    if home is None:
        raise RoleUnknown(_UNKNOWN)
    return home


def _find(session: Session, actor: Actor, role_id: UUID) -> CustomRole:
    mine = (CustomRole.organisation_id == actor.organisation_id, CustomRole.ended_at.is_(None))
    query = select(CustomRole).where(CustomRole.id == role_id, *mine)
    row = session.scalars(query).one_or_none()
    if row is None:
        raise RoleUnknown(_UNKNOWN)
    return row


def _own(actor: Actor) -> UUID:
    return actor.organisation_id or UUID(int=0)


def _out(row: CustomRole) -> CustomRoleOut:
    name = write_name(Role(row.base), frozenset(row.removed))
    return CustomRoleOut(
        id=row.id,
        name=row.name,
        base=row.base,
        removed=list(row.removed),
        assigned_as=f"{CUSTOM}{row.id}",
        means=name,
        changed_at=row.changed_at,
    )
