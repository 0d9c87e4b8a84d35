"""Do the directory, the cells, their schemas, roles and rights say the same? One query a database, none a tenant.

What the servers' catalogs show wrong by themselves is asked in `tenants.schema.offences`; here the two are compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from tenants.engines import InstallationKey
from tenants.schema.offences import cell_offences, control_offences

IN_FLIGHT = 600  # seconds within which a creation or a change of state may still be on its way
_IMPORTS = 24  # times as long for an import: four hours
_AT_WORK = frozenset({"active", "suspended", "exporting"})
_DIRECTORY = """
    SELECT t.id::text, t.state, COALESCE(t.cell_name, 'main') AS cell, t.schema_name, t.role_name, t.gateway,
      t.state <> 'requested' AND NOT COALESCE(t.behind, false)
        AND COALESCE(t.changed_at, t.active_at, t.requested_at) < now() - make_interval(secs => %(young)s) AS settled,
      t.requested_at < now() - make_interval(secs => CASE t.state WHEN 'seeding' THEN {imports} ELSE 1 END * %(young)s)
        AS old,
      e.decided_at IS NOT NULL AS leaving, e.decided_at < now() - make_interval(secs => %(young)s) AS stuck
    FROM control.tenant t
    LEFT JOIN control.erasure e ON e.tenant_id = t.id AND e.state IN ('approved', 'shredded')
""".replace("{imports}", str(_IMPORTS))
_PLACES = """
    SELECT t.id::text, t.state, s.schema_name, s.role_name, s.gateway
    FROM cell.tenant t FULL JOIN cell.slot s ON s.tenant_id = t.id WHERE t.id IS NOT NULL OR s.tenant_id IS NOT NULL
"""
_MINUTES, _HOURS = IN_FLIGHT // 60, _IMPORTS * IN_FLIGHT // 3600
_UNFINISHED = {
    "requested": (
        "request stuck",
        f"was asked for more than {_MINUTES} minutes ago and is not finished",
        "`slipway dispatcher` resumes requests; its log says why this one fails.",
    ),
    "seeding": (
        "import stuck",
        f"began to be imported more than {_HOURS} hours ago and has not arrived",
        "Call `slipway tenants import` with the same file again, or have it erased (docs/export.md).",
    ),
    "leaving": (
        "erasure stuck",
        f"was agreed to be erased more than {_MINUTES} minutes ago and is not gone",
        "`slipway dispatcher` carries erasures out; its log says why this one fails.",
    ),
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One orphan or contradiction: what kind, of what, and the mend."""

    kind: str
    subject: str
    said: str
    mend: str


@dataclass(frozen=True, slots=True)
class Examined:
    """What was looked at and what is wrong; `unknown` are cells that no URL was given for."""

    tenants: int
    cells: tuple[str, ...]
    unknown: tuple[str, ...]
    troubles: tuple[Trouble, ...]


def examine_installation(
    key: InstallationKey, *, control_url: str, cell_urls: Mapping[str, str], young: int = IN_FLIGHT
) -> Examined:
    """Read the cells first and then the directory, since a creation commits the other way round. Changes nothing.

    What is younger than `young` seconds may be on its way and is no trouble. Raises psycopg.Error.
    """
    troubles: list[Trouble] = []
    places: dict[str, list[Any]] = {}
    roles: set[str] = set()
    held: set[str] = set()
    for name, url in cell_urls.items():
        with psycopg.connect(url, prepare_threshold=None, connect_timeout=10) as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            places[name] = connection.execute(_PLACES).fetchall()
            held |= {row[0] for row in connection.execute("SELECT role_name FROM cell.slot").fetchall()}
            found = connection.execute(cell_offences(key.roles)).fetchall()
        troubles += [Trouble(*row) for row in found if row[0] != "role without slot"]
        roles |= {row[1] for row in found if row[0] == "role without slot"}
    with psycopg.connect(control_url, prepare_threshold=None, connect_timeout=10) as connection:
        troubles += [Trouble(*row) for row in connection.execute(control_offences(key.roles)).fetchall()]
        directory = connection.execute(_DIRECTORY, {"young": young}).fetchall()
    unknown = {row[2] for row in directory} - set(cell_urls)
    if not unknown:  # the roles of a cell we cannot see would all look like orphans
        troubles += [_orphan_role(role) for role in sorted(roles - held)]
    troubles += compare(directory, places)
    once = tuple(dict.fromkeys(troubles))  # roles are the server's: each of its databases shows them
    return Examined(len(directory), tuple(cell_urls), tuple(sorted(unknown)), once)


def compare(directory: list[Any], places: Mapping[str, list[Any]]) -> Iterator[Trouble]:
    """Each tenant of the directory against its place, each place against the directory."""
    known = {(row[2], row[0]) for row in directory}
    by_id = {(cell, row[0]): row for cell, rows in places.items() for row in rows}
    for row in directory:
        if row[2] in places and (trouble := _compare_entry(row, by_id.get((row[2], row[0])))) is not None:
            yield trouble
    for (cell, tenant_id), row in by_id.items():
        if (cell, tenant_id) not in known and row[1] not in {"shredded", "dropped"}:
            said = f"is {row[1]} in the cell {cell}, and the directory does not know it"
            mend = "Restore its row in control.tenant from a backup, or erase it in the cell."
            yield Trouble("tenant without entry", f"tenant {tenant_id}", said, mend)


def _compare_entry(entry: Any, found: Any) -> Trouble | None:
    tenant_id, state, cell, *place, settled, old, leaving, stuck = entry
    subject = f"tenant {tenant_id}"
    if leaving or state in {"requested", "seeding"}:
        return _unfinished(subject, "leaving" if leaving else state) if (stuck if leaving else old) else None
    if found is None or found[2] is None:
        said = f"is {state} in the directory and has no place in the cell {cell}"
        lost = settled and state in _AT_WORK
        return Trouble("tenant without place", subject, said, "Restore the cell from its backup.") if lost else None
    if state == "dropped":
        said = f"was erased, and its place {found[2]} is still in the cell {cell}"
        return Trouble("place left", subject, said, "Ask for help with this line.") if settled else None
    if place != list(found[2:]):
        said = f"is in {found[2]} (gateway {found[4]}), the directory says {place[0]} (gateway {place[2]})"
        return Trouble("place differs", subject, said, "Correct control.tenant: the cell is right.")
    if settled and state != found[1]:
        said = f"is {state} in the directory and {found[1]} in its cell"
        return Trouble("state differs", subject, said, "Repeat the change of state.")
    return None


def _unfinished(subject: str, state: str) -> Trouble:
    """What comes or goes step by step is in one place sooner than in the other; only its time says what is wrong."""
    kind, said, mend = _UNFINISHED[state]
    return Trouble(kind, subject, said, mend)


def _orphan_role(role: str) -> Trouble:
    said = "belongs to no slot of any cell"
    return Trouble("role without slot", f"role {role}", said, f"As the owner: DROP OWNED BY {role}; DROP ROLE {role};")
