"""The partner's forms about open access: which of its groups have it, and asking for its renewal. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from app.access.pages.showing import RENEWED, Say, find_renewal
from app.access.pages.words import call, difference
from app.access.policy.delegations import covers, renewal_end
from app.access.queries.groups import MOST_SHOWN, StaffGroupView
from app.access.rights import ACTIVE, BREAK_GLASS
from app.access.schemas import DelegationOut, GroupGrant


def has_forms(one: DelegationOut) -> bool:
    """Whether the access is one that groups are chosen for, and that is renewed."""
    return one.state == ACTIVE and one.kind != BREAK_GLASS


def partner_forms(
    shown: Sequence[DelegationOut], groups: Sequence[StaffGroupView], place: str, typed: Mapping[str, Any], say: Say
) -> dict[str, dict[str, Any]]:
    """The forms of each open access by its key; the one at `place` with what was typed into it."""
    found = {}
    for one in filter(has_forms, shown):
        key = one.id.hex[-8:]
        grants = typed.get("grant") if place == f"groups-{key}" else None
        found[key] = {
            "groups": _groups(one, groups, grants, say),
            "renewal": _renewal(one, shown, typed if place == f"renewal-{key}" else None, say),
            "more": len(groups) >= MOST_SHOWN,
        }
    return found


def _groups(
    one: DelegationOut, groups: Sequence[StaffGroupView], grants: Sequence[str] | None, say: Say
) -> dict[str, Any]:
    """A row for each group, those first that have something here; `nobody`: what was chosen lets nobody in."""
    mapped = {each.id: each for each in one.groups}
    known = {group.id for group in groups}
    away = [StaffGroupView(each.id, each.name, 0) for each in one.groups if each.id not in known]
    gone, here = ([_row(one, group, mapped.get(group.id), grants, say) for group in some] for some in (away, groups))
    chosen = any(role["ticked"] for row in here for role in row["roles"])
    first = {str(each) for each in mapped}
    rows = [row | {"gone": True} for row in gone] + sorted(here, key=lambda row: row["id"] not in first)
    return {"rows": rows, "nobody": bool(mapped) and grants is None and not chosen}


def _row(
    one: DelegationOut, group: StaffGroupView, has: GroupGrant | None, grants: Sequence[str] | None, say: Say
) -> dict[str, Any]:
    own = has.roles if has else []
    narrower = [role for role in own if role not in one.roles and covers(one.roles, [role])]
    ticked = own if grants is None else [each.partition(":")[2] for each in grants if each.startswith(str(group.id))]
    roles = _briefly([_role(role, role in ticked, say) for role in [*one.roles, *narrower]])
    return {"id": str(group.id), "name": group.name, "people": group.people, "gone": False, "roles": roles}


def _briefly(roles: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The boxes without what sets narrowed roles apart, where their names do: the access says what it includes."""
    called = Counter(role["label"] for role in roles)
    return [role if called[role["label"]] > 1 else role | {"without": [], "only": []} for role in roles]


def _renewal(
    one: DelegationOut, shown: Sequence[DelegationOut], typed: Mapping[str, Any] | None, say: Say
) -> dict[str, Any] | None:
    """The form with what it begins with: the same roles, as long again. None while a renewal is open."""
    renewal = find_renewal(one, shown)
    if renewal is not None and renewal.state in RENEWED:
        return None
    usual = {
        "roles": one.roles,
        "reason": "" if one.kind == "default" else one.reason,
        "ends_on": renewal_end(one.starts_at, one.ends_at).isoformat(),
    }
    values = usual if typed is None else {name: typed.get(name, "") for name in usual}
    return values | {"roles": [_role(role, role in values["roles"], say) for role in one.roles]}


def _role(role: str, ticked: bool, say: Say) -> dict[str, Any]:  # noqa: FBT001 - a fact of the box
    """A box of a role: what it sends, what it is called, and what sets it apart from the whole role."""
    lost, kept = difference(role)
    return {
        "id": role,
        "label": say(call(role)),
        "without": [say(words) for words in lost] if len(lost) <= len(kept) else [],
        "only": [say(words) for words in kept] if len(lost) > len(kept) else [],
        "ticked": ticked,
    }
