"""What a database's own catalogs show wrong: slots, schemas, roles, memberships and rights that do not fit together.

Each query gives rows of (kind, subject, what is said, mend), and none where everything is as `install` made it.
"""

from __future__ import annotations

from psycopg import sql

from tenants.naming import RoleNames

# What is discarded or dropped goes statement by statement: a part of it that is gone already is no loss.
_STANDING = """
    WITH standing AS (
      SELECT s.* FROM cell.slot s LEFT JOIN cell.tenant t ON t.id = s.tenant_id
      WHERE s.state <> 'retired' AND t.state IS DISTINCT FROM 'shredded')
"""
_SLOTS = """
    SELECT 'slot without schema', 'slot ' || s.schema_name, 'its schema does not exist', {lost}
      FROM standing s WHERE to_regnamespace(quote_ident(s.schema_name)) IS NULL
    UNION ALL
    SELECT 'schema without slot', 'schema ' || n.nspname, 'belongs to no slot',
        'As the owner: DROP SCHEMA ' || n.nspname || ' CASCADE;'
      FROM pg_namespace n WHERE n.nspname ~ '^t_[a-z2-7]{{16}}$'
      AND NOT EXISTS (SELECT FROM cell.slot s WHERE s.schema_name = n.nspname::text)
    UNION ALL
    SELECT 'slot without role', 'slot ' || s.schema_name, 'its role does not exist', {lost}
      FROM standing s WHERE to_regrole(quote_ident(s.role_name)) IS NULL
    UNION ALL
    SELECT 'role without slot', r.rolname, '', '' FROM pg_roles r WHERE starts_with(r.rolname, {prefix} || '_t_')
      AND NOT EXISTS (SELECT FROM cell.slot s WHERE s.role_name = r.rolname::text)
    UNION ALL
    SELECT 'slot without gateway', 'slot ' || s.schema_name, 'there is no login for gateway ' || s.gateway, {install}
      FROM cell.slot s WHERE to_regrole({prefix} || '_gw_' || lpad(s.gateway::text, 2, '0')) IS NULL
    UNION ALL
    SELECT 'slot state', 'slot ' || s.schema_name,
        'is ' || s.state || CASE WHEN s.tenant_id IS NULL THEN ' by nobody' ELSE ' and belongs to a tenant' END,
        'Look in cell.slot: only a claimed slot belongs to a tenant.'
      FROM cell.slot s WHERE (s.state = 'claimed') <> (s.tenant_id IS NOT NULL)
    UNION ALL
    SELECT 'slot without tenant', 'slot ' || s.schema_name, 'is claimed for a tenant the cell does not know', {lost}
      FROM cell.slot s WHERE s.tenant_id IS NOT NULL AND NOT EXISTS (SELECT FROM cell.tenant t WHERE t.id = s.tenant_id)
    UNION ALL
    SELECT 'tenant without slot', 'tenant ' || t.id, 'is ' || t.state || ' and has no slot', {lost}
      FROM cell.tenant t WHERE t.state NOT IN ('requested', 'shredded', 'dropped')
      AND NOT EXISTS (SELECT FROM cell.slot s WHERE s.tenant_id = t.id)
"""
_MEMBERSHIPS = """
    SELECT 'membership missing', 'role ' || s.role_name, 'its gateway may not take it',
        'As the owner: GRANT ' || s.role_name || ' TO ' || g.rolname || ';'
      FROM standing s JOIN pg_roles r ON r.rolname::text = s.role_name
      JOIN pg_roles g ON g.rolname::text = {prefix} || '_gw_' || lpad(s.gateway::text, 2, '0')
      WHERE NOT EXISTS (SELECT FROM pg_auth_members a WHERE a.roleid = r.oid AND a.member = g.oid AND a.set_option)
    UNION ALL
    SELECT 'membership too many', 'role ' || r.rolname, 'may also be taken by ' || m.rolname,
        'As the owner: REVOKE ' || r.rolname || ' FROM ' || m.rolname || ';'
      FROM cell.slot s JOIN pg_roles r ON r.rolname::text = s.role_name JOIN pg_auth_members a ON a.roleid = r.oid
      JOIN pg_roles m ON m.oid = a.member WHERE NOT m.rolsuper AND NOT m.rolcreaterole
      AND m.rolname <> {prefix} || '_gw_' || lpad(s.gateway::text, 2, '0')
    UNION ALL
    SELECT 'membership too many', 'role ' || s.role_name, 'is also a member of ' || o.rolname,
        'As the owner: REVOKE ' || o.rolname || ' FROM ' || s.role_name || ';'
      FROM cell.slot s JOIN pg_roles r ON r.rolname::text = s.role_name JOIN pg_auth_members a ON a.member = r.oid
      JOIN pg_roles o ON o.oid = a.roleid WHERE o.rolname <> {app}
    UNION ALL
    SELECT 'slot rights', 'schema ' || s.schema_name, 'its tenant may not use it as it must',
        'As the owner: GRANT USAGE ON SCHEMA ' || s.schema_name || ' TO ' || s.role_name || ';'
      FROM standing s JOIN pg_namespace n ON n.nspname::text = s.schema_name
      JOIN pg_roles r ON r.rolname::text = s.role_name
      WHERE NOT has_schema_privilege(r.oid, n.oid, 'USAGE')
        OR has_table_privilege(r.oid, to_regclass(n.nspname || '.trail'), 'INSERT') IS NOT TRUE
    UNION ALL
    SELECT DISTINCT 'slot rights', 'schema ' || s.schema_name,
        'is open to ' || COALESCE(g.rolname::text, 'everybody'),
        'As the owner: REVOKE ALL ON ALL TABLES IN SCHEMA ' || s.schema_name || ' FROM '
          || COALESCE(g.rolname::text, 'PUBLIC') || '; REVOKE ALL ON SCHEMA ' || s.schema_name || ' FROM '
          || COALESCE(g.rolname::text, 'PUBLIC') || ';'
      FROM (
        SELECT n.nspname::text AS place, a.grantee FROM pg_namespace n CROSS JOIN aclexplode(n.nspacl) a
          WHERE a.grantee <> n.nspowner
        UNION SELECT n.nspname::text, a.grantee FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          CROSS JOIN aclexplode(c.relacl) a WHERE a.grantee <> c.relowner) open
      JOIN cell.slot s ON s.schema_name = open.place LEFT JOIN pg_roles g ON g.oid = open.grantee
      WHERE g.rolname::text IS DISTINCT FROM s.role_name
"""
_EVERYWHERE = """
    SELECT 'login inherits', 'role ' || m.rolname, 'has the rights of ' || r.rolname || ' without asking for them',
        'As the owner: REVOKE ' || r.rolname || ' FROM ' || m.rolname || '; then `slipway install`.'
      FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member JOIN pg_roles r ON r.oid = a.roleid
      WHERE starts_with(m.rolname, {prefix} || '_') AND m.rolcanlogin AND (a.inherit_option OR a.admin_option)
    UNION ALL
    SELECT 'role too strong', 'role ' || r.rolname, 'has power over the server, or inherits',
        'As a superuser: ALTER ROLE ' || r.rolname || ' NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS'
          || CASE WHEN r.rolcanlogin THEN ' NOINHERIT;' ELSE ';' END
      FROM pg_roles r WHERE starts_with(r.rolname, {prefix} || '_') AND (r.rolsuper OR r.rolcreatedb OR r.rolcreaterole
        OR r.rolreplication OR r.rolbypassrls OR (r.rolcanlogin AND r.rolinherit))
    UNION ALL
    SELECT 'login too many', 'role ' || r.rolname, 'may log in', 'As the owner: ALTER ROLE ' || r.rolname || ' NOLOGIN;'
      FROM pg_roles r WHERE starts_with(r.rolname, {prefix} || '_') AND r.rolcanlogin
      AND r.rolname <> ALL ({logins}) AND r.rolname !~ ('^' || {prefix} || '_gw_[0-9]+$')
    UNION ALL
    SELECT DISTINCT 'role owns', 'role ' || r.rolname, 'owns something; no role of Slipway but the owner does',
        'See what: SELECT * FROM pg_shdepend WHERE refobjid = ' || r.oid || ';'
      FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid
      WHERE d.refclassid = 'pg_authid'::regclass AND d.deptype = 'o' AND starts_with(r.rolname, {prefix} || '_')
    UNION ALL
    SELECT 'role settings', 'role ' || r.rolname, 'starts with ' || array_to_string(g.setconfig, ', '),
        'As the owner: ALTER ROLE ' || r.rolname || ' RESET ALL; ALTER ROLE ' || r.rolname || ' SET timezone = ''UTC'';'
      FROM pg_db_role_setting g JOIN pg_roles r ON r.oid = g.setrole
      WHERE starts_with(r.rolname, {prefix} || '_') AND lower(array_to_string(g.setconfig, ',')) <> 'timezone=utc'
    UNION ALL
    SELECT 'database open', 'database ' || d.datname, 'everybody may enter it',
        'As its owner: REVOKE ALL ON DATABASE ' || quote_ident(d.datname) || ' FROM PUBLIC;'
      FROM pg_database d WHERE d.datname = current_database() AND (d.datacl IS NULL
        OR EXISTS (SELECT FROM aclexplode(d.datacl) a WHERE a.grantee = 0))
    UNION ALL
    SELECT 'database open', 'database ' || d.datname, r.rolname || ' may enter it and has no business there',
        'As its owner: REVOKE ALL ON DATABASE ' || quote_ident(d.datname) || ' FROM ' || r.rolname || ';'
      FROM pg_database d CROSS JOIN pg_roles r
      WHERE d.datname = current_database() AND starts_with(r.rolname, {prefix} || '_') AND r.rolcanlogin
      AND r.rolname ~ {strangers} AND has_database_privilege(r.oid, d.oid, 'CONNECT')
    UNION ALL
    SELECT 'row security off', 'table ' || c.oid::regclass, 'has no row-level security', {install}
      FROM pg_class c WHERE c.relnamespace = to_regnamespace({schema}) AND c.relkind = 'r' AND NOT c.relrowsecurity
      AND c.relname <> 'alembic_version'
"""
_LOST = "Nothing was changed by this check. Restore the cell from its backup, or ask for help with this line."
_INSTALL = "Run `slipway install`."


def cell_offences(roles: RoleNames) -> sql.Composed:
    """The query for a cell. Roles without a slot here may have one in another cell: 'role without slot' is raw."""
    return _compose(
        f"{_STANDING} {_SLOTS} UNION ALL {_MEMBERSHIPS} UNION ALL {_EVERYWHERE}",
        roles,
        schema="cell",
        strangers=f"^{roles.door}$",
    )


def control_offences(roles: RoleNames) -> sql.Composed:
    """The query for the control database."""
    strangers = f"^({roles.dispatcher}|{roles.registry}|{roles.prefix}_gw_[0-9]+)$"
    return _compose(_EVERYWHERE, roles, schema="control", strangers=strangers)


def _compose(text: str, roles: RoleNames, *, schema: str, strangers: str) -> sql.Composed:
    return sql.SQL(text).format(
        prefix=sql.Literal(roles.prefix),
        app=sql.Literal(roles.app),
        logins=sql.Literal([roles.door, roles.dispatcher, roles.registry]),
        schema=sql.Literal(schema),
        strangers=sql.Literal(strangers),
        lost=sql.Literal(_LOST),
        install=sql.Literal(_INSTALL),
    )
