"""Who has access to a workspace: both sides, each state, and a form that was sent back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.look.examples.facts import CUSTOMER, KEY, PARTNER, Context, days

_ABILITIES = [
    {
        "name": "See",
        "items": [
            {"permission": "onboarding:onboarding:read", "words": "how your onboardings stand"},
            {"permission": "audit:trail:read", "words": "the trail of who did what"},
        ],
    },
    {"name": "Change", "items": [{"permission": "onboarding:task:complete", "words": "finish the partner's steps"}]},
]


def _one(key: str, state: str, **more: Any) -> dict[str, Any]:
    return {
        "id": f"0192f0c1-0000-7000-8000-0000{key}",
        "key": key,
        "version": 2,
        "organisation": "Northwind",
        "kind": "standard",
        "state": state,
        "reason": "Go-live support",
        "abilities": _ABILITIES,
        "roles": ["Customer success", "Implementation"],
        "narrowed": False,
        "groups": [],
        "starts_at": days(-3),
        "ends_at": days(60),
        "begins_later": False,
        "expiring": False,
        "requested_by": "Dana Kowalski",
        "requested_at": days(-4),
        "decided_by": "",
        "decided_at": None,
        "ended_by": "",
        "ended_at": days(-1),
        "end_reason": "",
        "last_used_by": "",
        "last_used_at": None,
        "renewal": False,
    } | more


_GIVEN = {
    "decided_by": "Maria Lopez",
    "decided_at": days(-3),
    "last_used_by": "Dana Kowalski",
    "last_used_at": days(-1),
}
_WAITING = _one("0000aaaa", "requested", version=1)
_OPEN = [
    _one("0000bbbb", "active", kind="break_glass", reason="The import is stuck", ends_at=days(0)),
    _one("0000cccc", "active", narrowed=True, expiring=True, groups=["Care team"], **_GIVEN),
    _one("0000dddd", "active", begins_later=True, starts_at=days(60), renewal=True, **_GIVEN),
    _one("0000eeee", "active", kind="default"),
]
_OVER = [
    _one("0000ffff", "ended", ended_by="customer", end_reason="The project is done"),
    _one("00000001", "expired", ended_by="time"),
    _one("00000002", "declined", end_reason="Not now"),
    _one("00000003", "withdrawn", ended_by="partner", kind="break_glass"),
]
_OFFERS = [{"id": "csm", "label": "Customer success"}, {"id": "technical", "label": "Technical"}]
_WHY = {
    "permission": "onboarding:gate:decide",
    "what": "decide at gates",
    "allowed": False,
    "told": "Refused: there is access that would allow it, and it is not open now.",
    "rule": "",
    "step_up": False,
    "decided_by": [],
    "assigned": [{"organisation": "Northwind", "role": "Onboarding lead"}],
    "delegations": [{"state": "expired", "ends_at": days(-5), "would_allow": True}],
    "roles_that_allow": ["Onboarding lead"],
}
_ALLOWED = _WHY | {
    "allowed": True,
    "told": "Allowed: a role that is held here includes it.",
    "rule": "p, onboarding_lead, onboarding:gate:decide, allow",
    "decided_by": [{"role": "Onboarding lead", "source": "delegation", "own": True}],
}
_PAGE: Context = {
    "chrome": replace(CUSTOMER, path="/t/0192f0c1/access"),
    "side": "customer",
    "tenant": {"name": "Contoso", "path": "/t/0192f0c1"},
    "waiting": [_WAITING],
    "open": _OPEN,
    "over": _OVER,
    "may": {"approve": True, "end": True, "ask": False, "break": False},
    "offers": _OFFERS,
    "emergency_offers": _OFFERS,
    "questions": [{"id": "onboarding:gate:decide", "label": "Decide and let in: decide at gates"}],
    "why": None,
    "action": "/t/0192f0c1/access",
    "place": "",
    "typed": {},
    "errors": [],
    "trouble": "",
    "command_key": KEY,
}
_STAFF = _PAGE | {
    "chrome": replace(PARTNER, path="/t/0192f0c1/access"),
    "side": "partner",
    "may": {"approve": False, "end": True, "ask": True, "break": True},
}
_WRONG = {"errors": [("roles", "Choose at least one role of the partner's staff.")], "typed": {"reason": "Go-live"}}
_PAGES = [
    _PAGE,
    _PAGE | {"waiting": [], "open": [], "over": []},
    _PAGE | {"place": "approval-0000aaaa", "errors": [("ends_on", "That time has passed already.")]},
    _PAGE | {"place": "end-0000cccc", "errors": [("reason", "Say why.")], "typed": {"reason": ""}, "why": _ALLOWED},
    _PAGE | {"place": "narrowing-gone0000", "trouble": "This access has moved on since.", "waiting": []},
    _PAGE | {"may": {"approve": False, "end": False, "ask": False, "break": False}},
    _STAFF | {"why": _WHY},
    _STAFF | {"waiting": [], "open": [], "over": [], "place": "ask"} | _WRONG,
    _STAFF | {"place": "emergency"} | _WRONG,
]
_EACH = [page | {"one": page["open"][1] if page["open"] else _WAITING, "ticks": ""} for page in _PAGES]
_LINE = {
    "name": "Contoso",
    "path": "/t/0192f0c1/access",
    "state": "active",
    "kind": "standard",
    "roles": ["Customer success"],
    "reason": "Go-live support",
    "ends_at": days(60),
}
_LIST: Context = {
    "chrome": replace(PARTNER, path="/delegations"),
    "state": "open",
    "q": "",
    "lines": [_LINE, _LINE | {"name": "Fabrikam", "kind": "break_glass", "ends_at": days(0)}],
    "first": False,
    "older": "next-page",
}
EXAMPLES: dict[str, list[Context]] = {
    "access/access.html": _PAGES,
    "access/_abilities.html": [*_EACH, _EACH[0] | {"ticks": "approval-1"}],
    "access/_ask.html": [each for each in _EACH if each["may"]["ask"]],
    "access/_end.html": _EACH,
    "access/_open.html": _EACH,
    "access/_over.html": _EACH,
    "access/_waiting.html": [each | {"one": _WAITING} for each in _EACH],
    "access/_why.html": _EACH,
    "access/delegations.html": [_LIST, _LIST | {"lines": [], "state": "over", "q": "con", "first": True, "older": ""}],
}
