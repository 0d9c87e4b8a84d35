"""How a tenant gets its place in a cell: functions of the database, so that claim, filling and state are one commit."""

from __future__ import annotations

from tenants.naming import RoleNames

# Two who make the same tenant at once: the second waits, then finds what the first has made. A tenant that was
# dropped keeps its row in cell.tenant, so the INSERT refuses to found it again. `refuse` is for one that is given up
# before it was there: whoever makes it at this moment has done so before the lock is given, or meets the row after it.
FOUNDING_FUNCTIONS = """
CREATE OR REPLACE FUNCTION cell.claim(
    p_tenant uuid, p_kind text, p_weight int, p_limits jsonb, p_revision text, p_gateway int,
    p_organisation uuid DEFAULT NULL, OUT schema_name text, OUT role_name text, OUT gateway int, OUT state text)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = cell, pg_temp AS
  $body$
  #variable_conflict use_column
  BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(p_tenant::text, 0));
    SELECT s.schema_name, s.role_name, s.gateway, t.state INTO schema_name, role_name, gateway, state
      FROM cell.slot s JOIN cell.tenant t ON t.id = s.tenant_id WHERE s.tenant_id = p_tenant;
    IF FOUND THEN RETURN; END IF;
    UPDATE cell.slot s SET state = 'claimed', tenant_id = p_tenant, claimed_at = now()
      WHERE s.schema_name = (
        SELECT f.schema_name FROM cell.slot f WHERE f.state = 'free' AND f.revision = p_revision
          AND f.gateway = COALESCE(p_gateway, f.gateway) ORDER BY f.made_at LIMIT 1 FOR UPDATE SKIP LOCKED)
      RETURNING s.schema_name, s.role_name, s.gateway, 'seeding' INTO schema_name, role_name, gateway, state;
    IF FOUND THEN
      INSERT INTO cell.tenant (id, state, changed_at, kind, weight, limits, organisation_id)
      VALUES (p_tenant, 'seeding', now(), p_kind, p_weight, p_limits, p_organisation);
    END IF;
  END $body$;

CREATE OR REPLACE FUNCTION cell.activate(p_tenant uuid) RETURNS void
  LANGUAGE sql SECURITY DEFINER SET search_path = cell, pg_temp AS
  $body$ UPDATE cell.tenant SET state = 'active', changed_at = now() WHERE id = p_tenant AND state = 'seeding' $body$;

CREATE OR REPLACE FUNCTION cell.refuse(p_tenant uuid, p_kind text) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = cell, pg_temp AS
  $body$
  BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(p_tenant::text, 0));
    INSERT INTO cell.tenant AS t (id, state, changed_at, kind) VALUES (p_tenant, 'dropped', now(), p_kind)
      ON CONFLICT (id) DO UPDATE SET state = 'shredded', changed_at = now()
      WHERE t.state NOT IN ('shredded', 'dropped');
  END $body$;
"""


def founding_rights(roles: RoleNames) -> list[str]:
    """Who may call them: the founder, whom a gateway becomes for it, and the registry; never a tenant's role."""
    functions = "cell.claim(uuid, text, int, jsonb, text, int, uuid), cell.activate(uuid)"
    given_up = "cell.refuse(uuid, text)"
    return [
        f"GRANT USAGE ON SCHEMA cell TO {roles.founder};",
        f"REVOKE ALL ON FUNCTION {functions}, {given_up} FROM {roles.app};",
        f"GRANT EXECUTE ON FUNCTION {given_up} TO {roles.registry};",
        f"GRANT EXECUTE ON FUNCTION {functions} TO {roles.founder}, {roles.registry};",
    ]
