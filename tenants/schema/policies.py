"""Who may do what in `control` and `cell`, derived from the models: grants, row-level security, functions.

Put into the database by `tenants.schema.install` whenever this text changes. A table's `info["scope"]` names its rule.
"""

from __future__ import annotations

from sqlalchemy import Table

from tenants.metadata import CellRecord, ControlRecord, control_function, control_functions
from tenants.naming import RoleNames
from tenants.schema.founding import FOUNDING_FUNCTIONS, founding_rights
from tenants.schema.marks import FRESH, MARK_FUNCTIONS
from tenants.schema.trail import TRAIL_FUNCTIONS

_BELOW = "SELECT control.organisations_below()"

# A function, because a policy of org_edge that read org_edge would ask itself.
control_function(
    "organisations_below",
    arguments="",
    returns="SETOF uuid",
    partner=True,
    body=(
        "SELECT e.descendant_id FROM control.org_edge e"
        " WHERE e.ancestor_id = NULLIF(current_setting('app.organisation', true), '')::uuid"
    ),
)

# Whoever hands out jobs holds this advisory lock, shared; whoever stops it holds it alone. One number of ours.
HANDING_OUT = 0x51_1B_0A_D1

# `role` keeps the value of SET ROLE also inside a SECURITY DEFINER function, where current_user is the owner.
_CELL_FUNCTIONS = """
CREATE OR REPLACE FUNCTION cell.current_tenant() RETURNS uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cell, pg_temp AS
  $body$ SELECT s.tenant_id FROM cell.slot s WHERE s.role_name = current_setting('role') AND s.state = 'claimed' $body$;

CREATE OR REPLACE FUNCTION cell.enter(
    OUT tenant_id uuid, OUT state text, OUT database_now timestamptz, OUT business_now timestamptz, OUT revision text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cell, pg_temp AS
  $body$ SELECT s.tenant_id, t.state, now(), now() + c.shift, s.revision
         FROM cell.slot s JOIN cell.tenant t ON t.id = s.tenant_id CROSS JOIN cell.clock c
         WHERE s.role_name = current_setting('role') AND s.state = 'claimed' AND c.id = 1 $body$;

CREATE OR REPLACE FUNCTION cell.limits() RETURNS jsonb
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cell, pg_temp AS
  $body$ SELECT t.limits FROM cell.tenant t WHERE t.id = cell.current_tenant() $body$;

CREATE OR REPLACE FUNCTION cell.finish_job(
    p_id uuid, p_epoch int, p_state text, p_run_at timestamptz, p_error text) RETURNS boolean
  LANGUAGE sql SECURITY DEFINER SET search_path = cell, pg_temp AS
  $body$ UPDATE cell.job j SET state = p_state, run_at = COALESCE(p_run_at, j.run_at), last_error = p_error,
           lease_until = NULL, worker = NULL, deaths = CASE WHEN p_state = 'poisoned' THEN j.deaths END,
           finished_at = CASE WHEN p_state IN ('done', 'failed', 'poisoned') THEN now() END
         WHERE j.tenant_id = cell.current_tenant() AND j.id = p_id AND j.epoch = p_epoch AND j.state = 'running'
           AND p_state IN ('ready', 'done', 'failed', 'poisoned')
         RETURNING true $body$;

-- Two statements: the second sees what whoever held the lock (a drain) has changed.
CREATE OR REPLACE FUNCTION cell.begin_job(p_id uuid, p_worker text, p_seconds double precision) RETURNS int
  LANGUAGE sql SECURITY DEFINER SET search_path = cell, pg_temp AS
  $body$ SELECT pg_advisory_xact_lock_shared(HANDING_OUT);
         UPDATE cell.job j SET state = 'running', epoch = j.epoch + 1, attempts = j.attempts + 1, worker = p_worker,
           lease_until = now() + make_interval(secs => p_seconds)
         WHERE j.tenant_id = cell.current_tenant() AND j.id = p_id AND j.state = 'ready' AND j.lane IS NULL
           AND j.run_at <= now() AND NOT EXISTS (SELECT FROM cell.dispatch WHERE drained)
           AND (j.cap_key IS NULL OR (SELECT count(*) FROM cell.job o WHERE o.tenant_id = j.tenant_id
                AND o.cap_key = j.cap_key AND o.state IN ('dispatched', 'running')) < j.cap_most)
         RETURNING j.epoch $body$;

CREATE OR REPLACE FUNCTION cell.later_on_lane(p_id uuid) RETURNS uuid[]
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cell, pg_temp AS
  $body$ SELECT COALESCE(array_agg(j.id), '{}') FROM cell.job j JOIN cell.job o USING (tenant_id, lane, kind)
         WHERE o.tenant_id = cell.current_tenant() AND o.id = p_id AND j.id <> p_id AND j.state = 'ready' $body$;

CREATE OR REPLACE FUNCTION cell.finish_waiting(p_ids uuid[]) RETURNS int
  LANGUAGE sql SECURITY DEFINER SET search_path = cell, pg_temp AS
  $body$ WITH ended AS (UPDATE cell.job j SET state = 'done', finished_at = now()
           WHERE j.tenant_id = cell.current_tenant() AND j.id = ANY(p_ids) AND j.state = 'ready' AND j.lane IS NOT NULL
           RETURNING 1)
         SELECT count(*)::int FROM ended $body$;

CREATE OR REPLACE FUNCTION cell.retry_job(p_id uuid) RETURNS boolean
  LANGUAGE sql SECURITY DEFINER SET search_path = cell, pg_temp AS
  $body$ UPDATE cell.job j SET state = 'ready', attempts = 0, run_at = now(), finished_at = NULL, deaths = NULL
         WHERE j.tenant_id = cell.current_tenant() AND j.id = p_id AND j.state IN ('failed', 'poisoned', 'cancelled')
         RETURNING true $body$;

CREATE OR REPLACE FUNCTION cell.cancel_job(p_id uuid, p_reason text, OUT kind text, OUT args jsonb)
  LANGUAGE sql SECURITY DEFINER SET search_path = cell, pg_temp AS
  $body$ UPDATE cell.job j SET state = 'cancelled', finished_at = now(), last_error = p_reason, lease_until = NULL
         WHERE j.tenant_id = cell.current_tenant() AND j.id = p_id AND j.state IN ('ready', 'dispatched')
         RETURNING j.kind, j.args $body$;

CREATE OR REPLACE FUNCTION cell.holds_job(p_id uuid, p_epoch int) RETURNS boolean
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cell, pg_temp AS
  $body$ SELECT EXISTS (SELECT FROM cell.job j WHERE j.tenant_id = cell.current_tenant()
           AND j.id = p_id AND j.epoch = p_epoch AND j.state = 'running') $body$;

CREATE OR REPLACE FUNCTION cell.listen(
    p_endpoint uuid, p_patterns jsonb, p_ordered boolean, p_customers boolean DEFAULT NULL) RETURNS void
  LANGUAGE sql SECURITY DEFINER SET search_path = cell, pg_temp AS
  $body$ INSERT INTO cell.listener (tenant_id, endpoint_id, patterns, ordered, customers)
         VALUES (cell.current_tenant(), p_endpoint, p_patterns, p_ordered, p_customers)
         ON CONFLICT (tenant_id, endpoint_id) DO UPDATE
         SET patterns = excluded.patterns, ordered = excluded.ordered, customers = excluded.customers $body$;

CREATE OR REPLACE FUNCTION cell.listen_no_more(p_endpoint uuid) RETURNS void
  LANGUAGE sql SECURITY DEFINER SET search_path = cell, pg_temp AS
  $body$ DELETE FROM cell.listener l
         WHERE l.tenant_id = cell.current_tenant() AND l.endpoint_id = p_endpoint $body$;
""".replace("HANDING_OUT", str(HANDING_OUT))

# Functions are declared anew each time: one that changed its shape cannot be replaced in place, and one that is no
# longer declared must not stay callable. CASCADE takes their policies along; the script makes these again.
_DROP_FUNCTIONS = """
DO $drop$ DECLARE old regprocedure; BEGIN
  FOR old IN SELECT p.oid FROM pg_proc p WHERE p.pronamespace = '{schema}'::regnamespace LOOP
    EXECUTE 'DROP FUNCTION IF EXISTS ' || old || ' CASCADE';
  END LOOP;
END $drop$;
"""


def control_rules(roles: RoleNames) -> str:
    """Everything about rights in `control`, as one script that may run again and again."""
    lines = [
        # One function may call another that is made after it: in which order modules declare them must not matter.
        "SET check_function_bodies = off;",
        _DROP_FUNCTIONS.format(schema="control"),
        f"GRANT USAGE ON SCHEMA control TO {roles.door}, {roles.partner};",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA control FROM {roles.door}, {roles.partner}, PUBLIC;",
    ]
    for function in control_functions.values():
        lines += [
            function.ddl(),
            f"REVOKE ALL ON FUNCTION control.{function.name} FROM PUBLIC;",
            f"GRANT EXECUTE ON FUNCTION control.{function.name} TO {roles.door};",
        ]
        if function.partner:
            lines.append(f"GRANT EXECUTE ON FUNCTION control.{function.name} TO {roles.partner};")
    lines.append("RESET check_function_bodies;")
    for table in ControlRecord.metadata.sorted_tables:
        lines.append(f"ALTER TABLE {table.fullname} ENABLE ROW LEVEL SECURITY;")
        if visible := control_visibility(table):
            rights = table.info.get("rights", "SELECT, INSERT, UPDATE")
            lines += [
                f"DROP POLICY IF EXISTS by_organisation ON {table.fullname};",
                (
                    f"CREATE POLICY by_organisation ON {table.fullname} TO {roles.partner}"
                    f" USING ({visible}) WITH CHECK ({visible});"
                ),
                f"GRANT {rights} ON {table.fullname} TO {roles.partner};",
            ]
    return "\n".join(lines)


def control_visibility(table: Table) -> str | None:
    """The rule by which an organisation's scope sees a row of this table; None: lookup functions only."""
    scope = table.info.get("scope")
    if scope == "functions":
        return None
    if scope:
        return str(scope).format(below=_BELOW)
    if "organisation_id" in table.c:
        return f"organisation_id IN ({_BELOW})"
    return None


def cell_rules(roles: RoleNames) -> str:
    """Everything about rights in `cell`, as one script that may run again and again."""
    dispatched = ("outbox", "job", "timer", "partner_listener")
    lines = [
        _DROP_FUNCTIONS.format(schema="cell"),
        _CELL_FUNCTIONS,
        FOUNDING_FUNCTIONS,
        TRAIL_FUNCTIONS,
        MARK_FUNCTIONS,
        "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA cell FROM PUBLIC;",
        f"GRANT USAGE ON SCHEMA cell TO {roles.app}, {roles.dispatcher}, {roles.registry};",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA cell FROM {roles.app}, {roles.dispatcher}, {roles.registry}, PUBLIC;",
        f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA cell TO {roles.app};",
        *founding_rights(roles),
        f"GRANT SELECT ON cell.mark, cell.clock, cell.tenant, cell.slot TO {roles.dispatcher}, {roles.registry};",
        f"GRANT SELECT ON cell.fleet_step TO {roles.dispatcher};",
        f"GRANT SELECT, INSERT, UPDATE ON cell.dispatch, cell.share, cell.pace TO {roles.dispatcher};",
        f"GRANT UPDATE ON cell.tenant TO {roles.registry};",
        f"GRANT UPDATE ON cell.slot TO {roles.registry};",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(f'cell.{t}' for t in dispatched)} TO {roles.dispatcher};",
        f"GRANT SELECT, DELETE ON cell.inbox TO {roles.dispatcher};",
        f"GRANT SELECT ON cell.trail_mark, cell.trail_head, cell.listener TO {roles.dispatcher};",
    ]
    return "\n".join(
        [*lines, *(rule for table in CellRecord.metadata.sorted_tables for rule in _cell_table(table, roles))]
    )


def _cell_table(table: Table, roles: RoleNames) -> list[str]:
    """Row-level security of one table of the cell: tenants insert their own fresh rows, platform jobs see all."""
    name = table.fullname
    lines = [f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY;"]
    if fresh := FRESH.get(table.name):
        lines += [
            f"DROP POLICY IF EXISTS own_rows ON {name};",
            (
                f"CREATE POLICY own_rows ON {name} FOR INSERT TO {roles.app}"
                f" WITH CHECK (tenant_id = (SELECT cell.current_tenant()) AND {fresh});"
            ),
            f"GRANT INSERT ON {name} TO {roles.app};",
        ]
    readers = [roles.dispatcher] if table.name in FRESH else [roles.dispatcher, roles.registry]
    lines += [
        f"DROP POLICY IF EXISTS platform_jobs ON {name};",
        f"CREATE POLICY platform_jobs ON {name} TO {', '.join(readers)} USING (true) WITH CHECK (true);",
    ]
    return lines
