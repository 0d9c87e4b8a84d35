"""What a tenant's role may do with its trail beyond adding entries: functions of the cell that do one thing each."""

from __future__ import annotations

from hashlib import sha256

_EMPTY_ROOT = sha256(b"").hexdigest()  # RFC 6962 2.1: the root of a tree without leaves

# `hold_trail` lets one sequencer of a tenant work at a time: the head's row is its lock until the commit, and the marks
# it takes come back when it rolls back. Each statement of it sees what was committed before that statement began.
#
# `erase_trail_values` is the only way to change an entry, and all it can do is take away: of each entry of the calling
# tenant the named personal values and the salt. What the leaf says of them, their commitments, is untouched, so the
# tree still verifies. `keep` are keys of commitments whose values stay; `personal` are the commitments of an entry
# of an earlier build, which did not store them.
TRAIL_FUNCTIONS = f"""
CREATE OR REPLACE FUNCTION cell.hold_trail(p_most int,
    OUT size bigint, OUT root text, OUT note text, OUT entries jsonb)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = cell, pg_temp AS
  $body$
  #variable_conflict use_column
  DECLARE whose uuid := cell.current_tenant();
  BEGIN
    INSERT INTO cell.trail_head (tenant_id, size, root, note, changed_at)
      VALUES (whose, 0, '{_EMPTY_ROOT}', NULL, now()) ON CONFLICT DO NOTHING;
    SELECT h.size, h.root, h.note INTO size, root, note FROM cell.trail_head h WHERE h.tenant_id = whose FOR UPDATE;
    WITH taken AS (
      DELETE FROM cell.trail_mark m WHERE m.tenant_id = whose AND m.id IN (
        SELECT f.id FROM cell.trail_mark f WHERE f.tenant_id = whose ORDER BY f.id LIMIT p_most)
      RETURNING m.entries)
    SELECT COALESCE(jsonb_agg(t.entries), '[]') INTO entries FROM taken t;
  END $body$;

CREATE OR REPLACE FUNCTION cell.move_trail(p_from bigint, p_size bigint, p_root text, p_note text) RETURNS boolean
  LANGUAGE sql SECURITY DEFINER SET search_path = cell, pg_temp AS
  $body$ UPDATE cell.trail_head h SET size = p_size, root = p_root, note = COALESCE(p_note, h.note), changed_at = now()
         WHERE h.tenant_id = cell.current_tenant() AND h.size = p_from AND p_size >= p_from
           AND (p_size > p_from OR p_root = h.root)
         RETURNING true $body$;

CREATE OR REPLACE FUNCTION cell.read_trail(OUT size bigint, OUT root text, OUT note text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cell, pg_temp AS
  $body$ SELECT h.size, h.root, h.note FROM cell.trail_head h WHERE h.tenant_id = cell.current_tenant() $body$;

CREATE OR REPLACE FUNCTION cell.erase_trail_values(p_entries jsonb) RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = cell, pg_temp AS
  $body$
  DECLARE place text; changed bigint;
  BEGIN
    SELECT s.schema_name INTO STRICT place FROM cell.slot s
      WHERE s.role_name = current_setting('role') AND s.state = 'claimed';
    EXECUTE format($erase$
      UPDATE %I.trail t SET salt = '',
        actor_name = CASE WHEN e.drop ? 'actor_name' THEN '' ELSE t.actor_name END,
        reason = CASE WHEN e.drop ? 'reason' THEN NULL ELSE t.reason END,
        body = t.body - ARRAY(SELECT substr(d.path, 6) FROM jsonb_array_elements_text(e.drop) AS d(path)
                              WHERE d.path LIKE 'body.%%'
                                AND COALESCE(t.personal, e.personal)->'commitments' ? d.path),
        personal = COALESCE(t.personal, e.personal) || jsonb_build_object('keys', e.keep)
      FROM jsonb_to_recordset($1) AS e(id uuid, drop jsonb, keep jsonb, personal jsonb)
      WHERE t.id = e.id AND COALESCE(t.personal, e.personal) IS NOT NULL$erase$, place) USING p_entries;
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
  END $body$;
"""
