"""Somebody of a partner's staff who is not here: as the actor that their own next request would bring.

For work that is done later in the name of a person: what was taken from them meanwhile they do not have any more.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text

from app.access.queries.explaining import explain_assignments
from app.kernel.actor import Actor
from app.kernel.runtime import Runtime
from tenants.sessions import lookup_session, partner_session

# The groups are identity's rows, by name, since identity stands above: the organisation's own, as decisions take them.
_GROUPS = text("""
    SELECT m.group_id FROM control.staff_group_member m JOIN control.staff_group g ON g.id = m.group_id
    WHERE m.person_id = :person AND g.organisation_id = :organisation AND g.tenant_id IS NULL""")


def find_staff(runtime: Runtime, person_id: UUID, name: str, organisation_id: UUID) -> Actor:
    """The person with the roles and groups of this moment, none for who has left; asked before a tenant is entered."""
    with lookup_session(runtime.databases) as (session, _now):
        assigned = explain_assignments(session, person_id, organisation_id)
    if not any(one.role is not None and one.means is not None for one in assigned):
        return Actor("person", person_id, name)
    with partner_session(runtime.databases, organisation_id, actor=f"person:{person_id}") as (session, _now):
        groups = session.scalars(_GROUPS, {"person": person_id, "organisation": organisation_id}).all()
    roles = frozenset(one.means for one in assigned if one.means is not None)
    return Actor("person", person_id, name, organisation_id=organisation_id, roles=roles, groups=frozenset(groups))
