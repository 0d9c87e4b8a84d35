"""What the operator's page of jobs shows of the counts: totals by state, queues by how long they wait, groups."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from app.kernel.queue.care.found import STATES, Group
from app.kernel.queue.fair.rule import WEIGHTS
from app.tenancy.care.bulk import STATES_FOR
from tenants.engines import Databases
from tenants.sessions import partner_session

_MOST: Final = 100  # groups a page shows, the biggest first; the choice narrows them
_LATE: Final = 120.0  # seconds from which on a queue counts as late, as for the door


def names_of(databases: Databases, organisation_id: UUID, tenants: Collection[UUID]) -> dict[UUID, str]:
    """What the workspaces are called; one that is not in the directory is left out."""
    with partner_session(databases, organisation_id, actor="operator") as (session, _now):
        return {row.id: row.name for row in session.execute(_NAMES, {"tenants": list(tenants)})}


def shown(everything: Sequence[Group], chosen: Sequence[Group], names: Mapping[UUID, str]) -> dict[str, Any]:
    """The page's figures; `everything` is without a choice, `chosen` what fits it."""
    totals = Counter[str]()
    for group in everything:
        totals[group.state] += group.number
    rows = sorted(chosen, key=lambda group: (-group.number, group.kind, group.state, str(group.tenant_id)))
    return {
        "totals": [{"state": state, "count": totals[state]} for state in STATES],
        "queues": _queues(everything),
        "kinds": sorted({group.kind for group in everything}),
        "groups": [_row(group, names) for group in rows[:_MOST]],
        "hidden": len(rows[_MOST:]),
        "meant": {act: sum(g.number for g in chosen if g.state in states) for act, states in STATES_FOR.items()},
    }


def _queues(everything: Sequence[Group]) -> list[dict[str, Any]]:
    waiting, under_way, waits = Counter[str](), Counter[str](), defaultdict[str, float](float)
    for group in everything:
        waiting[group.queue] += group.number if group.state == "ready" else 0
        under_way[group.queue] += group.number if group.state in {"dispatched", "running"} else 0
        waits[group.queue] = max(waits[group.queue], group.waits)
    longest = max([_LATE, *waits.values()])
    return [
        {
            "name": queue,
            "waiting": waiting[queue],
            "under_way": under_way[queue],
            "oldest": waits[queue],
            "share": waits[queue] / longest,
            "late": waits[queue] > _LATE,
        }
        for queue in WEIGHTS
    ]


def _row(group: Group, names: Mapping[UUID, str]) -> dict[str, Any]:
    return {
        "state": group.state,
        "kind": group.kind,
        "queue": group.queue,
        "tenant": str(group.tenant_id),
        "name": names.get(group.tenant_id, ""),
        "number": group.number,
        "retried": group.retried,
        "oldest": group.oldest,
        "waits": group.waits,
    }


_NAMES = text("SELECT id, name FROM control.tenant WHERE id = ANY(CAST(:tenants AS uuid[]))")
