"""What sign-in asks `control` before any scope is known: people, links, sessions. All on the database's own clock.

Tokens never come here, only their hashes; every answer is bound to the organisation whose host was asked.
"""

from __future__ import annotations

from app.access.lookups import OWN_ROLE_JOIN, ROLE_NAME, roles_held
from tenants.metadata import control_function

_MAY_SIGN_IN = """(
    EXISTS (SELECT FROM control.assignment a JOIN control.org_edge e ON e.ancestor_id = a.organisation_id
            WHERE a.person_id = p.id AND e.descendant_id = p_organisation)
    OR EXISTS (SELECT FROM control.membership m
               WHERE m.person_id = p.id AND m.organisation_id = p_organisation))"""

# A session that an identity provider opened has the roles of the organisation which trusts it, and no others; one of a
# customer's provider has none.
_ROLES = roles_held(
    "p.id",
    "COALESCE(t.organisation_id, p_organisation)",
    among="held.reach_tenant_id IS NULL AND (held.connection_id IS NULL OR a.organisation_id = p_organisation)",
)
# The groups of staff that the person is in, of the organisation whose rights count here.
GROUPS_OF_VISIT = """ARRAY(
    SELECT g.group_id FROM control.staff_group_member g JOIN control.staff_group s ON s.id = g.group_id
    WHERE g.person_id = p.id AND s.tenant_id IS NULL
      AND s.organisation_id = COALESCE(t.organisation_id, p_organisation))"""
# Where such a session may go: a customer's provider into that customer's tenant; a partner's own never into a tenant
# that the person belongs to as a customer.
_REACHED = """(
    held.connection_id IS NULL OR t.id = held.reach_tenant_id
    OR held.reach_tenant_id IS NULL AND (t.kind = 'home' OR NOT EXISTS (
        SELECT FROM control.membership m WHERE m.person_id = p.id AND m.tenant_id = t.id)))"""

# The tenant that is asked for, to whom has business in it by way of the host's organisation.
ENTERED = f"""t.schema_name IS NOT NULL AND {_REACHED} AND (
        t.organisation_id = p_organisation
            AND EXISTS (SELECT FROM control.membership m WHERE m.person_id = p.id AND m.tenant_id = t.id)
        OR EXISTS (SELECT FROM control.org_edge below
                   WHERE below.ancestor_id = p_organisation AND below.descendant_id = t.organisation_id)
            AND EXISTS (SELECT FROM control.assignment a JOIN control.org_edge e ON e.ancestor_id = a.organisation_id
                        WHERE a.person_id = p.id AND e.descendant_id = t.organisation_id))"""  # noqa: S608 - constant above
# The same columns by whichever token somebody is known. What `held` holds: person_id, connection_id, reach_tenant_id.
WHO_VISITS = f"""p.id, p.email, p.name, p.locale, {_ROLES}, t.id, t.organisation_id, t.kind, t.name, t.cell_name,
        t.schema_name, t.role_name, t.gateway, t.state"""

control_function(
    "ensure_person",
    arguments="p_id uuid, p_email text, p_name text, p_locale text",
    returns="uuid",
    body="""
    INSERT INTO control.person (id, email, name, locale, made_at) VALUES (p_id, p_email, p_name, p_locale, now())
    ON CONFLICT (email) DO UPDATE SET email = EXCLUDED.email RETURNING id""",
)
# The lock makes the limit hold for requests at the same moment; only links of this short kind count, and for a person
# those that nobody has opened: who opens them has the mailbox and floods nobody.
control_function(
    "request_link",
    arguments=(
        "p_email text, p_organisation uuid, p_token_hash bytea, p_next_path text, p_lifetime interval,"
        " p_per_person int, p_per_host int"
    ),
    returns="TABLE (person_id uuid, email text, name text, locale text)",
    language="plpgsql",
    body=f"""
    #variable_conflict use_column
    DECLARE who uuid; since timestamptz := now() - p_lifetime;
    BEGIN
        SELECT p.id INTO who FROM control.person p WHERE p.email = p_email AND {_MAY_SIGN_IN};
        IF who IS NULL THEN RETURN; END IF;
        PERFORM pg_advisory_xact_lock(hashtextextended(p_organisation::text, 1));
        IF (SELECT count(*) FROM control.sign_in_link l WHERE l.person_id = who AND l.consumed_at IS NULL
              AND l.made_at > since AND l.expires_at - l.made_at <= p_lifetime) >= p_per_person
           OR (SELECT count(*) FROM control.sign_in_link l WHERE l.organisation_id = p_organisation
              AND l.made_at > since AND l.expires_at - l.made_at <= p_lifetime) >= p_per_host THEN RETURN; END IF;
        INSERT INTO control.sign_in_link (token_hash, person_id, organisation_id, next_path, made_at, expires_at)
        VALUES (p_token_hash, who, p_organisation, p_next_path, now(), now() + p_lifetime);
        RETURN QUERY SELECT p.id, p.email, p.name, p.locale FROM control.person p WHERE p.id = who;
    END""",  # noqa: S608 - both parts are constants above
)
control_function(
    "create_link",
    arguments="p_token_hash bytea, p_person uuid, p_organisation uuid, p_next_path text, p_lifetime interval",
    returns="boolean",
    body=f"""
    INSERT INTO control.sign_in_link (token_hash, person_id, organisation_id, next_path, made_at, expires_at)
    SELECT p_token_hash, p.id, p_organisation, p_next_path, now(), now() + p_lifetime
    FROM control.person p WHERE p.id = p_person AND {_MAY_SIGN_IN} RETURNING true""",  # noqa: S608 - constants above
)
control_function(
    "read_link",
    arguments="p_token_hash bytea, p_organisation uuid",
    returns="TABLE (email text, next_path text)",
    body="""
    SELECT p.email, l.next_path FROM control.sign_in_link l JOIN control.person p ON p.id = l.person_id
    WHERE l.token_hash = p_token_hash AND l.organisation_id = p_organisation
      AND l.consumed_at IS NULL AND l.expires_at > now()""",
)
control_function(
    "consume_link",
    arguments=(
        "p_token_hash bytea, p_organisation uuid, p_session_hash bytea, p_lifetime interval, p_id uuid, p_agent text"
    ),
    returns="TABLE (person_id uuid, next_path text)",
    body="""
    WITH used AS (
        UPDATE control.sign_in_link l SET consumed_at = now()
        WHERE l.token_hash = p_token_hash AND l.organisation_id = p_organisation
          AND l.consumed_at IS NULL AND l.expires_at > now()
        RETURNING l.person_id, l.next_path),
    made AS (
        INSERT INTO control.session (token_hash, person_id, organisation_id, made_at, seen_at, expires_at, id, agent)
        SELECT p_session_hash, used.person_id, p_organisation, now(), now(), now() + p_lifetime, p_id, p_agent
        FROM used)
    SELECT used.person_id, used.next_path FROM used""",
)
control_function(
    "find_visit",
    arguments="p_token_hash bytea, p_organisation uuid, p_tenant uuid, p_idle interval",
    returns=(
        "TABLE (person_id uuid, email text, name text, locale text, roles text[], tenant_id uuid,"
        " tenant_organisation uuid, kind text, tenant_name text, cell_name text, schema_name text, role_name text,"
        " gateway int, state text, proof text, enrolled boolean, reach_tenant_id uuid, groups uuid[])"
    ),
    body=f"""
    WITH held AS (
        SELECT s.token_hash, s.person_id, s.seen_at, s.connection_id, s.reach_tenant_id,
            CASE WHEN s.stepped_up_at > now() - interval '15 minutes' THEN s.stepped_up_by END AS proof
        FROM control.session s
        WHERE s.token_hash = p_token_hash AND s.organisation_id = p_organisation AND s.ended_at IS NULL
          AND s.expires_at > now() AND s.seen_at > now() - p_idle),
    seen AS (
        UPDATE control.session s SET seen_at = now() FROM held
        WHERE s.token_hash = held.token_hash AND held.seen_at < now() - interval '1 minute')
    SELECT {WHO_VISITS}, held.proof,
        EXISTS (SELECT FROM control.authenticator a WHERE a.person_id = p.id AND a.sealed IS NOT NULL),
        held.reach_tenant_id, {GROUPS_OF_VISIT}
    FROM held JOIN control.person p ON p.id = held.person_id
    LEFT JOIN control.tenant t ON t.id = p_tenant AND {ENTERED}""",  # noqa: S608 - constants above
)
control_function(
    "end_session",
    arguments="p_token_hash bytea, p_organisation uuid",
    returns="void",
    body="""
    UPDATE control.session SET ended_at = now()
    WHERE token_hash = p_token_hash AND organisation_id = p_organisation AND ended_at IS NULL""",
)
# Links that were mailed but not opened are a way in too, so "everywhere" uses them up; feeds of dates end with it.
control_function(
    "end_all_sessions",
    arguments="p_person uuid, p_organisation uuid",
    returns="void",
    body="""
    DELETE FROM control.date_feed WHERE person_id = p_person AND organisation_id = p_organisation;
    UPDATE control.sign_in_link SET consumed_at = now()
    WHERE person_id = p_person AND organisation_id = p_organisation AND consumed_at IS NULL;
    UPDATE control.session SET ended_at = now()
    WHERE person_id = p_person AND organisation_id = p_organisation AND ended_at IS NULL""",
)
control_function(
    "list_assignments",
    arguments="p_person uuid, p_organisation uuid",
    returns="TABLE (organisation_id uuid, role text)",
    body=f"""
    SELECT held.organisation_id, held.name FROM (
        SELECT a.organisation_id, e.depth, {ROLE_NAME} AS name FROM control.assignment a
        JOIN control.org_edge e ON e.ancestor_id = a.organisation_id {OWN_ROLE_JOIN}
        WHERE a.person_id = p_person AND e.descendant_id = p_organisation) held
    WHERE held.name IS NOT NULL ORDER BY held.depth, held.name""",  # noqa: S608 - constants
)
control_function(
    "list_memberships",
    arguments="p_person uuid, p_organisation uuid",
    returns="TABLE (tenant_id uuid, name text, kind text)",
    body="""
    SELECT t.id, t.name, t.kind FROM control.membership m JOIN control.tenant t ON t.id = m.tenant_id
    WHERE m.person_id = p_person AND m.organisation_id = p_organisation AND t.state = 'active' ORDER BY t.name, t.id""",
)
control_function(
    "forget_stale_sign_ins",
    arguments="",
    returns="bigint",
    body="""
    WITH links AS (DELETE FROM control.sign_in_link WHERE expires_at < now() - interval '30 days' RETURNING 1),
         ended AS (DELETE FROM control.session
                   WHERE COALESCE(ended_at, expires_at) < now() - interval '30 days' RETURNING 1),
         codes AS (DELETE FROM control.mailed_code WHERE expires_at < now() - interval '1 day' RETURNING 1)
    SELECT (SELECT count(*) FROM links) + (SELECT count(*) FROM ended) + (SELECT count(*) FROM codes)""",
)
# Whom a letter goes to who is no member of the tenant that it is about: somebody of the partner's staff.
control_function(
    "find_reader",
    arguments="p_person uuid",
    returns="TABLE (id uuid, email text, name text, locale text)",
    body="SELECT p.id, p.email, p.name, p.locale FROM control.person p WHERE p.id = p_person",
)

# May this scope speak of the organisation? A lookup has no scope; an organisation's reaches what is below it.
_IN_SCOPE = """(NULLIF(current_setting('app.organisation', true), '') IS NULL
            OR p_organisation IN (SELECT control.organisations_below()))"""
# With a tenant: only of somebody who has nothing else in the organisation, since its sessions are for all of it, and
# one customer's people must not be able to sign out another customer's, or the partner's own.
control_function(
    "end_person_sessions",
    arguments="p_person uuid, p_organisation uuid, p_tenant uuid",
    returns="void",
    language="plpgsql",
    partner=True,
    body=f"""
    #variable_conflict use_column
    BEGIN
        IF NOT {_IN_SCOPE} OR p_tenant IS NOT NULL AND (
            EXISTS (SELECT FROM control.assignment a JOIN control.org_edge e ON e.ancestor_id = a.organisation_id
                    WHERE a.person_id = p_person AND e.descendant_id = p_organisation)
            OR EXISTS (SELECT FROM control.membership m WHERE m.person_id = p_person
                       AND m.organisation_id = p_organisation AND m.tenant_id <> p_tenant)) THEN RETURN; END IF;
        DELETE FROM control.date_feed WHERE person_id = p_person AND organisation_id = p_organisation;
        UPDATE control.sign_in_link SET consumed_at = now()
        WHERE person_id = p_person AND organisation_id = p_organisation AND consumed_at IS NULL;
        UPDATE control.session SET ended_at = now()
        WHERE person_id = p_person AND organisation_id = p_organisation AND ended_at IS NULL;
    END""",  # noqa: S608 - constant above
)
