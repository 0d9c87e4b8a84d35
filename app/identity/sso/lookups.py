"""What sign-in by a provider asks `control` before any scope is known. All on the database's own clock."""

from __future__ import annotations

from tenants.metadata import control_function

_CONNECTION = (
    "id uuid, organisation_id uuid, tenant_id uuid, staff boolean, name text, issuer text, client_id text,"
    " has_secret boolean, required boolean, settings jsonb, ceiling jsonb, domains text[]"
)
_SELECT = """
    SELECT c.id, c.organisation_id, c.tenant_id, c.staff, c.name, c.issuer, c.client_id, c.has_secret, c.required,
        c.settings, c.ceiling, ARRAY(SELECT d.domain FROM control.sso_domain d WHERE d.connection_id = c.id)
    FROM control.sso_connection c"""

control_function(
    "find_sso_connection",
    arguments="p_connection uuid, p_organisation uuid",
    returns=f"TABLE ({_CONNECTION})",
    body=f"{_SELECT} WHERE c.id = p_connection AND c.organisation_id = p_organisation AND c.state = 'active'",
)
control_function(
    "find_sso_by_client",
    arguments="p_organisation uuid, p_issuer text, p_client_id text",
    returns=f"TABLE ({_CONNECTION})",
    body=f"""{_SELECT}
    WHERE c.organisation_id = p_organisation AND c.issuer = p_issuer AND c.client_id = p_client_id
      AND c.state = 'active' ORDER BY c.id""",
)
control_function(
    "list_sso_offers",
    arguments="p_organisation uuid, p_domain text",
    returns="TABLE (id uuid, name text)",
    body="""
    SELECT c.id, c.name FROM control.sso_connection c
    WHERE c.organisation_id = p_organisation AND c.state = 'active' AND (
        p_domain IS NULL AND c.staff
        OR EXISTS (SELECT FROM control.sso_domain d WHERE d.connection_id = c.id AND d.domain = p_domain
                     AND d.organisation_id = p_organisation AND d.confirmed_at IS NOT NULL))
    ORDER BY c.name, c.id LIMIT 20""",
)
control_function(
    "begin_sso",
    arguments="p_state_hash bytea, p_connection uuid, p_browser_hash bytea, p_next_path text, p_lifetime interval",
    returns="void",
    body="""
    INSERT INTO control.sso_attempt (state_hash, connection_id, browser_hash, next_path, expires_at)
    VALUES (p_state_hash, p_connection, p_browser_hash, p_next_path, now() + p_lifetime)""",
)
# Another browser's try uses nothing up: whoever saw the address of the answer could end the sign-in of its owner.
control_function(
    "take_sso_attempt",
    arguments="p_state_hash bytea, p_browser_hash bytea, p_organisation uuid",
    returns="TABLE (connection_id uuid, next_path text)",
    body="""
    UPDATE control.sso_attempt a SET used_at = now() FROM control.sso_connection c
    WHERE a.state_hash = p_state_hash AND a.browser_hash = p_browser_hash AND a.used_at IS NULL
      AND a.expires_at > now() AND c.id = a.connection_id AND c.organisation_id = p_organisation
    RETURNING a.connection_id, a.next_path""",
)
control_function(
    "find_sso_person",
    arguments="p_connection uuid, p_subject text, p_email text",
    returns="TABLE (person_id uuid, email text, name text, locale text, linked boolean, granted jsonb, held text[])",
    body="""
    SELECT p.id, p.email, p.name, p.locale, i.person_id IS NOT NULL, COALESCE(i.granted, '[]'::jsonb),
        ARRAY(SELECT a.role FROM control.assignment a
              WHERE c.staff AND a.person_id = p.id AND a.organisation_id = c.organisation_id ORDER BY a.role)
    FROM control.sso_connection c
    LEFT JOIN control.sso_identity i ON i.connection_id = c.id AND i.subject = p_subject
    JOIN control.person p
        ON p.id = COALESCE(i.person_id, (SELECT known.id FROM control.person known WHERE known.email = p_email))
    WHERE c.id = p_connection""",
)
control_function(
    "link_sso_identity",
    arguments="p_connection uuid, p_subject text, p_person uuid, p_granted jsonb",
    returns="uuid",
    body="""
    INSERT INTO control.sso_identity (connection_id, subject, person_id, granted, made_at, seen_at)
    VALUES (p_connection, p_subject, p_person, p_granted, now(), now())
    ON CONFLICT (connection_id, subject) DO UPDATE SET granted = EXCLUDED.granted, seen_at = now()
        WHERE sso_identity.person_id = EXCLUDED.person_id
    RETURNING person_id""",
)
control_function(
    "open_sso_session",
    arguments=(
        "p_token_hash bytea, p_person uuid, p_connection uuid, p_organisation uuid, p_subject text, p_sid text,"
        " p_lifetime interval, p_id uuid, p_agent text"
    ),
    returns="boolean",
    body="""
    INSERT INTO control.session (token_hash, person_id, organisation_id, made_at, seen_at, expires_at, connection_id,
        reach_tenant_id, subject, sid, id, agent)
    SELECT p_token_hash, p_person, c.organisation_id, now(), now(), now() + p_lifetime, c.id,
        CASE WHEN c.staff THEN NULL ELSE c.tenant_id END, p_subject, p_sid, p_id, p_agent
    FROM control.sso_connection c
    WHERE c.id = p_connection AND c.organisation_id = p_organisation AND c.state = 'active'
    RETURNING true""",
)
control_function(
    "find_session_provider",
    arguments="p_token_hash bytea, p_organisation uuid",
    returns="TABLE (connection_id uuid)",
    body="""
    SELECT s.connection_id FROM control.session s
    WHERE s.token_hash = p_token_hash AND s.organisation_id = p_organisation AND s.connection_id IS NOT NULL""",
)
# A token that names a session of the provider ends that one; one that names the person only ends them all.
control_function(
    "obey_sso_logout",
    arguments="p_connection uuid, p_jti_hash bytea, p_subject text, p_sid text, p_lifetime interval",
    returns="bigint",
    language="plpgsql",
    body="""
    DECLARE ended bigint;
    BEGIN
        INSERT INTO control.sso_logout (connection_id, jti_hash, expires_at)
        VALUES (p_connection, p_jti_hash, now() + p_lifetime) ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN RETURN NULL; END IF;
        UPDATE control.session s SET ended_at = now()
        WHERE s.connection_id = p_connection AND s.ended_at IS NULL
          AND (p_subject IS NULL OR s.subject = p_subject) AND (p_sid IS NULL OR s.sid = p_sid);
        GET DIAGNOSTICS ended = ROW_COUNT;
        RETURN ended;
    END""",
)
control_function(
    "end_sso_sessions",
    arguments="p_connection uuid",
    returns="void",
    partner=True,
    body="""
    UPDATE control.session s SET ended_at = now() FROM control.sso_connection c
    WHERE s.connection_id = c.id AND c.id = p_connection AND s.ended_at IS NULL
      AND c.organisation_id IN (SELECT control.organisations_below())""",
)
# All the business that a person has on a host, and which of it asks for a provider.
control_function(
    "list_sso_duties",
    arguments="p_email text, p_person uuid, p_organisation uuid",
    returns="TABLE (tenant_id uuid, staff boolean, connection_id uuid, person_id uuid, held text[])",
    body="""
    WITH who AS (SELECT p.id FROM control.person p WHERE p.email = p_email OR p.id = p_person),
    business AS (
        SELECT m.tenant_id, false AS staff, m.organisation_id FROM control.membership m
        JOIN control.tenant t ON t.id = m.tenant_id AND t.kind <> 'home'
        WHERE m.person_id = (SELECT id FROM who) AND m.organisation_id = p_organisation
        UNION
        SELECT NULL, true, a.organisation_id FROM control.assignment a
        JOIN control.org_edge e ON e.ancestor_id = a.organisation_id AND e.descendant_id = p_organisation
        WHERE a.person_id = (SELECT id FROM who))
    SELECT b.tenant_id, b.staff, (
            SELECT c.id FROM control.sso_connection c
            WHERE c.organisation_id = b.organisation_id AND c.state = 'active' AND c.required AND c.staff = b.staff
              AND b.organisation_id = p_organisation AND (b.staff OR c.tenant_id = b.tenant_id)
            ORDER BY c.id LIMIT 1),
        (SELECT id FROM who),
        ARRAY(SELECT a.role FROM control.assignment a
              WHERE b.staff AND a.person_id = (SELECT id FROM who) AND a.organisation_id = b.organisation_id)
    FROM business b""",
)
control_function(
    "forget_stale_sso",
    arguments="",
    returns="bigint",
    body="""
    WITH attempts AS (DELETE FROM control.sso_attempt WHERE expires_at < now() - interval '1 day' RETURNING 1),
         logouts AS (DELETE FROM control.sso_logout WHERE expires_at < now() RETURNING 1)
    SELECT (SELECT count(*) FROM attempts) + (SELECT count(*) FROM logouts)""",
)
