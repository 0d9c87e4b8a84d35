"""Explains a decision about somebody in a tenant: each row and rule that had a say. Reads more than a decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.access.decisions import can, permissions_of
from app.access.models import Delegation
from app.access.permissions import HIGH_IMPACT, Permission
from app.access.queries.delegations import at_home, show
from app.access.queries.rights import read_grants
from app.access.require import require
from app.access.rights import Grant, limited, names, shared_roles
from app.access.roles import CUSTOMER_ROLES, PARTNER_ROLES
from app.access.schemas import AssignedOut, ConsideredOut, ExplanationOut, GrantOut
from app.kernel.actor import Actor
from app.kernel.runtime import Runtime
from app.kernel.work import Work
from app.web.translations import mark
from tenants.sessions import lookup_session

if TYPE_CHECKING:  # Casbin is read by who explains: no worker needs it for its start
    from app.access.policy.explain import Explanation

_SHOWN: Final = 20  # delegations, the newest
_MAY: Final = mark("Allowed: a role that is held here includes it.")
_DENIED: Final = mark("Refused: one of the roles held takes this away, and that beats every role that allows it.")
_LIMITED: Final = mark("Refused: the role would allow it, but the token is limited to other permissions.")
_CLOSED: Final = mark(
    "Refused: there is access that would allow it, and it is not open now. Ask an owner of the workspace to open it."
)
_NO_ACCESS: Final = mark(
    "Refused: your organisation has no access here that allows it. Ask an owner of the workspace for it."
)
_OTHER_ROLE: Final = mark("Refused: no role that is held here includes it. Ask an administrator for one that does.")


@dataclass(frozen=True, slots=True)
class Assigned:
    """A role assigned in an organisation, and what it means now: none where its definition is gone.

    Without a role, `means` is what the root granted that organisation.
    """

    organisation: str
    role: str | None
    own_name: str | None
    means: str | None


def explain_assignments(session: Session, person_id: UUID, organisation_id: UUID) -> list[Assigned]:
    """All that is assigned to a person in the organisation or above it, and its ceilings; in a lookup scope."""
    query = text("SELECT * FROM control.explain_assignments(:person, :organisation)")
    return [Assigned(*row) for row in session.execute(query, {"person": person_id, "organisation": organisation_id})]


def find_assigned(runtime: Runtime, person_id: UUID, organisation_id: UUID) -> list[Assigned]:
    """What is assigned to the person in the tenant's organisation or above it; asked before the tenant is entered."""
    with lookup_session(runtime.databases) as (session, _now):
        return explain_assignments(session, person_id, organisation_id)


def rights_of(work: Work, person_id: UUID, assigned: Sequence[Assigned]) -> frozenset[str]:
    """The roles that somebody would have here if they came now: for what they may be told while they are away."""
    actor = _somebody(work, person_id, assigned)
    return limited(names(read_grants(work, actor)), actor)


def explain_decision(
    work: Work, permission: Permission, *, person_id: UUID | None = None, assigned: Sequence[Assigned] = ()
) -> ExplanationOut:
    """Why the reader, or with a right of its own somebody else, may do this here or may not. Raises NotPermitted."""
    actor = work.actor
    if person_id is not None and person_id != actor.id:
        require(work if work.rights else at_home(work), Permission.DECISION_EXPLAIN)
        actor = _somebody(work, person_id, assigned)
    grants = read_grants(work, actor)
    from app.access.policy.explain import explain

    told = explain(grants, permission)
    allowed = told.allowed and can(limited(names(grants), actor), permission)
    considered = _considered(work, actor, permission)
    side = CUSTOMER_ROLES if any(grant.source == "member" for grant in grants) or not actor.roles else PARTNER_ROLES
    return ExplanationOut(
        person=actor.id,
        permission=str(permission),
        allowed=allowed,
        step_up=permission in HIGH_IMPACT,
        rule=str(told.rule) if told.rule else None,
        decided_by=[_grant(grant) for grant in told.grants],
        holds=[_grant(grant) for grant in grants],
        assigned=[AssignedOut(one.organisation, one.role, one.own_name, one.means) for one in assigned],
        delegations=considered,
        roles_that_allow=sorted(str(role) for role in side if can(frozenset({str(role)}), permission)),
        told=_sentence(told, allowed=allowed, considered=considered, staff=bool(actor.roles)),
    )


def _somebody(work: Work, person_id: UUID, assigned: Sequence[Assigned]) -> Actor:
    """The person as their own next request would come."""
    roles = frozenset(one.means for one in assigned if one.means is not None)
    staff = any(one.role is not None and one.means is not None for one in assigned)
    actor = Actor("person", person_id, "")
    return replace(actor, organisation_id=work.tenant.organisation_id, roles=roles) if staff else actor


def _considered(work: Work, actor: Actor, permission: Permission) -> list[ConsideredOut]:
    if not actor.roles or work.tenant.kind == "home":
        return []
    mine = Delegation.organisation_id == actor.organisation_id
    rows = work.session.scalars(select(Delegation).where(mine).order_by(Delegation.id.desc()).limit(_SHOWN))
    shown = [show(row, work.database_now) for row in rows]
    return [
        ConsideredOut(
            id=one.id,
            state=one.state,
            starts_at=one.starts_at,
            ends_at=one.ends_at,
            roles=one.roles,
            would_allow=permission in permissions_of(shared_roles(actor.roles, frozenset(one.roles))),
        )
        for one in shown
    ]


def _grant(grant: Grant) -> GrantOut:
    return GrantOut(grant.role, grant.source, grant.delegation_id)  # type: ignore[arg-type]  # a grant knows no other


def _sentence(told: Explanation, *, allowed: bool, considered: Sequence[ConsideredOut], staff: bool) -> str:
    if allowed:
        return _MAY
    if told.allowed:
        return _LIMITED
    if told.rule is not None:
        return _DENIED
    if any(one.would_allow for one in considered):
        return _CLOSED
    return _NO_ACCESS if staff else _OTHER_ROLE
