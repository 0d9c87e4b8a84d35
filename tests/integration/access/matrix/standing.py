"""All there is of a workspace and its partner, in every database: what a refused request must leave as it was."""

# ruff: noqa: S608 - names of our own tables

from __future__ import annotations

from typing import Any

from tests.integration.access.matrix.town import Town

# When something was last seen or used is no change; sign-in tries of strangers are theirs.
_PASSING = "ARRAY['seen_at', 'last_used_at', 'last_used_by', 'last_used_name', 'used_at', 'last_seen_at']"
_STRANGERS = frozenset({"sso_attempt", "alembic_version", "used_jti"})
_NOWHERE = """
    SELECT count(*) AS number FROM control.person p
    WHERE NOT EXISTS (SELECT FROM control.assignment a WHERE a.person_id = p.id)
      AND NOT EXISTS (SELECT FROM control.membership m WHERE m.person_id = p.id)"""
# A refusal is told in the trail; so is that a delegation is in use (`command` keeps that from being said twice).
_TOLD = (".refused", "access.delegation.entered")
_NOTED = {"command": " WHERE key NOT LIKE 'entered:%%'", "record": " WHERE kind <> 'refusal'"}
_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s ORDER BY table_name"
_ROWS = "md5(COALESCE(string_agg((to_jsonb(t) - {passing})::text, '|' ORDER BY (to_jsonb(t) - {passing})::text), ''))"


class Standing:
    """Looks at everything, twice; says which tables differ."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._before = self._look()
        self._told = self._entries()

    def differences(self) -> list[str]:
        """The tables that are not as they were; a trail only for entries that tell of no refusal."""
        now = self._look()
        changed = [name for name in now if now[name] != self._before[name]]
        entries = self._entries()[len(self._told) :]
        return changed + [action for action in entries if not action.endswith(_TOLD)]

    def _look(self) -> dict[str, Any]:
        town, found = self._town, {}
        rows = _ROWS.format(passing=_PASSING)
        for tenant in (town.acme, town.home):
            for table in self._tables(town.installation.cell, tenant.schema):
                if table != "trail":
                    noted = _NOTED.get(table, "")
                    query = f'SELECT {rows} AS sum FROM "{tenant.schema}"."{table}" t{noted}'
                    found[f"{tenant.name}.{table}"] = town.installation.cell(query)[0].sum
            for table in ("job", "timer"):
                query = f"SELECT {rows} AS sum FROM cell.{table} t WHERE tenant_id = %s AND kind NOT LIKE 'audit.%%'"
                found[f"{tenant.name} cell.{table}"] = town.installation.cell(query, tenant.id)[0].sum
        ours = "|".join(str(each) for each in (town.acme.id, town.doors.northwind))
        for table in self._tables(town.installation.control, "control"):
            if table not in _STRANGERS:
                # A key that was sent is remembered before anything is asked, without an answer: that is no change.
                answered = " AND status IS NOT NULL" if table == "command" else ""
                query = f"SELECT {rows} AS sum FROM control.{table} t WHERE t::text ~ %s{answered}"
                found[f"control.{table}"] = town.installation.control(query, ours)[0].sum
        found["people who belong nowhere"] = town.installation.control(_NOWHERE)[0].number
        return found

    def _entries(self) -> list[str]:
        town = self._town
        query = "SELECT action FROM {}.trail ORDER BY id"
        return [row.action for tenant in (town.acme,) for row in town.installation.rows(tenant, query)]

    @staticmethod
    def _tables(ask: Any, schema: str) -> list[str]:
        return [row.table_name for row in ask(_TABLES, schema)]
