"""What feeds ask `control` before any scope is known. Tokens never come here, only their hashes."""

from __future__ import annotations

from app.identity.lookups import ENTERED, GROUPS_OF_VISIT, WHO_VISITS
from tenants.metadata import control_function

# One for each person and tenant: a new one ends the one before.
control_function(
    "start_date_feed",
    arguments="p_token_hash bytea, p_session_hash bytea, p_organisation uuid, p_tenant uuid",
    returns="boolean",
    body="""
    INSERT INTO control.date_feed
        (token_hash, person_id, organisation_id, tenant_id, connection_id, reach_tenant_id, made_at)
    SELECT p_token_hash, s.person_id, s.organisation_id, p_tenant, s.connection_id, s.reach_tenant_id, now()
    FROM control.session s
    WHERE s.token_hash = p_session_hash AND s.organisation_id = p_organisation AND s.ended_at IS NULL
    ON CONFLICT (person_id, organisation_id, tenant_id) DO UPDATE SET token_hash = EXCLUDED.token_hash,
        connection_id = EXCLUDED.connection_id, reach_tenant_id = EXCLUDED.reach_tenant_id, made_at = now()
    RETURNING true""",
)
control_function(
    "end_date_feed",
    arguments="p_person uuid, p_organisation uuid, p_tenant uuid",
    returns="boolean",
    body="""
    DELETE FROM control.date_feed
    WHERE person_id = p_person AND organisation_id = p_organisation AND tenant_id = p_tenant RETURNING true""",
)
control_function(
    "read_date_feed",
    arguments="p_person uuid, p_organisation uuid, p_tenant uuid",
    returns="timestamptz",
    body="""
    SELECT f.made_at FROM control.date_feed f
    WHERE f.person_id = p_person AND f.organisation_id = p_organisation AND f.tenant_id = p_tenant""",
)
control_function(
    "find_feed_visit",
    arguments="p_token_hash bytea, p_organisation uuid",
    returns=(
        "TABLE (person_id uuid, email text, name text, locale text, roles text[], tenant_id uuid,"
        " tenant_organisation uuid, kind text, tenant_name text, cell_name text, schema_name text, role_name text,"
        " gateway int, state text, groups uuid[])"
    ),
    body=f"""
    SELECT {WHO_VISITS}, {GROUPS_OF_VISIT}
    FROM control.date_feed held JOIN control.person p ON p.id = held.person_id
    JOIN control.tenant t ON t.id = held.tenant_id AND {ENTERED}
    WHERE held.token_hash = p_token_hash AND held.organisation_id = p_organisation""",  # noqa: S608 - constants
)
control_function(
    "forget_feeds_of",
    arguments="p_tenant uuid",
    returns="void",
    body="DELETE FROM control.date_feed WHERE tenant_id = p_tenant",
)
