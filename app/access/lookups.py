"""What access asks `control` for outside an organisation's scope, and how a partner's own roles are read there."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from tenants.metadata import control_function

# Where assignments are read, `a` is the assignment: joined so, and named so, a partner's own role becomes a name that
# says itself what is taken away (`app.access.policy.names`), as it is defined at this moment. One that is
# gone, or that stands in another branch of the tree, is NULL, and grants nothing.
OWN_ROLE_JOIN = """
    LEFT JOIN control.custom_role own ON a.role LIKE 'custom:%' AND a.role = 'custom:' || own.id
        AND own.ended_at IS NULL
        AND EXISTS (SELECT FROM control.org_edge defined
                    WHERE defined.ancestor_id = own.organisation_id AND defined.descendant_id = a.organisation_id)"""
ROLE_NAME = """CASE WHEN a.role NOT LIKE 'custom:%' THEN a.role ELSE own.base || COALESCE(
        (SELECT string_agg('!' || taken.name, '' ORDER BY taken.name)
         FROM jsonb_array_elements_text(own.removed) AS taken(name)), '') END"""


def ceilings(organisation: str) -> str:
    """SQL of what the root granted an organisation and each one above it: rows of one `name` each, none without limit.

    Whoever acts for the organisation, a person or software, brings these names beside its roles. `organisation` is a
    SQL expression.
    """
    return f"""
    SELECT 'within=' || COALESCE((SELECT string_agg(granted.name, '=' ORDER BY granted.name)
        FROM jsonb_array_elements_text(o.limits -> 'roles') AS granted(name)), '') AS name
    FROM control.organisation o JOIN control.org_edge up ON up.ancestor_id = o.id
    WHERE up.descendant_id = {organisation} AND jsonb_typeof(o.limits -> 'roles') = 'array'"""  # noqa: S608 - expressions of our own


def roles_held(person: str, organisation: str, *, among: str = "true") -> str:
    """SQL of all names of roles (text[]) that a person holds in an organisation, by assignment there or above it.

    With what the root granted that organisation, and each one above it, as names of their own. `person`,
    `organisation` and the condition `among`, over the assignment `a`, are SQL expressions. Empty for who is assigned
    nothing.
    """
    return f"""ARRAY(
    WITH named AS (
        SELECT {ROLE_NAME} AS name FROM control.assignment a
        JOIN control.org_edge e ON e.ancestor_id = a.organisation_id {OWN_ROLE_JOIN}
        WHERE a.person_id = {person} AND e.descendant_id = {organisation} AND {among})
    SELECT named.name FROM named WHERE named.name IS NOT NULL
    UNION
    SELECT granted.name FROM ({ceilings(organisation)}) granted
    WHERE EXISTS (SELECT FROM named WHERE named.name IS NOT NULL)
    ORDER BY 1)"""  # noqa: S608 - expressions of our own


# A line follows the tenant's row and never goes back: the version decides, whichever news comes first.
control_function(
    "follow_delegations",
    arguments="p_tenant uuid, p_rows jsonb",
    returns="void",
    body="""
    INSERT INTO control.delegation_index AS known (id, tenant_id, organisation_id, kind, state, roles, reason,
        starts_at, ends_at, requested_at, renewal_of, version)
    SELECT r.id, p_tenant, r.organisation_id, r.kind, r.state, r.roles, r.reason, r.starts_at, r.ends_at,
        r.requested_at, r.renewal_of, r.version
    FROM jsonb_to_recordset(p_rows) AS r(id uuid, organisation_id uuid, kind text, state text, roles jsonb, reason text,
        starts_at timestamptz, ends_at timestamptz, requested_at timestamptz, renewal_of uuid, version int)
    WHERE EXISTS (SELECT FROM control.tenant t WHERE t.id = p_tenant AND t.state <> 'dropped')
    ON CONFLICT (id) DO UPDATE SET state = EXCLUDED.state, roles = EXCLUDED.roles, starts_at = EXCLUDED.starts_at,
        ends_at = EXCLUDED.ends_at, version = EXCLUDED.version
    WHERE known.version < EXCLUDED.version AND known.tenant_id = EXCLUDED.tenant_id""",
)
control_function(
    "name_organisations",
    arguments="p_ids uuid[]",
    returns="TABLE (id uuid, name text)",
    body="SELECT o.id, o.name FROM control.organisation o WHERE o.id = ANY(p_ids)",
)


control_function(
    "explain_assignments",
    arguments="p_person uuid, p_organisation uuid",
    returns="TABLE (organisation text, role text, own_name text, means text)",
    body=f"""
    SELECT o.name, a.role, own.name, {ROLE_NAME} FROM control.assignment a
    JOIN control.org_edge e ON e.ancestor_id = a.organisation_id
    JOIN control.organisation o ON o.id = a.organisation_id {OWN_ROLE_JOIN}
    WHERE a.person_id = p_person AND e.descendant_id = p_organisation
    UNION ALL
    SELECT o.name, NULL, NULL, 'within=' || COALESCE((SELECT string_agg(granted.name, '=' ORDER BY granted.name)
        FROM jsonb_array_elements_text(o.limits -> 'roles') AS granted(name)), '')
    FROM control.organisation o JOIN control.org_edge up ON up.ancestor_id = o.id
    WHERE up.descendant_id = p_organisation AND jsonb_typeof(o.limits -> 'roles') = 'array'""",  # noqa: S608 - constants
)


def follow_delegations(session: Session, tenant_id: UUID, rows: str) -> None:
    """Bring the index's lines of a tenant up to what its rows (JSON) say; in a lookup scope."""
    values = {"tenant": tenant_id, "rows": rows}
    session.execute(text("SELECT control.follow_delegations(:tenant, CAST(:rows AS jsonb))"), values)
