"""What partners ask `control` for outside any organisation's scope: a place in the tree, the host to link to."""

from __future__ import annotations

from tenants.metadata import control_function

# A new organisation is below nobody yet, so no scope could see it: row, tree and host are made here, all or nothing.
control_function(
    "create_organisation",
    arguments="p_id uuid, p_parent uuid, p_kind text, p_slug text, p_name text, p_host text",
    returns="TABLE (id uuid, parent_id uuid, kind text, name text, host_owner uuid)",
    language="plpgsql",
    body="""
    #variable_conflict use_column
    BEGIN
        INSERT INTO control.organisation (id, parent_id, kind, slug, name, state, made_at)
        VALUES (p_id, p_parent, p_kind, p_slug, p_name, 'active', now()) ON CONFLICT (slug) DO NOTHING;
        IF FOUND THEN
            INSERT INTO control.org_edge (ancestor_id, descendant_id, depth)
            SELECT e.ancestor_id, p_id, e.depth + 1 FROM control.org_edge e WHERE e.descendant_id = p_parent
            UNION ALL SELECT p_id, p_id, 0;
        END IF;
        INSERT INTO control.host (name, organisation_id)
        SELECT p_host, o.id FROM control.organisation o WHERE o.slug = p_slug ON CONFLICT (name) DO NOTHING;
        RETURN QUERY SELECT o.id, o.parent_id, o.kind, o.name, h.organisation_id
            FROM control.organisation o JOIN control.host h ON h.name = p_host WHERE o.slug = p_slug;
    END""",
)
# An organisation's own domain before a development name; the same one each time.
control_function(
    "find_main_host",
    arguments="p_organisation uuid",
    returns="text",
    body="""
    SELECT h.name FROM control.host h WHERE h.organisation_id = p_organisation
    ORDER BY h.name LIKE '%.localhost', length(h.name), h.name COLLATE "C" LIMIT 1""",
)
# Whether this build and the database belong together is asked by the readiness door, which may read no table.
control_function(
    "schema_revision",
    arguments="",
    returns="text",
    body="SELECT v.version_num FROM control.alembic_version v LIMIT 1",
)
