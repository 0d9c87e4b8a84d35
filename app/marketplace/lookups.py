"""What an organisation may see of others' listings, decided in SQL: its own scope sees only itself and what is below.

Each function reads whose scope it is called in and tells no more than that organisation may know. Without a scope there
is no organisation, and nothing is told.
"""

from __future__ import annotations

from tenants.metadata import control_function

# ruff: noqa: S608 - bodies of our own functions, put together from constants

_ME = "NULLIF(current_setting('app.organisation', true), '')::uuid"

# The publisher itself, everybody for what is public, and for sub-partners whoever stands below the publisher. What one
# has already one goes on seeing, with whatever became of it.
control_function(
    "may_see_listing",
    arguments="p_version uuid, p_owner uuid, p_visibility text, p_state text",
    returns="boolean",
    partner=True,
    body=f"""
    SELECT (p_state IN ('listed', 'deprecated') AND (p_owner = {_ME} OR p_visibility = 'public' AND {_ME} IS NOT NULL
        OR p_visibility = 'sub_partners' AND EXISTS (SELECT FROM control.org_edge e
            WHERE e.ancestor_id = p_owner AND e.descendant_id = {_ME})))
      OR EXISTS (SELECT FROM control.listing_install i WHERE i.version_id = p_version AND i.organisation_id = {_ME})""",
)
_CARD = f"""
    SELECT v.listing_id, v.id, v.organisation_id, CASE o.kind WHEN 'platform' THEN '' ELSE o.name END, l.template_id,
        v.version, v.visibility, v.state, v.changelog, v.facts, v.digest, v.submitted_at, v.notice,
        v.countersigned IS NOT NULL, k.key,
        (SELECT count(*) FROM control.listing_install i WHERE i.version_id = v.id),
        EXISTS (SELECT FROM control.listing_install i WHERE i.version_id = v.id AND i.organisation_id = {_ME}),
        (SELECT avg(w.stars)::float FROM control.listing_word w
         WHERE w.listing_id = v.listing_id AND w.kind = 'rating'),
        (SELECT count(*) FROM control.listing_word w WHERE w.listing_id = v.listing_id AND w.kind = 'rating')
    FROM control.listing_version v JOIN control.listing l ON l.id = v.listing_id
    JOIN control.organisation o ON o.id = v.organisation_id JOIN control.publisher_key k ON k.organisation_id = o.id
    WHERE control.may_see_listing(v.id, v.organisation_id, v.visibility, v.state)"""
_CARD_COLUMNS = """TABLE (listing_id uuid, version_id uuid, organisation_id uuid, publisher text, template_id text,
    version text, visibility text, state text, changelog text, facts jsonb, digest text, submitted_at timestamptz,
    notice jsonb, reviewed boolean, key text, installs bigint, installed boolean, stars float, ratings bigint)"""

# Words are found as they are written: no sign in them means anything else than itself.
control_function(
    "search_listings",
    arguments="p_words text[], p_limit int",
    returns=_CARD_COLUMNS,
    partner=True,
    body=f"""{_CARD} AND v.state IN ('listed', 'deprecated')
      AND NOT EXISTS (SELECT FROM unnest(p_words) w WHERE position(w IN v.search) = 0)
    ORDER BY v.submitted_at DESC, v.id LIMIT p_limit""",
)
control_function(
    "read_listing",
    arguments="p_listing uuid",
    returns=_CARD_COLUMNS,
    partner=True,
    body=f"{_CARD} AND v.listing_id = p_listing ORDER BY v.submitted_at DESC, v.id",
)
control_function(
    "list_installed",
    arguments="",
    returns=_CARD_COLUMNS,
    partner=True,
    body=f"""{_CARD} AND v.id IN (SELECT i.version_id FROM control.listing_install i WHERE i.organisation_id = {_ME})
    ORDER BY v.submitted_at DESC, v.id""",
)
# The same, with all other versions of those listings: what there is to go to.
control_function(
    "list_held",
    arguments="",
    returns=_CARD_COLUMNS,
    partner=True,
    body=f"""{_CARD} AND v.listing_id IN
        (SELECT i.listing_id FROM control.listing_install i WHERE i.organisation_id = {_ME})
    ORDER BY v.submitted_at DESC, v.id""",
)
# What the organisation has taken and should leave; `number` is what its own copy of the template is called.
control_function(
    "list_ends",
    arguments="",
    returns=(
        "TABLE (listing_id uuid, template_id text, digest text, number text, version text, state text, notice jsonb,"
        " newer jsonb)"
    ),
    partner=True,
    body=f"""
    SELECT v.listing_id, l.template_id, v.digest, t.version, v.version, v.state, v.notice,
        (SELECT coalesce(jsonb_agg(n.version), '[]') FROM control.listing_version n WHERE n.listing_id = v.listing_id
           AND n.state = 'listed' AND control.may_see_listing(n.id, n.organisation_id, n.visibility, n.state))
    FROM control.listing_install i JOIN control.listing_version v ON v.id = i.version_id
    JOIN control.listing l ON l.id = v.listing_id
    LEFT JOIN control.template_version t ON t.organisation_id = i.organisation_id AND t.digest = v.digest
    WHERE i.organisation_id = {_ME} AND v.state IN ('deprecated', 'withdrawn', 'taken_down')
    ORDER BY l.template_id, v.submitted_at DESC, v.id""",
)
control_function(
    "listing_package",
    arguments="p_version uuid",
    returns=(
        "TABLE (listing_id uuid, state text, visibility text, package bytea, key text, countersigned text,"
        " operator_key text, version text, template_id text, notice jsonb, owner uuid)"
    ),
    partner=True,
    body="""
    SELECT v.listing_id, v.state, v.visibility, v.package, k.key, v.countersigned,
        (SELECT r.key FROM control.publisher_key r JOIN control.organisation p ON p.id = r.organisation_id
         WHERE p.kind = 'platform'), v.version, l.template_id, v.notice, v.organisation_id
    FROM control.listing_version v JOIN control.listing l ON l.id = v.listing_id
    JOIN control.publisher_key k ON k.organisation_id = v.organisation_id
    WHERE v.id = p_version AND control.may_see_listing(v.id, v.organisation_id, v.visibility, v.state)""",
)
control_function(
    "listing_checks",
    arguments="p_version uuid",
    returns="jsonb",
    partner=True,
    body="""
    SELECT v.checks FROM control.listing_version v
    WHERE v.id = p_version AND control.may_see_listing(v.id, v.organisation_id, v.visibility, v.state)""",
)
control_function(
    "listing_words",
    arguments="p_listing uuid",
    returns="TABLE (stars int, said text, organisation text, said_at timestamptz, mine boolean)",
    partner=True,
    body=f"""
    SELECT w.stars, w.said, CASE WHEN w.organisation_id = {_ME} THEN o.name END, w.said_at, w.organisation_id = {_ME}
    FROM control.listing_word w JOIN control.organisation o ON o.id = w.organisation_id
    WHERE w.listing_id = p_listing AND w.kind = 'rating' AND EXISTS (SELECT FROM control.listing_version v
        WHERE v.listing_id = p_listing AND control.may_see_listing(v.id, v.organisation_id, v.visibility, v.state))
    ORDER BY w.said_at DESC LIMIT 20""",
)
# Asked by the publisher or by an organisation above it, such as the operator's: who has to hear of a version's end.
control_function(
    "listing_holders",
    arguments="p_version uuid",
    returns="SETOF uuid",
    partner=True,
    body=f"""
    SELECT i.organisation_id FROM control.listing_install i JOIN control.listing_version v ON v.id = i.version_id
    WHERE v.id = p_version AND v.organisation_id IN (SELECT e.descendant_id FROM control.org_edge e
        WHERE e.ancestor_id = {_ME}) ORDER BY i.organisation_id""",
)
control_function(
    "count_installs",
    arguments="p_version uuid",
    returns="bigint",
    partner=True,
    body="SELECT count(*) FROM control.listing_holders(p_version)",
)
# Who publishes templates of a partner, and so hears of what becomes of those it has taken.
control_function(
    "list_administrators",
    arguments="p_organisation uuid",
    returns="TABLE (id uuid, email text, name text, locale text)",
    body="""
    SELECT DISTINCT p.id, p.email, p.name, p.locale
    FROM control.assignment a JOIN control.person p ON p.id = a.person_id
    WHERE a.organisation_id = p_organisation AND a.role IN ('partner_admin', 'partner_owner') ORDER BY p.email""",
)
# Who reviews what is to be offered to everybody.
control_function(
    "list_reviewers",
    arguments="",
    returns="TABLE (organisation_id uuid, id uuid, email text, name text, locale text)",
    body="""
    SELECT DISTINCT o.id, p.id, p.email, p.name, p.locale
    FROM control.organisation o JOIN control.assignment a ON a.organisation_id = o.id
    JOIN control.person p ON p.id = a.person_id WHERE o.kind = 'platform' AND a.role = 'operator' ORDER BY p.email""",
)
# For the operator's monitoring, over all organisations: no name and no organisation leaves the function.
control_function(
    "count_market",
    arguments="",
    returns="TABLE (fact text, label text, number bigint, oldest timestamptz)",
    body="""
    SELECT 'versions', v.state, count(*), min(v.submitted_at) FROM control.listing_version v GROUP BY v.state
    UNION ALL SELECT 'failed', r ->> 'name', count(*), min(v.submitted_at) FROM control.listing_version v
        CROSS JOIN LATERAL jsonb_array_elements(v.checks -> 'results') AS r
        WHERE v.state = 'failed' AND NOT (r ->> 'passed')::boolean GROUP BY 2
    UNION ALL SELECT 'installs', '', count(*), min(installed_at) FROM control.listing_install
    UNION ALL SELECT 'unheard', v.state, count(*), min((v.notice ->> 'at')::timestamptz)
        FROM control.listing_install i JOIN control.listing_version v ON v.id = i.version_id
        WHERE v.state IN ('deprecated', 'withdrawn', 'taken_down') AND i.heard IS DISTINCT FROM v.state
          AND i.organisation_id <> v.organisation_id GROUP BY v.state""",
)
