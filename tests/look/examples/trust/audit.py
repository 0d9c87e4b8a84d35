"""The trail of a workspace: for staff with filters, for a customer's person, before anything is signed."""

from __future__ import annotations

from dataclasses import replace

from tests.look.examples.facts import CUSTOMER, KEY, PARTNER, Context, days

_PATH = "/t/0192f0c1"
_ID = "0192f0c1-7d1e-7000-8000-000000000002"
_ENTRY: Context = {
    "id": _ID,
    "at": days(-0.2),
    "who": {"name": "Dana Weber", "kind": "person", "id": _ID},
    "what": "completed a task",
    "action": "onboarding.task.completed",
    "subject": {"kind": "task", "id": _ID},
    "reason": "The customer was on the phone",
    "on_behalf_of": None,
    "place": 41,
    "changes": [],
}
_CHANGED = _ENTRY | {
    "id": KEY,
    "what": "changed what this workspace is called or sold",
    "action": "tenancy.tenant.changed",
    "changes": [{"field": "name", "was": "Contoso", "now": "Contoso Ltd"}, {"field": "plan", "was": "", "now": "gold"}],
    "on_behalf_of": _ID,
    "place": None,
    "who": {"name": "", "kind": "person", "id": _ID},
    "reason": "",
}
_HEAD = {"entries": 42, "signed": 42, "checkpoint": "…", "key": "northwind.example/trail/0192f0c1+ccb1326d+ARVK4sZZ"}
_KEPT = {"person": "", "subject": "", "action": "", "since": "", "until": ""}
_PAGE: Context = {
    "chrome": replace(PARTNER, path=f"{_PATH}/trail"),
    "side": "partner",
    "tenant": {"name": "Contoso", "path": _PATH},
    "entries": [_ENTRY, _CHANGED],
    "head": _HEAD,
    "fingerprint": "8c9d aabd 395d f6ce de90 0944 c269 893a",
    "older": "c",
    "first": False,
    "kept": _KEPT,
    "kinds": [{"id": "onboarding", "label": "Onboarding"}, {"id": "access", "label": "Access"}],
    "keeping": {"months": 24, "addresses": ["audit@contoso.example"]},
    "files": "/api/v1/tenants/0192f0c1/trail/export",
    "command_key": KEY,
    "publish_key": _ID,
    "typed": {},
    "errors": [],
}
_SENT_BACK = {
    "typed": {"months": "0", "addresses": "audit@contoso.example\nnobody"},
    "errors": [
        ("months", "This number is too small."),
        ("addresses", "Write mail addresses, one a line, at most ten."),
    ],
}
_NEW = {"entries": [], "head": {"entries": 0, "signed": 0, "checkpoint": None, "key": None}, "fingerprint": ""}
_LOOKED = {"kept": _KEPT | {"person": _ID, "subject": _ID, "since": "2026-03-01"}, "older": "", "first": True}
EXAMPLES: dict[str, list[Context]] = {
    "audit/trail.html": [
        _PAGE,
        _PAGE | _NEW | {"older": "", "keeping": {"months": None, "addresses": []}},
        _PAGE | _LOOKED | {"side": "customer", "chrome": replace(CUSTOMER, path=f"{_PATH}/trail")},
        _PAGE | {"head": _HEAD | {"signed": 40}, "keeping": None, "files": ""},
        _PAGE | _SENT_BACK,
    ],
    "audit/_entry.html": [_PAGE | {"entry": _ENTRY}, _PAGE | {"entry": _CHANGED}],
    "audit/_proof.html": [_PAGE],
    "audit/_keeping.html": [_PAGE, _PAGE | _SENT_BACK],
}
