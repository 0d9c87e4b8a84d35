"""Service accounts: none, usual, expiring, in trouble; for a partner's staff and for a customer's people."""

from __future__ import annotations

from dataclasses import replace

from app.access.decisions import permissions_of
from app.access.policy.words import grouped
from tests.look.examples.facts import CUSTOMER, KEY, PARTNER, Context, days

_ID = "0192f0c1-aaaa-7000-8000-000000000001"
_PATH = "/service-accounts"
_SCOPES = ["onboarding:onboarding:read", "tenancy:tenant:create", "tenancy:tenant:read"]


def _credential(kind: str, hint: str, state: str, ends: int, used: int | None) -> Context:
    return {
        "id": _ID.replace("aaaa", hint[:4].encode().hex()[:4]),
        "kind": kind,
        "hint": hint,
        "state": state,
        "made_at": days(-300),
        "expires_at": days(ends),
        "used_at": None if used is None else days(used),
    }


def _account(name: str, state: str, used: int | None, *credentials: Context) -> Context:
    return {
        "id": _ID,
        "name": name,
        "state": state,
        "roles": ["csm", "technical"],
        "scopes": _SCOPES,
        "made_at": days(-300),
        "used_at": None if used is None else days(used),
        "credentials": list(credentials),
        "token_url": "https://onboarding.northwind.example/oauth/token",
    }


_KEY = _credential("key", "n_WAUCGXi8A4Khv1", "live", 200, 0)
_OLD = _credential("secret", "x7Qk", "expiring", 12, -1)
_OVER = _credential("secret", "pQ2w", "expired", -3, -40)
_BILLING = _account("Billing", "active", 0, _KEY, _OLD)
_PLACE: Context = {
    "chrome": replace(PARTNER, path=_PATH),
    "home": True,
    "place": {"name": "Northwind", "path": "/"},
    "path": _PATH,
    "command_key": KEY,
    "errors": [],
}
_THEIRS: Context = _PLACE | {
    "chrome": replace(CUSTOMER, path="/t/0192f0c1/service-accounts"),
    "home": False,
    "place": {"name": "Contoso", "path": "/t/0192f0c1"},
    "path": "/t/0192f0c1/service-accounts",
}
_NOTHING: Context = {"name": "", "roles": [], "scopes": [], "reason": ""}


def _groups(*names: str) -> list[Context]:
    return [
        {
            "title": group.title,
            "offers": [{"value": name, "words": words, "beyond": "erase" in name} for name, words in group.items],
        }
        for group in grouped(names)
    ]


_ALL = _groups(*permissions_of(frozenset({"onboarding_lead"})), "tenancy:tenant:erase")
_OFFERS: Context = {"roles": ["auditor", "csm", "onboarding_lead", "technical"], "scopes": _ALL}
_CHANGE: Context = {
    "offers": _OFFERS,
    "typed": {"roles": ["csm", "technical"], "scopes": _SCOPES, "reason": ""},
    "version": '"000000000001-3"',
    "errors": [],
}
_STALE: Context = _CHANGE | {
    "typed": {"roles": ["csm"], "scopes": [*_SCOPES, "tenancy:tenant:erase"], "reason": "It reads only"},
    "errors": [
        ("", "The account has changed since you read it. Read it again, then change it."),
        ("scopes", "Tick at least one permission."),
    ],
}
_LIST: Context = {
    "accounts": [
        _BILLING,
        _account("CRM import", "active", None),
        _account("Old reports", "active", -40, _OVER),
        _account("Partner portal", "disabled", -9, _KEY),
        _account("Warehouse", "active", -1, _OLD),
    ],
    "offers": _OFFERS,
    "typed": _NOTHING,
}
_TYPED: Context = {"kind": "", "days": 365, "reason": "", "public_key": ""}
_ONE: Context = {
    "account": _BILLING,
    "may_change": True,
    "change": _CHANGE,
    "room": {"secret": True, "key": True},
    "typed": _TYPED,
    "issuer": "https://onboarding.northwind.example",
}
_NAMED = {"account": {"id": _ID, "name": "Billing"}}
_ASKED: Context = {"credential": None, "typed": {"reason": ""}, "action": f"{_PATH}/{_ID}/disablement"}
_TOLD = {"token_url": "https://onboarding.northwind.example/oauth/token"}
EXAMPLES: dict[str, list[Context]] = {
    "identity/machines/accounts.html": [
        _PLACE | _LIST,
        _THEIRS | _LIST | {"accounts": [], "offers": {"roles": ["admin", "viewer"], "scopes": _groups(_SCOPES[0])}},
        _PLACE | _LIST | {"offers": None},
        _PLACE
        | _LIST
        | {
            "typed": {"name": "Billing", "roles": ["csm"], "scopes": [], "reason": ""},
            "errors": [("scopes", "Tick at least one permission."), ("reason", "Fill in this field.")],
        },
    ],
    "identity/machines/account.html": [
        _PLACE | _ONE,
        _THEIRS
        | _ONE
        | {"account": _account("CRM import", "disabled", None, _OVER), "may_change": False, "change": None}
        | {"room": {"secret": False, "key": False}},
        _PLACE
        | _ONE
        | {
            "account": _account("CRM import", "active", None),
            "typed": _TYPED | {"kind": "key", "public_key": '{"kty": "oct", "k": "abc"}', "reason": "First key"},
            "errors": [("public_key", "Fill in this field.")],
        },
        _PLACE | _ONE | {"change": _STALE},
        _THEIRS
        | _ONE
        | {"account": _BILLING | {"roles": ["viewer"], "scopes": _SCOPES[:1]}}
        | {
            "change": {
                "offers": {"roles": ["admin", "contributor", "viewer"], "scopes": _groups(*_SCOPES[:1])},
                "typed": {"roles": [], "scopes": _SCOPES[:1], "reason": "It reads only"},
                "version": '"000000000001-3"',
                "errors": [("roles", "Choose at least one role.")],
            }
        },
    ],
    "identity/machines/_change.html": [_PLACE | _ONE, _PLACE | _ONE | {"change": _STALE}],
    "identity/machines/secret.html": [
        _PLACE | _NAMED | _TOLD | {"secret": "R1dmM3QtbmV2ZXItdXNlZC1hbnl3aGVyZS1hdC1hbGw"},
        _PLACE | _NAMED | _TOLD | {"secret": ""},
    ],
    "identity/machines/confirm.html": [
        _PLACE | _NAMED | _ASKED | {"step": "disable"},
        _PLACE | _NAMED | _ASKED | {"step": "enable"},
        _PLACE | _NAMED | _ASKED | {"step": "remove", "errors": [("reason", "Fill in this field.")]},
        _THEIRS | _NAMED | _ASKED | {"step": "end", "credential": _OLD},
    ],
}
