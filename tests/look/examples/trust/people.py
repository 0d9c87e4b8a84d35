"""People of a workspace, staff of a partner, and the ways to what governs who comes in."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from app.identity.people.hub import PARTNER_WAYS, WORKSPACE_WAYS
from app.identity.people.queries import Someone
from app.identity.people.rules import CUSTOMER_ORDER, PARTNER_ORDER
from tests.look.examples.facts import CUSTOMER, KEY, PARTNER, Context, days

_MARIA = Someone(UUID(int=1), "Maria Lopez", "maria@contoso.example", ("owner",), days(-40))
_PAUL = Someone(UUID(int=2), "Paul Bergström-Hallgrímsson", "paul@contoso.example", ("contributor",), days(-3))
_OWN = {"custom:1": {"name": "Betreuung ohne Freigaben", "base": "onboarding_lead"}}
_LEA = Someone(UUID(int=4), "Lea Lindqvist", "lea@northwind.example", ("custom:1", "custom:gone"), days(-20))
_DANA = Someone(UUID(int=3), "Dana Kowalski", "dana@northwind.example", ("csm", "finance", "no_decisions"), days(-400))
_PLACE = {"name": "Contoso Ltd", "path": "/t/1"}
_HOUSE = {"name": "Northwind", "path": "/"}
_LIST: Context = {
    "chrome": CUSTOMER,
    "staff": False,
    "place": _PLACE,
    "path": "/t/1/people",
    "people": [_MARIA, _PAUL],
    "total": 2,
    "older": "",
    "first": False,
    "offers": [str(role) for role in CUSTOMER_ORDER],
    "own": {},
    "typed": {},
    "errors": [],
    "me": _MARIA.id,
    "command_key": KEY,
}
_STAFF: Context = {
    **_LIST,
    "chrome": replace(PARTNER, path="/people"),
    "staff": True,
    "place": _HOUSE,
    "path": "/people",
    "people": [_DANA, _LEA],
    "total": 51,
    "older": "abc",
    "offers": [*(str(role) for role in PARTNER_ORDER), "custom:1"],
    "own": _OWN,
}
_WRONG: Context = {
    "typed": {"email": "paul@", "name": "Paul", "roles": ["viewer"], "reason": "Reads along"},
    "errors": [("email", "This is not an e-mail address such as name@example.org.")],
}
_ONE: Context = {key: _LIST[key] for key in ("chrome", "staff", "place", "path", "offers", "own", "typed", "errors")}

EXAMPLES: dict[str, list[Context]] = {
    "identity/people/people.html": [_LIST, {**_LIST, **_WRONG}, {**_LIST, "offers": []}, _STAFF],
    "identity/people/person.html": [
        {**_ONE, "person": _PAUL, "command_key": KEY},
        {**_STAFF, "person": _DANA, "command_key": KEY},
        {**_STAFF, "person": _LEA, "command_key": KEY},
    ],
    "identity/people/hub.html": [
        {
            "chrome": CUSTOMER,
            "title": "Workspace settings",
            "place": _PLACE,
            "ways": [
                {"title": way[0], "means": way[1], "path": way[2].format(here="/t/1"), "icon": way[3]}
                for way in WORKSPACE_WAYS
            ],
        },
        {
            "chrome": replace(PARTNER, path="/settings"),
            "title": "Settings",
            "place": _HOUSE,
            "ways": [
                {"title": way[0], "means": way[1], "path": way[2].format(home="/t/1"), "icon": way[3]}
                for way in PARTNER_WAYS
            ],
        },
        {"chrome": CUSTOMER, "title": "Workspace settings", "place": _PLACE, "ways": []},
    ],
}
