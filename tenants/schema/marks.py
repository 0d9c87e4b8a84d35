"""What a change writes in its last statements, as functions of the cell.

Those that write the tenant's own tables run as whoever calls them, with no `search_path` and no rights of their own:
`trail` is the caller's `trail`. As plain statements they would be parsed and planned each time, half of what a step
costs the server. What goes into the cell's tables is the same for every tenant, so its plans stay: that function runs
with the owner's rights, and refuses what a tenant's role may not insert (`FRESH`).

`p_whose` is a row of one of the tenant's tables (NULL, and never looked at). PL/pgSQL keeps a function's plans for each
combination of argument types: so a server process has one set for each tenant it works for. Otherwise the next tenant's
step would throw them away and plan anew, a tenth of what a step costs.
"""

from __future__ import annotations

# Every column by name: one that is missing here would be NULL for ever (tests/unit/kernel/test_marks.py).
MARKS = {
    "trail": (
        "id, at, actor_kind, actor_id, actor_name, on_behalf_of, action, subject_kind, subject_id, onboarding_id,"
        " reason, trace_id, body, salt, leaf_hash, personal"
    ),
    "cell.trail_mark": "tenant_id, id, entries, made_at",
    "cell.outbox": "tenant_id, id, type, lane, lane_seq, state, trace_id, created_at",
    "cell.job": (
        "tenant_id, id, kind, queue, args, lane, lane_seq, dedupe_key, run_at, state, attempts, epoch, worker,"
        " lease_until, last_error, trace_id, created_at, finished_at, cap_key, cap_most, deaths"
    ),
    "cell.timer": "tenant_id, id, kind, subject_id, version, args, due_at, state, trace_id, created_at, fired_at",
    "command": "key, fingerprint, result, at",
    "journal": "onboarding_id, seq, at, actor_kind, actor_id, event, commands, moves",
    "message": "id, onboarding_id, kind, recipient_id, email, locale, facts, state, queued_at, sent_at, error",
}
# What the engine changes in an item's row.
ITEM_COLUMNS = (
    *("state", "assignee", "opened_at", "settled_at", "due_at", "due_cause", "answers", "result", "evidence"),
    *("settled_by", "decision", "reason", "request"),
)
_ASKED_ONCE = {"cell.job"}  # the same dedupe key asks for nothing more
_CELL = tuple(table for table in MARKS if table.startswith("cell."))
# What the app may insert is a fresh row only: a tenant cannot write a finished job or a fired timer.
FRESH = {
    "outbox": "state = 'new'",
    "job": (
        "state = 'ready' AND attempts = 0 AND epoch = 0 AND worker IS NULL AND lease_until IS NULL"
        " AND finished_at IS NULL AND deaths IS NULL"
    ),
    "timer": "state = 'waiting' AND fired_at IS NULL",
    "inbox": "true",
    "trail_mark": "true",
    "listener": "true",
    "trail_head": "true",  # the one row of a tenant that arrives with its trail; afterwards only functions change it
}


# Of a state, what has its default is not stored (app/flow/state.py); these are those that a row may not leave empty.
ITEM_DEFAULTS = {"state": "waiting", "answers": "{}", "result": "{}", "request": "0"}


def mark_name(table: str) -> str:
    """What the rows of a table are called among the marks."""
    return table.removeprefix("cell.")


def _insert(table: str) -> str:
    name, columns = mark_name(table), MARKS[table]
    once = " ON CONFLICT DO NOTHING" if table in _ASKED_ONCE else ""
    rows = f"jsonb_populate_recordset(NULL::{table}, p_rows->'{name}')"
    return (
        f"IF p_rows ? '{name}' THEN\n"
        f"      INSERT INTO {table} ({columns}) SELECT {_own(table)} FROM {rows}{once};\n"
        "    END IF;"
    )


def _own(table: str) -> str:
    """The columns to take from a row. Of the cell's tables a tenant's row is taken, if it is fresh; else it raises."""
    columns = MARKS[table]
    if table not in _CELL:
        return columns
    asked = f"tenant_id = v_tenant AND {FRESH[mark_name(table)]}"
    return columns.replace("tenant_id", f"CASE WHEN {asked} THEN tenant_id ELSE cell.refuse_mark() END", 1)


def _now(name: str) -> str:
    """What a column becomes: what the state says of the item, or the default that it leaves out."""
    found = f"(changed.now).{name}"
    return f"coalesce({found}, '{ITEM_DEFAULTS[name]}')" if name in ITEM_DEFAULTS else found


_SET = ", ".join(f"{name} = {_now(name)}" for name in ITEM_COLUMNS)
_NEWLINE = "\n    "

MARK_FUNCTIONS = f"""
CREATE OR REPLACE FUNCTION cell.refuse_mark() RETURNS uuid LANGUAGE plpgsql AS
  $body$ BEGIN
    RAISE insufficient_privilege USING MESSAGE = 'a mark of another tenant, or one that is not fresh';
  END $body$;

CREATE OR REPLACE FUNCTION cell.write_cell_marks(p_rows jsonb) RETURNS void LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = cell, pg_temp AS
  $body$ DECLARE v_tenant uuid := cell.current_tenant(); BEGIN
    {_NEWLINE.join(_insert(table) for table in _CELL)}
  END $body$;

CREATE OR REPLACE FUNCTION cell.write_marks(p_rows jsonb, p_whose anyelement) RETURNS void LANGUAGE plpgsql AS
  $body$ BEGIN
    IF p_rows - ARRAY[{", ".join(f"'{mark_name(table)}'" for table in MARKS)}] <> '{{}}' THEN
      RAISE undefined_table USING MESSAGE = 'a mark that this cell does not know: run slipway install';
    END IF;
    {_NEWLINE.join(_insert(table) for table in MARKS if table not in _CELL)}
    IF p_rows ?| ARRAY[{", ".join(f"'{mark_name(table)}'" for table in _CELL)}] THEN
      PERFORM cell.write_cell_marks(p_rows);
    END IF;
  END $body$;

CREATE OR REPLACE FUNCTION cell.write_state(
    p_whose anyelement, p_onboarding uuid, p_seq int, p_state text, p_snapshot jsonb, p_changed jsonb)
  RETURNS void LANGUAGE plpgsql AS
  $body$ BEGIN
    IF p_changed = '[]' THEN
      UPDATE onboarding SET snapshot = p_snapshot, seq = p_seq, state = p_state WHERE id = p_onboarding;
      RETURN;
    END IF;
    WITH changed AS MATERIALIZED (
      SELECT key, jsonb_populate_record(NULL::item, p_snapshot->'items'->key) AS now
        FROM jsonb_array_elements_text(p_changed) AS key
    ), items AS (
      UPDATE item SET {_SET} FROM changed WHERE item.onboarding_id = p_onboarding AND item.key = changed.key
    )
    UPDATE onboarding SET snapshot = p_snapshot, seq = p_seq, state = p_state WHERE id = p_onboarding;
  END $body$;

CREATE OR REPLACE FUNCTION cell.write_states(p_whose anyelement, p_states jsonb) RETURNS void LANGUAGE plpgsql AS
  $body$ DECLARE v_one jsonb; BEGIN
    FOR v_one IN SELECT * FROM jsonb_array_elements(p_states) LOOP
      PERFORM cell.write_state(p_whose, (v_one->>'onboarding')::uuid, (v_one->>'seq')::int, v_one->>'state',
                               v_one->'snapshot', v_one->'changed');
    END LOOP;
  END $body$;
"""
