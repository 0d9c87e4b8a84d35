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
        "roles": ["Customer success manager", "Implementation"],
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
        "renewed": None,
    } | more


def _role(label: str, role: str, *, ticked: bool = False, **less: list[str]) -> dict[str, Any]:
    return {"id": role, "label": label, "without": [], "only": [], "ticked": ticked} | less


def _group(name: str, people: int, *roles: dict[str, Any], gone: bool = False) -> dict[str, Any]:
    made = f"0192f0c1-0000-7000-8000-{len(name):012}"
    return {"id": made, "name": name, "people": people, "gone": gone, "roles": list(roles)}


_BOTH = (
    _role("Customer success manager", "csm"),
    _role("Implementation", "implementation!x:y:z", without=["connect systems; credentials stay unreadable"]),
)
_LITTLE = _role("Onboarding lead", "onboarding_lead!x:y:z", only=["how your onboardings stand"])
_PLAIN = (_role("Customer success manager", "csm"), _role("Implementation", "implementation!x:y:z"))
_TICKED = _role("Customer success manager", "csm", ticked=True)
_GROUPS = [
    _group("Contractors", 0, _TICKED, _PLAIN[1], gone=True),
    _group("Care team", 4, _TICKED, _PLAIN[1]),
    _group("Data & integration, Bristol", 1, *_PLAIN),
    _group("Field engineers", 27, *_PLAIN, _role("Onboarding lead", "onboarding_lead!x:y:z")),
]
_RENEWAL = {
    "roles": [each | {"ticked": True} for each in (*_BOTH, _LITTLE)],
    "reason": "Go-live support",
    "ends_on": "2027-01-31",
}


def _forms(rows: list[dict[str, Any]], *, nobody: bool = False, renewal: Any = None) -> dict[str, Any]:
    """The partner's forms about one open access."""
    return {"groups": {"rows": rows, "nobody": nobody}, "renewal": renewal, "more": len(rows) > 3}


def _renewed(state: str, *, place: str = "", reason: str = "") -> dict[str, Any]:
    """How the renewal of an open access stands."""
    return {"state": state, "asked_at": days(-1), "ends_at": days(120), "reason": reason, "place": place}


_GIVEN = {
    "decided_by": "Maria Lopez",
    "decided_at": days(-3),
    "last_used_by": "Dana Kowalski",
    "last_used_at": days(-1),
}
_WAITING = _one("0000aaaa", "requested", version=1)
_OPEN = [
    _one("0000bbbb", "active", kind="break_glass", reason="The import is stuck", ends_at=days(0)),
    _one("0000cccc", "active", narrowed=True, expiring=True, groups=["Contractors", "Care team"], **_GIVEN),
    _one("0000dddd", "active", begins_later=True, starts_at=days(60), renewal=True, **_GIVEN),
    _one("0000eeee", "active", kind="default", renewed=_renewed("declined", reason="Not before the audit")),
    _one("0000abcd", "active", expiring=True, renewed=_renewed("requested", place="#request-0000aaaa"), **_GIVEN),
    _one("0000abce", "active", expiring=True, renewed=_renewed("active", place="#access-0000dddd"), **_GIVEN),
]
_OVER = [
    _one("0000ffff", "ended", ended_by="customer", end_reason="The project is done"),
    _one("00000001", "expired", ended_by="time"),
    _one("00000002", "declined", end_reason="Not now"),
    _one("00000003", "withdrawn", ended_by="partner", kind="break_glass"),
]
_OFFERS = [{"id": "csm", "label": "Customer success manager"}, {"id": "technical", "label": "Technical specialist"}]
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
    "may": {"approve": True, "end": True, "ask": False, "break": False, "connect": False},
    "forms": {},
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
_STAFF_MAY = {"approve": False, "end": True, "ask": True, "break": True, "connect": True}
_OPEN_FORMS = {
    "0000cccc": _forms(_GROUPS, renewal=_RENEWAL),
    "0000dddd": _forms([], renewal=_RENEWAL),
    "0000eeee": _forms(_GROUPS[1:], renewal=_RENEWAL | {"reason": ""}),
    "0000abcd": _forms(_GROUPS[2:]),
    "0000abce": _forms(_GROUPS[:1], nobody=True),
}
_STAFF = _PAGE | {
    "chrome": replace(PARTNER, path="/t/0192f0c1/access"),
    "side": "partner",
    "may": _STAFF_MAY,
    "forms": _OPEN_FORMS,
}
_WRONG = {"errors": [("roles", "Choose at least one role of the partner's staff.")], "typed": {"reason": "Go-live"}}
_PAGES = [
    _PAGE,
    _PAGE | {"waiting": [], "open": [], "over": []},
    _PAGE
    | {"place": "approval-0000aaaa", "errors": [("ends_on", "That time has passed already.")]}
    | {"typed": {"may": ["audit:trail:read"], "ends_on": "2020-01-01"}},
    _PAGE | {"place": "end-0000cccc", "errors": [("reason", "Say why.")], "typed": {"reason": ""}, "why": _ALLOWED},
    _PAGE | {"place": "narrowing-gone0000", "trouble": "This access has moved on since.", "waiting": []},
    _PAGE | {"may": dict.fromkeys(_STAFF_MAY, False)},
    _STAFF | {"why": _WHY},
    _STAFF | {"waiting": [], "open": [], "over": [], "place": "ask"} | _WRONG,
    _STAFF | {"place": "emergency"} | _WRONG,
    _STAFF
    | {"place": "groups-0000cccc", "errors": [("grant", "Choose 50 groups at most.")], "waiting": [], "over": []},
    _STAFF | {"place": "renewal-0000eeee", "open": _OPEN[3:4]} | _WRONG,
    _STAFF | {"open": [_OPEN[2]], "may": _STAFF_MAY | {"connect": False}, "waiting": [], "over": []},
]
_EACH = [page | {"one": page["open"][1] if len(page["open"]) > 1 else _WAITING, "ticks": ""} for page in _PAGES]
_FORMS = [_STAFF | {"one": one} for one in _OPEN[1:]] + [_PAGES[-3] | {"one": _OPEN[1]}, _PAGES[-2] | {"one": _OPEN[3]}]
_LINE = {
    "name": "Contoso",
    "path": "/t/0192f0c1/access",
    "state": "active",
    "kind": "standard",
    "roles": ["Customer success manager"],
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
    "access/_abilities.html": [
        *_EACH,
        *(_EACH[0] | {"ticks": "approval-1", "kept": kept} for kept in (None, ["audit:trail:read"])),
    ],
    "access/_ask.html": [each for each in _EACH if each["may"]["ask"]],
    "access/_end.html": _EACH,
    "access/_groups.html": _FORMS,
    "access/_open.html": _EACH,
    "access/_over.html": _EACH,
    "access/_renew.html": [each for each in _FORMS if _OPEN_FORMS[each["one"]["key"]]["renewal"]],
    "access/_role.html": [
        {"role": role, "name": "grant", "value": role["id"], "id": "role"} for role in (*_BOTH, _LITTLE)
    ],
    "access/_waiting.html": [each | {"one": _WAITING} for each in _EACH],
    "access/_why.html": _EACH,
    "access/delegations.html": [_LIST, _LIST | {"lines": [], "state": "over", "q": "con", "first": True, "older": ""}],
}
