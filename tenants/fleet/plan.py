"""The plan of one upgrade: made once, kept in `control`, its rings dealt out in each `cell`. Nothing is changed yet."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from tenants.fleet.owner import Connection, Fleet, asking, held
from tenants.fleet.tree import FleetRefused, Revision

OPEN = ("planned", "running", "stopped", "halted", "incomplete")
CANARY, REST = "canary", "rest"
_SHARES = (("1 %", 0.01), ("10 %", 0.10))  # of what is left, rounded up; the rest follows


@dataclass(frozen=True, slots=True)
class Wish:
    """What the operator wants. `canaries` are ids of tenants or names of schemas; None: the operator's own homes."""

    to: str | None = None
    canaries: Sequence[str] | None = None
    soak_seconds: int = 300
    contract: bool = False
    one_ring: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A row of `control.fleet_plan`, with the revisions it names as this build compiles them."""

    id: UUID
    target: str
    chain: tuple[Revision, ...]
    rings: tuple[str, ...]
    soak_seconds: int
    state: str
    ring: int = 0
    forgiven: int = 0
    reason: str | None = None
    soak_until: datetime | None = None
    sizes: dict[str, int] = field(default_factory=dict)  # workspaces of each ring, known when the plan is made


@dataclass(frozen=True, slots=True)
class _Lagging:
    schema: str
    revision: str
    tenant_id: UUID | None


def make_plan(fleet: Fleet, wish: Wish) -> Plan | None:
    """Say what would bring every workspace to the target, and close an earlier plan that is at rest.

    None when every workspace is there already. Raises FleetRefused, FleetBusy, DatabaseAway.
    """
    target = wish.to or fleet.tree.head
    if fleet.tree.position(target) is None:
        raise FleetRefused(f"This build knows no tenant revision {target!r}. slipway fleet compile lists those it has.")
    with held(fleet) as control:
        lagging = {cell: _lagging(url, fleet, target) for cell, url in fleet.cell_urls.items()}
        found = [each.revision for rows in lagging.values() for each in rows]
        if not found:
            return None
        lowest = min(found, key=lambda revision: fleet.tree.position(revision) or 0)
        chain = fleet.tree.between(lowest, target)
        _refuse_contract(fleet, chain, found, contract=wish.contract)
        rings = (REST,) if wish.one_ring else (CANARY, *(name for name, _ in _SHARES), REST)
        plan = Plan(uuid4(), target, chain, rings, wish.soak_seconds, "planned")
        canaries = {str(each) for each in (_own_homes(control) if wish.canaries is None else wish.canaries)}
        dealt = {cell: _deal(rows, canaries, rings) for cell, rows in lagging.items()}
        _refuse_strangers(canaries if wish.canaries else set(), lagging)
        return _write(control, fleet, plan, dealt)


def find_plan(control: Connection, fleet: Fleet) -> Plan | None:
    """The newest plan that is not at its end, or None.

    Raises FleetRefused when this build compiles its revisions to something else than the build that made it.
    """
    row = control.execute(
        "SELECT id, target, revisions, rings, soak_seconds, state, ring, forgiven, reason, soak_until"
        " FROM control.fleet_plan WHERE state = ANY(%s) ORDER BY made_at DESC LIMIT 1",
        [list(OPEN)],
    ).fetchone()
    if row is None:
        return None
    known = {each.revision: each for each in fleet.tree.revisions}
    for revision, checksum in row.revisions:
        if revision not in known or known[revision].checksum != checksum:
            raise FleetRefused(
                f"Revision {revision} is not what it was when the fleet was planned. Go on with the build that made the"
                " plan, or make a new plan: slipway fleet plan"
            )
    chain = tuple(known[revision] for revision, _ in row.revisions)
    return Plan(
        row.id,
        row.target,
        chain,
        tuple(row.rings),
        row.soak_seconds,
        row.state,
        row.ring,
        row.forgiven,
        row.reason,
        row.soak_until,
    )


def note(control: Connection, plan: Plan, **changed: Any) -> Plan:  # Any: a value of whichever field is named
    """Write changed fields of the plan down; the plan with them."""
    sets = ", ".join(f"{name} = %s" for name in changed)
    control.execute(
        f"UPDATE control.fleet_plan SET {sets}, changed_at = now() WHERE id = %s".encode(), [*changed.values(), plan.id]
    )
    return replace(plan, **changed)


def count_below(connection: Connection, fleet: Fleet, target: str) -> int:
    """How many workspaces of a cell are not yet at the target: the no-op check of the whole cell, one query."""
    row = connection.execute(
        "SELECT count(*) AS below FROM cell.slot WHERE state = 'claimed' AND revision = ANY(%s)",
        [fleet.tree.before(target)],
    ).fetchone()
    return int(row.below) if row else 0


def _lagging(url: str, fleet: Fleet, target: str) -> list[_Lagging]:
    """Claimed slots below the target, in a random but repeatable order: schema names are random."""
    with asking(url) as connection:
        rows = connection.execute(
            "SELECT schema_name, revision, tenant_id FROM cell.slot WHERE state = 'claimed' AND revision <> %s"
            " ORDER BY schema_name",
            [target],
        ).fetchall()
    goal = fleet.tree.position(target) or 0
    strange = sorted({row.revision for row in rows if fleet.tree.position(row.revision) is None})
    if strange:
        raise FleetRefused(
            f"Workspaces are at revision {', '.join(strange)}, which this build does not know. A newer build has been"
            " here: plan with that one."
        )
    return [_Lagging(*row) for row in rows if (fleet.tree.position(row.revision) or 0) < goal]


def _refuse_contract(fleet: Fleet, chain: Sequence[Revision], found: Sequence[str], *, contract: bool) -> None:
    """What takes something away waits until every workspace has what replaces it, and somebody says so."""
    first = next((each for each in chain if each.kind == "contract"), None)
    if first is None:
        return
    before = fleet.tree.revisions[(fleet.tree.position(first.revision) or 0) - 1].revision
    ready = not set(found) & set(fleet.tree.before(before))
    if contract and ready:
        return
    steps = "" if ready else f" First: slipway fleet plan --to {before}, and apply it."
    raise FleetRefused(
        f"Revision {first.revision} takes away what a program of an earlier release may still use.{steps} Be sure that"
        " no such program runs; then: slipway fleet plan --contract"
    )


def _own_homes(control: Connection) -> list[str]:
    rows = control.execute(
        "SELECT t.id FROM control.tenant t JOIN control.organisation o ON o.id = t.organisation_id"
        " WHERE t.kind = 'home' AND o.kind = 'platform'"
    ).fetchall()
    return [str(row.id) for row in rows]


def _refuse_strangers(canaries: set[str], lagging: dict[str, list[_Lagging]]) -> None:
    known = {name for rows in lagging.values() for each in rows for name in (each.schema, str(each.tenant_id))}
    if strange := sorted(canaries - known):
        raise FleetRefused(f"No workspace that has to be upgraded is called {', '.join(strange)}. Nothing was planned.")


def _deal(rows: Sequence[_Lagging], canaries: set[str], rings: Sequence[str]) -> list[tuple[str, int]]:
    """Which ring each schema of a cell is in. Without a canary of its own a cell sends its first workspace ahead."""
    if len(rings) == 1:
        return [(each.schema, 0) for each in rows]
    ahead = [each.schema for each in rows if {each.schema, str(each.tenant_id)} & canaries]
    ahead = ahead or [each.schema for each in rows[:1]]
    left = [each.schema for each in rows if each.schema not in set(ahead)]
    dealt, begin = [(schema, 0) for schema in ahead], 0
    for ring, (_name, share) in enumerate(_SHARES, 1):
        size = math.ceil(len(left) * share)
        dealt += [(schema, ring) for schema in left[begin : begin + size]]
        begin += size
    return dealt + [(schema, len(rings) - 1) for schema in left[begin:]]


def _write(control: Connection, fleet: Fleet, plan: Plan, dealt: dict[str, list[tuple[str, int]]]) -> Plan:
    """The old plan ends, the steps are dealt, the new plan begins: killed in between, none is open, one plans anew."""
    control.execute(
        "UPDATE control.fleet_plan SET state = 'abandoned', changed_at = now() WHERE state = ANY(%s)", [list(OPEN)]
    )
    for cell, steps in dealt.items():
        with asking(fleet.cell_urls[cell]) as connection, connection.transaction():
            connection.execute("DELETE FROM cell.fleet_step")
            connection.execute(
                "INSERT INTO cell.fleet_step (schema_name, plan_id, ring, state, attempts, changed_at)"
                " SELECT schema, %s, ring, 'waiting', 0, now() FROM unnest(%s::text[], %s::int[]) AS d(schema, ring)",
                [plan.id, [schema for schema, _ in steps], [ring for _, ring in steps]],
            )
    control.execute(
        "INSERT INTO control.fleet_plan (id, target, revisions, rings, soak_seconds, state, ring, forgiven, made_at,"
        " changed_at) VALUES (%s, %s, %s, %s, %s, 'planned', 0, 0, now(), now())",
        [
            plan.id,
            plan.target,
            json.dumps([[each.revision, each.checksum] for each in plan.chain]),
            json.dumps(plan.rings),
            plan.soak_seconds,
        ],
    )
    sizes = Counter(plan.rings[ring] for steps in dealt.values() for _, ring in steps)
    return replace(plan, sizes=dict(sizes))
