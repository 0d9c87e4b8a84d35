"""Reads, in the tenant's own transaction, which roles an actor has there: revocation acts at once (DESIGN 5)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.access.rights import DelegationView, effective_roles, home_roles
from app.kernel.actor import Actor
from tenants.tenant import Tenant

# One round trip: the member row, if there is one, beside every delegation of the actor's organisation. The member
# table is identity's; a join by name keeps this at one query without borrowing its model.
_GRANTS = text("""
    SELECT m.role AS member_role, d.id, d.roles, d.starts_at, d.ends_at, d.state
    FROM (SELECT CAST(:person AS uuid) AS person_id) who
    LEFT JOIN member m ON m.person_id = who.person_id AND m.state <> 'removed'
    LEFT JOIN delegation d ON d.organisation_id = CAST(:organisation AS uuid) AND d.state = 'active'
""")


def load_rights(session: Session, tenant: Tenant, actor: Actor, now: datetime) -> frozenset[str]:
    """The names of the roles this actor has in this tenant now; none for one who has no business here.

    In a home: what is assigned in its organisation. In a customer's tenant: the member row's role, and those of the
    partner's assigned roles that an open delegation shares. `now` is the database's clock. Jobs have no rights of their
    own: what they call is listed as system-only.
    """
    if actor.kind != "person":
        return frozenset()
    of_this_partner = actor.organisation_id == tenant.organisation_id
    if tenant.kind == "home":
        return home_roles(actor.roles) if of_this_partner else frozenset()
    organisation = actor.organisation_id if actor.roles else None
    rows = session.execute(_GRANTS, {"person": actor.id, "organisation": organisation}).all()
    delegations = [
        DelegationView(frozenset(row.roles), row.starts_at, row.ends_at, row.state, row.id) for row in rows if row.id
    ]
    return effective_roles(rows[0].member_role, actor.roles, delegations, now)
