"""How a connection is set: as it comes, with names and versions, with mistakes, failing, for who may only look."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.connectors.settings.wire import ChangeOut, VersionOut, WishOut
from tests.look.examples.facts import KEY, PARTNER, Context, days

_PATH = "/t/0192f0c1/connections/0192f0c2/settings"


def _text(name: str, label: str, value: str, said: str) -> dict[str, Any]:
    spec = {"id": f"set-{name}", "label": label, "type": "text", "required": True, "help": said, "options": []}
    return {"spec": spec, "value": value}


def _side(action: str, side: str, summary: str, value: str) -> dict[str, Any]:
    spec = {"id": f"map-{action}-{side}", "type": "long_text", "required": False, "summary": summary}
    return {"spec": spec | {"side": "What is sent" if side == "request" else "What is read"}, "value": value}


_HOST = _text("host", "Host", "api.partner.example", "Where the API is, without https://")
_NAMES = [
    _side("create_record", "request", "Create a record", "customer_no = reference\ncontact.mail = email"),
    _side("read_record", "answer", "Read a record by the id that the other system gave it", ""),
]
_VERSIONS = [
    VersionOut(3, "Dana Reyes", days(-1), "", 1, [ChangeOut("/level", "write", "read")]),
    VersionOut(
        *(2, "Jonas Weber", days(-2), "The partner has signed that we create their customers", 0),
        [
            ChangeOut("/level", "read", "write"),
            ChangeOut("/mappings/create_record/request/contact.mail", "", "email"),
        ],
        "Dana Reyes",
    ),
    VersionOut(1, "Dana Reyes", days(-9), "", 0, [ChangeOut("/settings/host", "", "api.partner.example")]),
]
_PAGE: Context = {
    "chrome": replace(PARTNER, path=_PATH),
    "tenant": {"name": "Contoso", "path": "/t/0192f0c1"},
    "connection": {"name": "Customers at Partner", "system": "REST API", "version": 3},
    "standing": {"circuit": "closed", "failures": 0, "minutes": 0},
    "level": "read",
    "level_now": "Read only",
    "levels": [
        {"id": "read", "label": "Read only"},
        {"id": "draft", "label": "Read, and prepare drafts that a person releases"},
        {"id": "write", "label": "Read and write"},
    ],
    "fields": [_HOST, _text("collection", "Collection", "customers", "The name of the collection in the address")],
    "mappings": _NAMES,
    "reason": "",
    "errors": [],
    "mapping_wrong": False,
    "versions": _VERSIONS,
    "may_change": True,
    "done": "",
    "wish": None,
    "wish_level": "",
    "own_wish": False,
    "action": _PATH,
    "command_key": KEY,
}
_FRESH = {"fields": [], "mappings": [], "versions": [], "connection": _PAGE["connection"] | {"version": 0}}
_WRONG = [
    ("set-host", '"http://x" does not match "^[a-z0-9-]+$"'),
    ("map-create_record-request", "referenz is no field of ours; there are country, email, name, reference"),
    ("reason", "Say why it may do more than before."),
]
_WISH = WishOut("write", "Jonas Weber", days(-1), "It was signed")
_FAILING = {"standing": {"circuit": "open", "failures": 7, "minutes": 4}}
EXAMPLES: dict[str, list[Context]] = {
    "connectors/settings.html": [
        _PAGE,
        _PAGE | _FRESH,
        _PAGE | {"errors": _WRONG, "mapping_wrong": True, "level": "write"},
        _PAGE | _FAILING | {"done": "It is called again from now on."},
        _PAGE | {"wish": _WISH, "wish_level": "Read and write"},
        _PAGE | {"standing": {"circuit": "half_open", "failures": 5, "minutes": 0}},
        _PAGE | {"standing": {"circuit": "closed", "failures": 0, "minutes": 12}, "may_change": False},
    ],
    "connectors/_pause.html": [_PAGE | _FAILING],
    "connectors/_settings.html": [_PAGE],
    "connectors/_versions.html": [_PAGE],
}
