"""What an onboarding held before and holds after: every value of its state, and every row of its workspace.

Nothing is listed field by field but what may move with a version; whatever else there is, or will be, is compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from app.flow.migration.standing import TOO_LATE
from tenants.tenant import Tenant
from tests.factories.installation import Installation

# What a version decides: dates, clocks and their reminders, where it stands, and what is open because of it.
MAY_MOVE = {"due_at", "due_cause", "timers", "reminders", "seq", "definition", "migrations", "migration", "parts"}
SETTLED = {"done", "skipped", "not_needed", "cancelled"}
# What grows with what is done, and what only says how far others are.
OWN_TABLES = {
    "onboarding",
    "item",
    "journal",
    "trail",
    "leaf",
    "command",
    "definition",
    "record",
    "clock",
    "delegation",
}
Place = tuple[str, ...]
_DATES = ("baseline", "pins")  # of a plan: what was planned, what people chose


def values_in(node: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every single value of a state, and where it stands."""
    if isinstance(node, Mapping):
        for name, value in node.items():
            yield from values_in(value, (*place, str(name)))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from values_in(value, (*place, str(number)))
    else:
        yield place, node


def look(node: Any, place: Place) -> Any:
    """What stands there; None where nothing does."""
    for word in place:
        if isinstance(node, list):
            node = node[int(word)] if int(word) < len(node) else None
        else:
            node = node.get(word) if isinstance(node, Mapping) else None
    return node


def lost(before: Any, after: Any, renamed: Mapping[str, str]) -> Iterator[str]:
    """Values that an onboarding had and that nothing of it holds any more; finished work that is not finished."""
    kept = _all_of(after, "departed")
    dates = {name: _all_of(after, name) for name in _DATES}
    for key, item in before["items"].items():
        now = after["items"].get(renamed.get(key, key)) or kept.get(key) or {}
        if item.get("state", "waiting") in SETTLED and now.get("state") != item["state"]:
            yield f"{key} was {item['state']} and is {now.get('state')}"
    for place, value in values_in(before):
        if MAY_MOVE & set(place) or _is_open(before, place):
            continue
        here = tuple(_renamed(word, renamed) for word in place)
        found = look(after, here)
        if found is None and place[0] == "items":
            found = look(kept, place[1:])
        if found is None and place[0] == "plan" and place[-1] in kept:
            found = look(dates, place[1:])  # the plan is the version's: what it does not have has its dates elsewhere
        if found is None and any(key in place and not _was_begun(before, key) for key in before["items"]):
            continue  # a step that nobody had begun and that the other version does not have
        said = _renamed(value, renamed) if isinstance(value, str) else value
        if found not in {value, said} if not isinstance(found, list | dict) else True:
            yield f"{'/'.join(place)} was {value!r} and is {found!r}"


def finished(state: Any) -> dict[str, Any]:
    """Of a state what nobody changes any more by going on: the finished items, with all that is in them, and dates."""
    items = {key: item for key, item in state["items"].items() if item.get("state", "waiting") in SETTLED}
    plan = state.get("plan") or {}
    dates = {name: {key: each for key, each in plan.get(name, {}).items() if key in items} for name in _DATES}
    return {"items": items, "plan": dates}


def _all_of(state: Any, name: str) -> dict[str, Any]:
    """What all migrations of a state have written down under that name."""
    return {key: each for made in state.get("migrations", ()) for key, each in made.get(name, {}).items()}


def _renamed(word: str, renamed: Mapping[str, str]) -> str:
    return renamed.get(word, word)


def _is_open(state: Any, place: Place) -> bool:
    """Whether it only says that a step is open, or since when: that follows from what stands before it."""
    if place[0] != "items" or place[-1] not in {"state", "opened_at"}:
        return False
    return state["items"][place[1]].get("state", "waiting") not in SETTLED


def _was_begun(state: Any, key: str) -> bool:
    item = state["items"][key]
    return item.get("state", "waiting") != "waiting" or bool({"answers", "assignee", "evidence"} & item.keys())


def fates_of(before: Any, after: Any, renamed: Mapping[str, str]) -> set[tuple[str, str | None, str | None]]:
    """What became of the items, seen in the states alone: beside those that go on under their names."""
    names = {key: renamed.get(key, key) for key in before["items"]}
    found: set[tuple[str, str | None, str | None]] = set()
    for key, becomes in names.items():
        if becomes not in after["items"]:
            found.add(("dropped", key, None))
        elif becomes != key:
            found.add(("kept", key, becomes))
    for key in after["items"].keys() - set(names.values()):
        late = after["items"][key].get("reason") == TOO_LATE
        found.add(("not_needed" if late else "added", None, key))
    return found


def rows_of(installation: Installation, tenant: Tenant) -> set[str]:
    """Every row of the workspace outside the tables that tell of the onboardings themselves."""
    names = installation.cell("SELECT table_name FROM information_schema.tables WHERE table_schema = %s", tenant.schema)
    found: set[str] = set()
    for name in {row.table_name for row in names} - OWN_TABLES:
        rows = installation.rows(tenant, f'SELECT to_jsonb(t) AS row FROM {{}}."{name}" t')  # noqa: S608 - names of ours
        found |= {f"{name} {json.dumps(row.row, sort_keys=True)}" for row in rows}
    return found


def gone_rows(before: set[str], after: set[str], renamed: Mapping[str, str]) -> set[str]:
    """Rows that are not there any more, but under another name of their item."""

    def moved(row: str) -> str:
        for was, becomes in renamed.items():
            row = row.replace(f'"{was}"', f'"{becomes}"')
        return row

    return {row for row in before if row not in after and moved(row) not in after}
