"""A partner's own roles: one of ours with permissions taken away, never more. A change acts on the next request.

The home's trail is written first, the row in `control` follows at once and, should that fail, by a job of the same
event: the latest definition wins, whichever comes first. Changes of one role wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.access.decisions import permissions_of
from app.access.models import CustomRole
from app.access.permissions import Permission
from app.access.policy.names import allowed_by, write_name
from app.access.queries.custom_roles import (
    MOST_ROLES,
    count_roles,
    find_home_of,
    find_role,
    read_holders,
    show,
    version_tag,
)
from app.access.require import require
from app.access.roles import PARTNER_ROLES, Role
from app.access.schemas import CustomRoleOut, CustomRoleWish
from app.kernel.actor import Actor
from app.kernel.errors import Conflict, Forbidden, Invalid
from app.kernel.events import Event
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.kernel.work import Work, open_work
from app.web.translations import mark
from tenants.sessions import partner_session
from tenants.tenant import Tenant

SYSTEM_ONLY = {"put_definition": "follows the home's commit; called by the operations here and by their job"}
ANY_VERSION = frozenset({"*"})
Facts = dict[str, Any]
Run = Callable[[Callable[[Work], Facts]], Facts]  # runs an operation in the home; of a form, once for its key
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:role, 11))")


class RoleUnusable(Invalid):
    """A role of one's own takes permissions away from one of the partner's roles, and at least one."""


class RoleTooWide(Forbidden):
    """The role would contain something that its author does not hold."""


class RoleStale(Conflict):
    """The role has changed since it was read."""

    status = 412


class RoleInUse(Conflict):
    """Somebody holds the role: take it from them first."""


class TooManyRoles(Conflict):
    """There are as many roles of one's own as a list of them shows."""


class RoleDefined(Event, frozen=True, kw_only=True):
    """A partner made a role of its own, or changed one."""

    type: ClassVar[str] = "access.role.defined"
    subject_kind: ClassVar[str] = "role"

    before: dict[str, object] | None
    after: dict[str, object]


class RoleRemoved(Event, frozen=True, kw_only=True):
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
    versions: frozenset[str] = ANY_VERSION,
    run: Run | None = None,
) -> CustomRoleOut:
    """Make a role, or change the one of that id; its holders' next requests go by the new definition.

    `made_as` is the id of a new one; `versions` are tags of the one that was read, or `*`. Raises NotPermitted,
    StepUpNeeded, RoleUnusable, RoleTooWide, RoleUnknown, RoleStale, TooManyRoles.
    """
    home = find_home_of(runtime, actor)
    with _turn(runtime, home, role_id) as session:

        def defining(work: Work) -> Facts:
            _require_right(work)
            before = _find_before(session, actor, role_id, versions)
            after = _narrowed(work, wish)
            event = RoleDefined(subject_id=role_id or made_as or new_id(), before=before, after=after)
            work.announce(event)
            return {"id": str(event.subject_id), "at": work.now.isoformat(), "facts": after}

        made = (run or _running(runtime, home, actor, trace_id))(defining)
        _put(session, home.organisation_id, made, ended_at=None)
        return show(find_role(session, actor, UUID(made["id"])))


def remove_role(runtime: Runtime, actor: Actor, role_id: UUID, *, trace_id: str, run: Run | None = None) -> None:
    """Remove a role that nobody holds; assigned at this very moment, it grants nothing.

    Raises NotPermitted, StepUpNeeded, RoleUnknown, RoleInUse, which says who holds it.
    """
    home = find_home_of(runtime, actor)
    with _turn(runtime, home, role_id) as session:

        def removing(work: Work) -> Facts:
            _require_right(work)
            facts = _facts(find_role(session, actor, role_id))
            if held := read_holders(session, role_id):
                error = RoleInUse(mark("People hold this role. Give them another one first, then remove it."))
                error.extensions = {"held_by": ", ".join(held[role_id].names)}
                raise error
            work.announce(RoleRemoved(subject_id=role_id, before=facts))
            return {"id": str(role_id), "at": work.now.isoformat(), "facts": facts}

        gone = (run or _running(runtime, home, actor, trace_id))(removing)
        _put(session, home.organisation_id, gone, ended_at=gone["at"])


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
    told = {"id": str(role_id), "at": at.isoformat(), "facts": facts}
    with partner_session(runtime.databases, organisation_id, actor="access") as (session, _now):
        _put(session, organisation_id, told, ended_at=told["at"] if ended else None)


def _put(session: Session, organisation_id: UUID, told: Facts, *, ended_at: object) -> None:
    at = datetime.fromisoformat(told["at"])
    named = {name: told["facts"][name] for name in ("name", "base", "removed")} | {"ended_at": at if ended_at else None}
    own = {"id": UUID(told["id"]), "organisation_id": organisation_id, "made_at": at, "changed_at": at}
    row = insert(CustomRole).values(**own, **named)
    changed = {**named, "changed_at": at}
    session.execute(row.on_conflict_do_update(index_elements=["id"], set_=changed, where=CustomRole.changed_at < at))


@contextmanager
def _turn(runtime: Runtime, home: Tenant, role_id: UUID | None) -> Iterator[Session]:
    """`control`, in the organisation's scope, after whoever changes the role just now; new ones wait for each other."""
    with partner_session(runtime.databases, home.organisation_id, actor="access") as (session, _now):
        session.execute(_LOCK, {"role": str(role_id or home.organisation_id)})
        yield session


def _running(runtime: Runtime, home: Tenant, actor: Actor, trace_id: str) -> Run:
    def run(operation: Callable[[Work], Facts]) -> Facts:
        with open_work(runtime, home, actor, trace_id=trace_id) as work:
            return operation(work)

    return run


def _require_right(work: Work) -> None:
    require(work, Permission.TENANT_READ)  # what is answered shows the role
    require(work, Permission.ROLE_DEFINE)


def _find_before(session: Session, actor: Actor, role_id: UUID | None, versions: frozenset[str]) -> Facts | None:
    """What the role is until now; there is room for one more where it is new."""
    if role_id is None:
        if count_roles(session, actor) >= MOST_ROLES:
            raise TooManyRoles(mark("There are two hundred roles of your own. Remove one that nobody holds."))
        return None
    role = find_role(session, actor, role_id)
    if not versions & {"*", version_tag(show(role))}:
        raise RoleStale(mark("The role has changed since you read it. Read it again, then change it."))
    return _facts(role)


def _narrowed(work: Work, wish: CustomRoleWish) -> Facts:
    base, removed = _checked(wish)
    if not permissions_of(frozenset({write_name(base, removed)})) <= permissions_of(work.rights):
        raise RoleTooWide(mark("Take away what you may not do yourself: nobody can give what they do not hold."))
    return {"name": wish.name.strip(), "base": str(base), "removed": sorted(removed)}


def _checked(wish: CustomRoleWish) -> tuple[Role, frozenset[str]]:
    told = mark("Choose one of the partner's roles, and at least one permission of it that is taken away.")
    if wish.base not in {str(role) for role in PARTNER_ROLES - {Role.NO_DECISIONS}}:
        raise RoleUnusable(told, errors=[("/base", told)])
    base, removed = Role(wish.base), frozenset(wish.removed)
    if not removed or not removed <= allowed_by(base):
        raise RoleUnusable(told, errors=[("/removed", told)])
    return base, removed


def _facts(role: CustomRole) -> Facts:
    return {"name": role.name, "base": role.base, "removed": list(role.removed)}
