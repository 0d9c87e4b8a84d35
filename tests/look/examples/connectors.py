"""The connections of a workspace."""

from __future__ import annotations

from dataclasses import replace

from tests.look.examples.facts import KEY, PARTNER, Context, days

_OFFER = {
    "connector": "product_admin",
    "title": "Workbench",
    "secrets": [
        {
            "id": "api_token",
            "label": {"en": "API token", "de": "API-Token"},
            "type": "secret",
            "required": True,
            "help": {"en": "Service token of this account.", "de": "Diensttoken dieses Kontos."},
        }
    ],
}
_PAGE: Context = {
    "chrome": replace(PARTNER, path="/t/0192f0c1/connections"),
    "tenant": {"name": "Contoso", "path": "/t/0192f0c1"},
    "connections": [
        {"connector": "hubspot", "name": "HubSpot of sales", "state": "active", "changed_at": days(-3)}
        | {"system": "HubSpot"},
    ],
    "offers": [_OFFER],
    "typed": {"connector": "", "name": ""},
    "errors": [],
    "action": "/t/0192f0c1/connections",
    "command_key": KEY,
}
EXAMPLES: dict[str, list[Context]] = {
    "connectors/connections.html": [
        _PAGE,
        _PAGE | {"connections": []},
        _PAGE
        | {
            "typed": {"connector": "product_admin", "name": "Workbench of Contoso"},
            "errors": [("api_token", "Fill in this field.")],
        },
    ]
}
