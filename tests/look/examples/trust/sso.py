"""Setting an identity provider up, and signing out of one."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.look.examples.facts import KEY, Context

_ADDRESSES = {
    "redirect": "https://start.northwind.example/sign-in/callback",
    "logout": "https://start.northwind.example/sign-in/backchannel-logout",
    "after": "https://start.northwind.example/sign-in",
}
_ENTRA = {
    "id": "0197",
    "name": "Northwind Entra ID",
    "issuer": "https://login.northwind-id.com/v2.0",
    "active": True,
    "required": False,
    "has_secret": True,
    "domains": {"northwind.com": True, "northwind.de": False},
    "direct": "https://start.northwind.example/sign-in/with/0197",
    "steps": {"configuration": "good", "keys": "good", "clock": "good", "client": "bad", "redirect": "skipped"},
    "tested_at": datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
    "trouble": "The provider does not accept the client: the client ID or its secret is wrong or has expired.",
}
_ROLES = [{"id": "csm", "label": "csm"}, {"id": "technical", "label": "technical"}]
_EMPTY = {
    "name": "Northwind",
    "path": "/settings/sso",
    "back": "/",
    "connections": [],
    "claims": [],
    "chosen": None,
    "typed": {"groups_claim": "groups", "active": True},
    "errors": [],
    "roles": _ROLES,
    "addresses": _ADDRESSES,
    "command_key": KEY,
}

EXAMPLES: dict[str, list[Context]] = {
    "identity/sso/setup.html": [
        _EMPTY,
        _EMPTY
        | {
            "connections": [_ENTRA],
            "chosen": _ENTRA,
            "claims": [{"connection_id": "0198", "domain": "acme.com", "tenant_name": "Acme"}],
            "typed": {"name": "Northwind Entra ID", "issuer": "http://wrong", "group_roles": "Everyone: csm"},
            "errors": [("group_roles", "Write one line for each group, as group = role; at most fifty.")],
        },
    ],
    "identity/sso/_connection.html": [{"connection": _ENTRA, "path": "/settings/sso", "command_key": KEY}],
    "identity/sso/farewell.html": [{"onward": "https://login.northwind-id.com/logout"}],
}
