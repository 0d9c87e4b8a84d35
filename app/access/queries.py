"""Reads, in the tenant's own transaction, which roles an actor has there, and whether there is room for one more.

Revocation acts at once (DESIGN 5), and so does a lowered limit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.access.decisions import limited
from app.access.limits import Limit, LimitReached
from app.access.rights import DelegationView, effective_roles, home_roles
from app.kernel.actor import Actor
from app.kernel.work import Work
from tenants.tenant import Tenant

# One round trip: the member row, if there is one, beside every delegation of the actor's organisation. The member
# table is identity's; a join by name keeps this at one query without borrowing its model.
_ASKED = """
    SELECT m.role AS member_role, d.id, d.roles, d.starts_at, d.ends_at, d.state
    FROM (SELECT CAST(:person AS uuid) AS person_id) who
    LEFT JOIN member m ON m.person_id = who.person_id AND m.state NOT IN ('removed', 'disabled')
    LEFT JOIN delegation d ON d.organisation_id = CAST(:organisation AS uuid) AND d.state = 'active'
"""
_GRANTS = text(_ASKED)
_GRANTS_BARE = _ASKED.replace(":person", "%(person)s").replace(":organisation", "%(organisation)s").encode()


def load_rights(session: Session, tenant: Tenant, actor: Actor, now: datetime) -> frozenset[str]:
    """The names of the roles this actor has in this tenant now; none for one who has no business here.

    In a home: what is assigned in its organisation. In a customer's tenant: the member row's role, and those of the
    partner's assigned roles that an open delegation shares. A service account stands here as a person does, and is
    limited to its token's scopes. `now` is the database's clock. Jobs have no rights of their own: what they call is
    listed as system-only.
    """
    if (known := _without_asking(tenant, actor)) is not None:
        return known
    values = {"person": actor.id, "organisation": actor.organisation_id if actor.roles else None}
    rows = session.execute(_GRANTS, values).all()
    return _decide([tuple(row) for row in rows], actor, now)


def read_rights(cursor: psycopg.Cursor[Any], tenant: Tenant, actor: Actor, now: datetime) -> frozenset[str]:
    """The same on a bare cursor in the tenant's scope, for budgeted reads."""
    if (known := _without_asking(tenant, actor)) is not None:
        return known
    values = {"person": actor.id, "organisation": actor.organisation_id if actor.roles else None}
    rows = cursor.execute(_GRANTS_BARE, values).fetchall()
    return _decide(rows, actor, now)


def _without_asking(tenant: Tenant, actor: Actor) -> frozenset[str] | None:
    """The roles where no row of the tenant has a say; None where one has."""
    if actor.kind == "job":
        return frozenset()
    if tenant.kind == "home":
        return home_rights(actor) if actor.organisation_id == tenant.organisation_id else frozenset()
    return None


def home_rights(actor: Actor) -> frozenset[str]:
    """What decides in the actor's own organisation: the roles assigned there, within a token's scopes."""
    return limited(home_roles(actor.roles), actor.only)


def _decide(rows: Sequence[tuple[Any, ...]], actor: Actor, now: datetime) -> frozenset[str]:
    delegations = [
        DelegationView(frozenset(roles), starts, ends, state, id_)
        for _member, id_, roles, starts, ends, state in rows
        if id_
    ]
    return limited(effective_roles(rows[0][0], actor.roles, delegations, now), actor.only)


def ensure_room(work: Work, limit: Limit, count: Callable[[], int]) -> None:
    """Go on only if one more is allowed; `count` says how many there are, in the tenant's transaction.

    Raises LimitReached. What runs already stays when a limit is lowered.
    """
    said = work.session.execute(_LIMITS, {"limit": limit}).scalar_one_or_none()
    if said is None:
        return
    work.session.execute(_LOCK, {"limit": f"limit:{limit}:"})
    most, held = int(said), count()
    if held >= most:
        raise LimitReached(limit, most=most, held=held)


# The lock is of the tenant and the limit: two who begin at once are counted one after the other.
_LIMITS = text("SELECT cell.limits() ->> :limit")
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:limit || current_schema(), 0))")
