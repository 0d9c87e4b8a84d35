"""A partner's own roles: one of ours with permissions taken away, never more. A change acts on the next request.

The home's trail is written first, the row in `control` follows at once and, should that fail, by a job of the same
event: the latest definition wins, whichever comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from app.access.decisions import permissions_of
from app.access.models import CustomRole
from app.access.permissions import Permission
from app.access.policy.names import allowed_by, write_name
from app.access.queries.custom_roles import find_home_of, get_custom_role, list_holders
from app.access.require import require
from app.access.roles import PARTNER_ROLES, Role
from app.access.schemas import CustomRoleOut, CustomRoleWish
from app.kernel.actor import Actor
from app.kernel.errors import Conflict, Forbidden, Invalid
from app.kernel.events import Event
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.kernel.work import open_work
from app.web.translations import mark
from tenants.sessions import partner_session

SYSTEM_ONLY = {"put_definition": "follows the home's commit; called by the operations here and by their job"}


class RoleUnusable(Invalid):
    """A role of one's own takes permissions away from one of the partner's roles, and at least one."""


class RoleTooWide(Forbidden):
    """The role would contain something that its author does not hold."""


class RoleInUse(Conflict):
    """Somebody holds the role: take it from them first."""


@dataclass(frozen=True, kw_only=True)
class RoleDefined(Event):
    """A partner made a role of its own, or changed one."""

    type: ClassVar[str] = "access.role.defined"
    subject_kind: ClassVar[str] = "role"

    before: dict[str, object] | None
    after: dict[str, object]


@dataclass(frozen=True, kw_only=True)
class RoleRemoved(Event):
    """A partner removed a role of its own."""

    type: ClassVar[str] = "access.role.removed"
    subject_kind: ClassVar[str] = "role"

    before: dict[str, object]


def define_role(
    runtime: Runtime,
    actor: Actor,
    wish: CustomRoleWish,
    *,
    trace_id: str,
    role_id: UUID | None = None,
    made_as: UUID | None = None,
) -> CustomRoleOut:
    """Make a role, or change the one of that id; its holders' next requests go by the new definition.

    `made_as` is the id of a new one. Raises NotPermitted, StepUpNeeded, RoleUnusable, RoleTooWide, RoleUnknown.
    """
    before = get_custom_role(runtime, actor, role_id) if role_id else None
    base, removed = _checked(wish)
    with open_work(runtime, find_home_of(runtime, actor), actor, trace_id=trace_id) as work:
        require(work, Permission.ROLE_DEFINE)
        if not permissions_of(frozenset({write_name(base, removed)})) <= permissions_of(work.rights):
            raise RoleTooWide(mark("Take away what you may not do yourself: nobody can give what they do not hold."))
        after: dict[str, object] = {"name": wish.name.strip(), "base": str(base), "removed": sorted(removed)}
        event = RoleDefined(
            subject_id=role_id or made_as or new_id(), before=_facts(before) if before else None, after=after
        )
        work.announce(event)
        at = work.now
    put_definition(runtime, find_home_of(runtime, actor).organisation_id, event.subject_id, after, at=at)
    return get_custom_role(runtime, actor, event.subject_id)


def remove_role(runtime: Runtime, actor: Actor, role_id: UUID, *, trace_id: str) -> None:
    """Remove a role that nobody holds; assigned at this very moment, it grants nothing.

    Raises NotPermitted, StepUpNeeded, RoleUnknown, RoleInUse, which says who holds it.
    """
    role = get_custom_role(runtime, actor, role_id)
    home = find_home_of(runtime, actor)
    with open_work(runtime, home, actor, trace_id=trace_id) as work:
        require(work, Permission.ROLE_DEFINE)
        if holders := list_holders(runtime, actor, role_id):
            error = RoleInUse(mark("People hold this role. Give them another one first, then remove it."))
            error.extensions = {"held_by": ", ".join(holders)}
            raise error
        facts = _facts(role)
        work.announce(RoleRemoved(subject_id=role_id, before=facts))
        at = work.now
    put_definition(runtime, home.organisation_id, role_id, facts, at=at, ended=True)


def put_definition(
    runtime: Runtime,
    organisation_id: UUID,
    role_id: UUID,
    facts: dict[str, object],
    *,
    at: datetime,
    ended: bool = False,
) -> None:
    """Write the row as it was defined at that moment, or removed; what came later and is there already stays."""
    named = {name: facts[name] for name in ("name", "base", "removed")} | {"ended_at": at if ended else None}
    with partner_session(runtime.databases, organisation_id, actor="access") as (session, _now):
        row = insert(CustomRole).values(id=role_id, organisation_id=organisation_id, made_at=at, changed_at=at, **named)
        newer = CustomRole.changed_at < at
        changed = {**named, "changed_at": at}
        session.execute(row.on_conflict_do_update(index_elements=["id"], set_=changed, where=newer))


def _checked(wish: CustomRoleWish) -> tuple[Role, frozenset[str]]:
    told = mark("Choose one of the partner's roles, and at least one permission of it that is taken away.")
    if wish.base not in {str(role) for role in PARTNER_ROLES - {Role.NO_DECISIONS}}:
        raise RoleUnusable(told, errors=[("/base", told)])
    base, removed = Role(wish.base), frozenset(wish.removed)
    if not removed or not removed <= allowed_by(base):
        raise RoleUnusable(told, errors=[("/removed", told)])
    return base, removed


def _facts(role: CustomRoleOut) -> dict[str, object]:
    return {"name": role.name, "base": role.base, "removed": list(role.removed)}
