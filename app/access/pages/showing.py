"""From delegations to what their pages show: sentences' facts, sorted by what waits for the reader first. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.access.pages.words import ABILITIES, ROLE_NAMES, abilities, call
from app.access.policy.delegations import GLASS_ROLES, NOTICES
from app.access.policy.names import read_name
from app.access.policy.words import word_of
from app.access.queries.index import IndexLine
from app.access.schemas import DelegationOut, ExplanationOut

Say = Callable[[str], str]
RENEWED = frozenset({"requested", "active"})  # states of a renewal beside which there is no other


def access_page(
    shown: Sequence[DelegationOut], names: Mapping[UUID, str], now: datetime, say: Say
) -> dict[str, list[dict[str, Any]]]:
    """What waits for an answer, what is open (in an emergency first), and what is over."""
    lines = [_line(one, names, now, say) | {"renewed": _renewed(one, shown)} for one in shown]
    opened = [line for line in lines if line["state"] == "active"]
    return {
        "waiting": [line for line in lines if line["state"] == "requested"],
        "open": sorted(opened, key=lambda line: (line["kind"] != "break_glass", line["ends_at"])),
        "over": [line for line in lines if line["state"] not in {"requested", "active"}][:20],
    }


def _line(one: DelegationOut, names: Mapping[UUID, str], now: datetime, say: Say) -> dict[str, Any]:
    plain = ("version", "kind", "state", "reason", "starts_at", "ends_at", "requested_at", "decided_at", "last_used_at")
    texts = ("requested_by", "decided_by", "ended_by", "end_reason", "last_used_by")
    return (
        {name: getattr(one, name) for name in plain}
        | {name: getattr(one, name) or "" for name in texts}
        | {
            "id": str(one.id),
            "key": one.id.hex[-8:],
            "organisation": names.get(one.organisation_id, ""),
            "abilities": _abilities(one.roles, say),
            "roles": list(dict.fromkeys(say(call(role)) for role in one.roles)),
            "narrowed": sorted(one.roles) != sorted(one.requested_roles),
            "groups": [group.name for group in one.groups],
            "begins_later": one.starts_at > now,
            "expiring": one.ends_at - now <= timedelta(days=max(NOTICES)),
            "ended_at": one.ended_at or one.decided_at or one.ends_at,
            "renewal": one.renewal_of is not None,
        }
    )


def find_renewal(one: DelegationOut, shown: Sequence[DelegationOut]) -> DelegationOut | None:
    """The newest access that was asked for to go on with this one; `shown` begins with the newest."""
    return next((each for each in shown if each.renewal_of == one.id), None)


def _renewed(one: DelegationOut, shown: Sequence[DelegationOut]) -> dict[str, Any] | None:
    """How the renewal stands, and where it is on the page."""
    renewal = find_renewal(one, shown)
    if renewal is None:
        return None
    kind = {"requested": "request", "active": "access"}.get(renewal.state)
    return {
        "state": renewal.state,
        "asked_at": renewal.requested_at,
        "ends_at": renewal.ends_at,
        "reason": renewal.end_reason or "",
        "place": f"#{kind}-{renewal.id.hex[-8:]}" if kind else "",
    }


def _abilities(roles: Sequence[str], say: Say) -> list[dict[str, Any]]:
    return [
        {"name": say(name), "items": [{"permission": str(each.permission), "words": say(each.words)} for each in group]}
        for name, group in abilities(roles)
    ]


def index_lines(lines: Sequence[IndexLine], say: Say) -> list[dict[str, Any]]:
    """The lines of a partner's list over all its customers."""
    return [
        {
            "name": line.tenant_name,
            "path": f"/t/{line.tenant_id}/access",
            "state": line.state,
            "kind": line.kind,
            "roles": list(dict.fromkeys(say(call(role)) for role in line.roles)),
            "reason": line.reason,
            "ends_at": line.ends_at,
        }
        for line in lines
    ]


def role_offers(say: Say, *, emergency: bool = False) -> list[dict[str, str]]:
    """The roles that a partner can ask for."""
    offered = (role for role in ROLE_NAMES if not emergency or role in GLASS_ROLES)
    return [{"id": str(role), "label": say(ROLE_NAMES[role])} for role in offered]


def asked_about(say: Say) -> list[dict[str, str]]:
    """What one can ask the reason of, in words."""
    return [
        {"id": str(permission), "label": f"{say(name)}: {say(words)}"}
        for name, group in ABILITIES.items()
        for permission, words in group
    ]


def explanation_page(told: ExplanationOut, say: Say) -> dict[str, Any]:
    """An explanation in words."""
    words = {str(permission): say(text) for group in ABILITIES.values() for permission, text in group}
    return {
        "permission": told.permission,
        "what": words.get(told.permission) or say(word_of(told.permission)),
        "allowed": told.allowed,
        "told": say(told.told),
        "rule": told.rule or "",
        "step_up": told.step_up,
        "decided_by": [
            {"role": say(call(each.role)), "source": each.source, "own": _is_narrowed(each.role)}
            for each in told.decided_by
        ],
        "assigned": [
            {"organisation": one.organisation, "role": one.own_name or say(call(one.role or ""))}
            for one in told.assigned
            if one.role and one.means
        ],
        "delegations": [
            {"state": one.state, "ends_at": one.ends_at, "would_allow": one.would_allow} for one in told.delegations
        ],
        "roles_that_allow": [say(call(role)) for role in told.roles_that_allow],
    }


def _is_narrowed(role: str) -> bool:
    name = read_name(role)
    return name is not None and bool(name.without)
