"""What directories ask `control` for beyond their organisation's scope: who holds a token, and whose a person is."""

from __future__ import annotations

from tenants.metadata import control_function

# ruff: noqa: S608 - bodies of our own functions, put together from constants
_TENANT = (
    "t.id, t.organisation_id, t.kind, t.name, t.cell_name, t.schema_name, t.role_name, t.gateway, t.state"
    " FROM control.directory d JOIN control.tenant t ON t.schema_name IS NOT NULL AND"
    " (t.id = d.tenant_id OR d.tenant_id IS NULL AND t.organisation_id = d.organisation_id AND t.kind = 'home')"
)
_SHAPE = (
    "TABLE (directory_id uuid, organisation_id uuid, tenant_id uuid, name text, default_role text, work_id uuid,"
    " work_organisation uuid, work_kind text, work_name text, cell_name text, schema_name text, role_name text,"
    " gateway int, work_state text)"
)
_ROW = f"d.id, d.organisation_id, d.tenant_id, d.name, d.default_role, {_TENANT}"
# May this scope speak of the organisation? A lookup has no scope; an organisation's reaches what is below it.
_REACHED = (
    "(NULLIF(current_setting('app.organisation', true), '') IS NULL"
    " OR {organisation} IN (SELECT control.organisations_below()))"
)

control_function(
    "find_directory",
    arguments="p_token_hash bytea, p_organisation uuid",
    returns=_SHAPE,
    body=f"""
    WITH used AS (
        UPDATE control.directory d SET used_at = now()
        WHERE d.token_hash = p_token_hash AND d.organisation_id = p_organisation
          AND (d.used_at IS NULL OR d.used_at < now() - interval '1 minute'))
    SELECT {_ROW} WHERE d.organisation_id = p_organisation AND d.state = 'active'
      AND (d.token_hash = p_token_hash OR d.old_token_hash = p_token_hash AND d.old_token_until > now())""",
)
control_function(
    "directories_behind",
    arguments="",
    returns=_SHAPE,
    body=(
        f"SELECT {_ROW} WHERE EXISTS (SELECT FROM control.directory_user u WHERE u.directory_id = d.id AND u.behind"
        " AND u.changed_at < now() - interval '10 seconds') ORDER BY d.id LIMIT 50"
    ),
)
control_function(
    "note_directory_request",
    arguments="p_directory uuid, p_id uuid, p_method text, p_place text, p_status int, p_scim_type text, p_most int",
    returns="void",
    body="""
    INSERT INTO control.directory_request (id, directory_id, organisation_id, at, method, place, status, scim_type)
    SELECT p_id, d.id, d.organisation_id, now(), p_method, p_place, p_status, p_scim_type
    FROM control.directory d WHERE d.id = p_directory;
    DELETE FROM control.directory_request r WHERE r.directory_id = p_directory AND r.id < (
        SELECT k.id FROM control.directory_request k WHERE k.directory_id = p_directory
        ORDER BY k.id DESC OFFSET p_most - 1 LIMIT 1)""",
)
# What a tenant's directories said goes with the tenant; the people they named are given back, to be forgotten too.
control_function(
    "forget_directories",
    arguments="p_tenant uuid",
    returns="uuid[]",
    language="plpgsql",
    body="""
    #variable_conflict use_column
    DECLARE named uuid[];
    BEGIN
        DELETE FROM control.staff_group_member m USING control.staff_group g
        WHERE g.id = m.group_id AND g.tenant_id = p_tenant;
        DELETE FROM control.staff_group g WHERE g.tenant_id = p_tenant;
        DELETE FROM control.directory_request r USING control.directory d
        WHERE d.id = r.directory_id AND d.tenant_id = p_tenant;
        WITH gone AS (DELETE FROM control.directory_user u USING control.directory d
                      WHERE d.id = u.directory_id AND d.tenant_id = p_tenant RETURNING u.person_id)
        SELECT array_agg(g.person_id) INTO named FROM gone g WHERE g.person_id IS NOT NULL;
        DELETE FROM control.directory d WHERE d.tenant_id = p_tenant;
        RETURN COALESCE(named, '{}');
    END""",
)
# Who a directory's user is. A person is known to the installation once, so an address that is known already is that
# person, as they are: their name, address and language are nobody's to change from outside. Only a person that this
# very user brought here, who holds nothing that somebody else gave and has never been anywhere else, follows the
# directory to another address. Everybody else stays, and the user becomes another person.
control_function(
    "take_person",
    arguments="p_user uuid, p_new uuid, p_email text, p_name text, p_locale text, p_own boolean",
    returns="uuid",
    language="plpgsql",
    partner=True,
    body=f"""
    #variable_conflict use_column
    DECLARE u control.directory_user; d control.directory; who uuid; made boolean := false; sole boolean;
    BEGIN
        SELECT * INTO u FROM control.directory_user x
        WHERE x.id = p_user AND {_REACHED.format(organisation="x.organisation_id")} FOR UPDATE;
        IF NOT FOUND THEN RETURN NULL; END IF;
        SELECT * INTO d FROM control.directory x WHERE x.id = u.directory_id;
        SELECT p.id INTO who FROM control.person p WHERE p.email = p_email;
        sole := p_own AND u.made_person AND u.person_id IS NOT NULL
            AND NOT EXISTS (SELECT FROM control.assignment a WHERE a.person_id = u.person_id
                AND (d.tenant_id IS NOT NULL OR a.organisation_id <> u.organisation_id OR NOT u.given ? a.role))
            AND NOT EXISTS (SELECT FROM control.membership m WHERE m.person_id = u.person_id
                AND m.tenant_id IS DISTINCT FROM d.tenant_id)
            AND NOT EXISTS (SELECT FROM control.directory_user o WHERE o.person_id = u.person_id AND o.id <> u.id)
            AND NOT EXISTS (SELECT FROM control.session s WHERE s.person_id = u.person_id
                AND s.organisation_id <> u.organisation_id)
            AND NOT EXISTS (SELECT FROM control.sign_in_link l WHERE l.person_id = u.person_id
                AND l.organisation_id <> u.organisation_id);
        IF sole AND p_email IS NOT NULL AND (who IS NULL OR who = u.person_id) THEN
            IF who IS NULL THEN PERFORM control.end_person_sessions(u.person_id, u.organisation_id, NULL); END IF;
            UPDATE control.person SET email = p_email, name = p_name, locale = p_locale WHERE id = u.person_id;
            RETURN u.person_id;
        END IF;
        IF who IS NULL AND p_email IS NOT NULL THEN
            INSERT INTO control.person (id, email, name, locale, made_at)
            VALUES (p_new, p_email, p_name, p_locale, now()) ON CONFLICT (email) DO NOTHING RETURNING id INTO who;
            made := who IS NOT NULL;
            IF who IS NULL THEN SELECT p.id INTO who FROM control.person p WHERE p.email = p_email; END IF;
        END IF;
        IF who IS DISTINCT FROM u.person_id THEN
            UPDATE control.directory_user SET person_id = who, made_person = made, given = '[]',
                former = CASE WHEN u.person_id IS NULL THEN u.former ELSE u.former || to_jsonb(u.person_id) END
            WHERE id = u.id;
        END IF;
        RETURN who;
    END""",
)
