"""Reads a partner's own roles, and who holds them. In the organisation's scope of `control`."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, text
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

MOST_ROLES = 200  # of one organisation's own
_UNKNOWN = mark("There is no such role of your organisation.")
# Assignments and people are identity's rows; by name, since identity stands above.
_HOLDERS = text("""
    SELECT role, name, held FROM (
        SELECT a.role, p.name, count(*) OVER (PARTITION BY a.role) AS held,
            row_number() OVER (PARTITION BY a.role ORDER BY p.name, p.id) AS place
        FROM control.assignment a JOIN control.person p ON p.id = a.person_id
        WHERE a.role LIKE 'custom:%' AND (CAST(:role AS text) IS NULL OR a.role = :role)) found
    WHERE place <= 20 ORDER BY role, place""")


class RoleUnknown(Missing):
    """There is no such role of this organisation."""


@dataclass(frozen=True, slots=True)
class Holders:
    """Who holds a role: the first twenty by name, and how many there are."""

    names: tuple[str, ...] = ()
    total: int = 0


def list_custom_roles(runtime: Runtime, actor: Actor) -> CustomRoleList:
    """The organisation's own roles, by name. Raises NotPermitted."""
    require(AtWork(staff_rights(actor), actor), Permission.TENANT_READ)
    with partner_session(runtime.databases, _own(actor), actor=actor.label) as (session, _now):
        mine = (CustomRole.organisation_id == actor.organisation_id, CustomRole.ended_at.is_(None))
        query = select(CustomRole).where(*mine).order_by(CustomRole.name, CustomRole.id)
        return CustomRoleList([show(row) for row in session.scalars(query.limit(MOST_ROLES))])


def get_custom_role(runtime: Runtime, actor: Actor, role_id: UUID) -> CustomRoleOut:
    """One of them. Raises NotPermitted, RoleUnknown."""
    require(AtWork(staff_rights(actor), actor), Permission.TENANT_READ)
    with partner_session(runtime.databases, _own(actor), actor=actor.label) as (session, _now):
        return show(find_role(session, actor, role_id))


def find_custom_role(runtime: Runtime, actor: Actor, role_id: UUID) -> CustomRoleOut | None:
    """One of them, or None. Raises NotPermitted."""
    try:
        return get_custom_role(runtime, actor, role_id)
    except RoleUnknown:
        return None


def list_holders(runtime: Runtime, actor: Actor) -> dict[UUID, Holders]:
    """Who holds which of the organisation's own roles, by the role's id; nobody's are left out. Raises NotPermitted."""
    require(AtWork(staff_rights(actor), actor), Permission.TENANT_READ)
    with partner_session(runtime.databases, _own(actor), actor=actor.label) as (session, _now):
        return read_holders(session)


def read_holders(session: Session, role_id: UUID | None = None) -> dict[UUID, Holders]:
    """The same, of one role or of all, in the organisation's scope of `control`."""
    found: dict[UUID, Holders] = {}
    for row in session.execute(_HOLDERS, {"role": f"{CUSTOM}{role_id}" if role_id else None}):
        one = UUID(row.role.removeprefix(CUSTOM))
        found[one] = Holders((*(found[one].names if one in found else ()), row.name), row.held)
    return found


def find_home_of(runtime: Runtime, actor: Actor) -> Tenant:
    """The home of the actor's organisation. Raises RoleUnknown for who has none."""
    with lookup_session(runtime.databases, actor=actor.label) as (session, _now):
        home = find_home(session, _own(actor))
    if home is None:
        raise RoleUnknown(_UNKNOWN)
    return home


def find_role(session: Session, actor: Actor, role_id: UUID) -> CustomRole:
    """One of the organisation's own roles, in its scope of `control`. Raises RoleUnknown."""
    mine = (CustomRole.organisation_id == actor.organisation_id, CustomRole.ended_at.is_(None))
    query = select(CustomRole).where(CustomRole.id == role_id, *mine)
    row = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise RoleUnknown(_UNKNOWN)
    return row


def count_roles(session: Session, actor: Actor) -> int:
    """How many roles of its own the organisation has, in its scope of `control`."""
    mine = (CustomRole.organisation_id == actor.organisation_id, CustomRole.ended_at.is_(None))
    return session.scalar(select(func.count()).select_from(CustomRole).where(*mine)) or 0


def version_tag(role: CustomRoleOut) -> str:
    """The ETag of a role's definition."""
    return f'"{role.id.hex[-12:]}-{role.changed_at.timestamp():.6f}"'


def _own(actor: Actor) -> UUID:
    return actor.organisation_id or UUID(int=0)


def show(row: CustomRole) -> CustomRoleOut:
    """The role as doors show it."""
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
