"""What the catalog says of schemas, one line a fact, without names that differ from tenant to tenant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tenants.fleet.owner import Connection

_FACTS = """
    WITH place AS (
      SELECT n.oid, n.nspname, n.nspacl, r.role FROM unnest(%s::text[], %s::text[]) AS r(name, role)
      JOIN pg_namespace n ON n.nspname = r.name),
    relation AS (
      SELECT p.nspname, p.role, c.* FROM place p JOIN pg_class c ON c.relnamespace = p.oid),
    fact AS (
      SELECT nspname, 'rights ' || replace(nspacl::text, role, 'tenant') AS fact FROM place
      UNION ALL
      SELECT nspname, concat_ws(' ', 'relation', relname, relkind, relpersistence, relrowsecurity, relforcerowsecurity,
        replace(relacl::text, role, 'tenant')) FROM relation
      UNION ALL
      SELECT c.nspname, concat_ws(' ', 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
        CASE WHEN a.attnotnull THEN 'not null' END, NULLIF(a.attidentity, ''), NULLIF(a.attgenerated, ''),
        pg_get_expr(d.adbin, d.adrelid),
        a.attcollation) FROM relation c JOIN pg_attribute a ON a.attrelid = c.oid
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relkind <> 'i' AND a.attnum > 0 AND NOT a.attisdropped
      UNION ALL
      SELECT c.nspname, concat_ws(' ', 'index', replace(pg_get_indexdef(i.indexrelid), c.nspname || '.', ''),
        CASE WHEN NOT i.indisvalid THEN 'INVALID' END, CASE WHEN NOT i.indisready THEN 'NOT READY' END)
        FROM relation c JOIN pg_index i ON i.indexrelid = c.oid
      UNION ALL
      SELECT p.nspname, concat_ws(' ', 'constraint', c.relname, k.conname,
        replace(pg_get_constraintdef(k.oid), p.nspname || '.', ''), CASE WHEN NOT k.convalidated THEN 'NOT VALID' END)
        FROM place p JOIN pg_constraint k ON k.connamespace = p.oid LEFT JOIN pg_class c ON c.oid = k.conrelid
      UNION ALL
      SELECT c.nspname, concat_ws(' ', 'trigger', c.relname, replace(pg_get_triggerdef(t.oid), c.nspname || '.', ''))
        FROM relation c JOIN pg_trigger t ON t.tgrelid = c.oid WHERE NOT t.tgisinternal
      UNION ALL
      SELECT p.nspname, concat_ws(' ', 'function', f.proname, md5(f.prosrc))
        FROM place p JOIN pg_proc f ON f.pronamespace = p.oid)
"""


def fingerprints(connection: Connection, places: Mapping[str, str]) -> dict[str, str]:
    """One hash for each schema, of all its facts; `places` gives the tenant's role of each schema. One query."""
    query = _FACTS + (
        "SELECT nspname AS schema, md5(string_agg(fact, E'\\n' ORDER BY fact COLLATE \"C\")) AS hash"
        " FROM fact GROUP BY nspname"
    )
    rows = connection.execute(query.encode(), [list(places), list(places.values())])
    return {row.schema: row.hash for row in rows}


def facts(connection: Connection, schema: str, role: str) -> Sequence[str]:
    """Every fact of one schema, sorted: what a fingerprint is made of."""
    query = _FACTS + 'SELECT fact FROM fact ORDER BY fact COLLATE "C"'
    return [row.fact for row in connection.execute(query.encode(), [[schema], [role]])]
