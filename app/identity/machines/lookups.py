"""What `control` is asked when software shows a credential or a token: before any scope is known, on its own clock.

Secrets and tokens never come here, only their hashes; every answer is bound to the organisation whose host was asked.
"""

from __future__ import annotations

from app.access.lookups import ceilings
from tenants.metadata import control_function

# An account that acts, with a credential that is good now: what it held a moment ago and lost counts for nothing.
_CEILINGS = ceilings("COALESCE(t.organisation_id, p_organisation)")
_LIVE = "a.state = 'active' AND c.ended_at IS NULL AND c.expires_at > now()"

control_function(
    "find_client",
    arguments="p_account uuid, p_organisation uuid",
    returns="TABLE (credential_id uuid, kind text, digest bytea, jwk jsonb, scopes jsonb, at timestamptz)",
    body=f"""
    SELECT c.id, c.kind, c.digest, c.jwk, a.scopes, now() FROM control.service_account a
    JOIN control.service_credential c ON c.account_id = a.id
    WHERE a.id = p_account AND a.organisation_id = p_organisation AND {_LIVE} ORDER BY c.made_at DESC""",  # noqa: S608 - constants above
)
# Two at once: the second waits at the key for the first, and finds it used.
control_function(
    "use_assertion",
    arguments="p_account uuid, p_digest bytea, p_until timestamptz",
    returns="boolean",
    body="""
    WITH put AS (
        INSERT INTO control.used_jti (account_id, digest, expires_at) VALUES (p_account, p_digest, p_until)
        ON CONFLICT DO NOTHING RETURNING 1)
    SELECT EXISTS (SELECT FROM put)""",
)
control_function(
    "issue_token",
    arguments=(
        "p_token_hash bytea, p_account uuid, p_credential uuid, p_organisation uuid, p_scopes jsonb,"
        " p_lifetime interval"
    ),
    returns="interval",
    body=f"""
    UPDATE control.service_credential c SET used_at = now()
    WHERE c.id = p_credential AND (c.used_at IS NULL OR c.used_at < now() - interval '1 minute');
    INSERT INTO control.access_token
        (token_hash, account_id, credential_id, organisation_id, scopes, made_at, expires_at)
    SELECT p_token_hash, a.id, c.id, p_organisation, p_scopes, now(), least(now() + p_lifetime, c.expires_at)
    FROM control.service_account a JOIN control.service_credential c ON c.account_id = a.id
    WHERE a.id = p_account AND c.id = p_credential AND a.organisation_id = p_organisation AND {_LIVE}
    RETURNING expires_at - now()""",  # noqa: S608 - constants above
)
# Whose token it is; ended only when it is the asking account's own.
control_function(
    "revoke_token",
    arguments="p_token_hash bytea, p_account uuid, p_organisation uuid",
    returns="uuid",
    body="""
    UPDATE control.access_token k SET ended_at = now()
    WHERE k.token_hash = p_token_hash AND k.account_id = p_account AND k.ended_at IS NULL;
    SELECT k.account_id FROM control.access_token k
    WHERE k.token_hash = p_token_hash AND k.organisation_id = p_organisation""",
)
# A tenant's account knows one tenant: its own. A partner's has the roles it holds there in its home, and in customers'
# tenants below it as far as their delegations go: that is asked in the tenant's own transaction.
control_function(
    "find_bearer",
    arguments="p_token_hash bytea, p_organisation uuid, p_tenant uuid",
    returns=(
        "TABLE (account_id uuid, account_name text, roles jsonb, scopes jsonb, token_scopes jsonb, tenant_id uuid,"
        " tenant_organisation uuid, kind text, tenant_name text, cell_name text, schema_name text, role_name text,"
        " gateway int, state text)"
    ),
    body=f"""
    WITH held AS (
        SELECT a.id, a.name, CASE WHEN own.kind = 'home' THEN a.roles ELSE '[]' END AS roles, a.scopes,
            k.scopes AS token_scopes, a.tenant_id, a.organisation_id, a.used_at, own.kind
        FROM control.access_token k JOIN control.service_account a ON a.id = k.account_id
        JOIN control.service_credential c ON c.id = k.credential_id
        JOIN control.tenant own ON own.id = a.tenant_id
        WHERE k.token_hash = p_token_hash AND k.organisation_id = p_organisation AND k.ended_at IS NULL
          AND k.expires_at > now() AND a.organisation_id = p_organisation AND {_LIVE}),
    used AS (
        UPDATE control.service_account a SET used_at = now() FROM held
        WHERE a.id = held.id AND (held.used_at IS NULL OR held.used_at < now() - interval '1 minute'))
    SELECT held.id, held.name, CASE WHEN held.roles = '[]' THEN held.roles ELSE held.roles || (
            SELECT COALESCE(jsonb_agg(granted.name), '[]')
            FROM ({_CEILINGS}) granted) END,
        held.scopes, held.token_scopes, t.id, t.organisation_id, t.kind, t.name,
        t.cell_name, t.schema_name, t.role_name, t.gateway, t.state
    FROM held LEFT JOIN control.tenant t ON t.id = p_tenant AND t.schema_name IS NOT NULL AND (
        t.id = held.tenant_id
        OR held.kind = 'home' AND EXISTS (SELECT FROM control.org_edge below
            WHERE below.ancestor_id = held.organisation_id AND below.descendant_id = t.organisation_id))""",  # noqa: S608 - constants above
)
# In this order, since each is referred to by the one before.
control_function(
    "forget_stale_machines",
    arguments="",
    returns="bigint",
    body="""
    DELETE FROM control.used_jti WHERE expires_at < now();
    DELETE FROM control.access_token WHERE expires_at < now();
    DELETE FROM control.service_credential c WHERE COALESCE(c.ended_at, c.expires_at) < now() - interval '30 days'
        AND NOT EXISTS (SELECT FROM control.access_token k WHERE k.credential_id = c.id);
    DELETE FROM control.service_account a WHERE a.state = 'removed' AND a.changed_at < now() - interval '30 days'
        AND NOT EXISTS (SELECT FROM control.service_credential c WHERE c.account_id = a.id)
        AND NOT EXISTS (SELECT FROM control.used_jti j WHERE j.account_id = a.id);
    SELECT count(*) FROM control.access_token""",
)
# Of a tenant that is gone for good, by whoever forgets the tenant itself.
control_function(
    "forget_machines_of",
    arguments="p_tenant uuid",
    returns="void",
    body="""
    DELETE FROM control.used_jti j USING control.service_account a WHERE a.id = j.account_id AND a.tenant_id = p_tenant;
    DELETE FROM control.access_token k USING control.service_account a
        WHERE a.id = k.account_id AND a.tenant_id = p_tenant;
    DELETE FROM control.service_credential c USING control.service_account a
        WHERE a.id = c.account_id AND a.tenant_id = p_tenant;
    DELETE FROM control.service_account a WHERE a.tenant_id = p_tenant""",
)
