"""The connections of a workspace, and one of them in each of its states."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.look.examples.facts import KEY, PARTNER, Context, days

_TOKEN = {
    "id": "api_token",
    "label": {"en": "API token", "de": "API-Token"},
    "type": "secret",
    "required": True,
    "help": {"en": "Service token of this account.", "de": "Diensttoken dieses Kontos."},
}
_CLIENT = {
    "id": "auth_client_id",
    "label": "Client ID",
    "type": "text",
    "required": True,
    "help": "As the other system shows it for your app. It is no secret.",
    "translated": True,
}
_SECRET = _TOKEN | {"id": "oauth_client_secret", "label": {"en": "App's client secret", "de": "Clientgeheimnis"}}
_WAY: Context = {"way": "", "label": {}, "prefix": "product_admin-", "fields": [_TOKEN], "asks_there": False}
_OFFER = {"connector": "product_admin", "title": "Workbench", "ways": [_WAY]}
_TWO_WAYS = {
    "connector": "hubspot",
    "title": "HubSpot",
    "ways": [
        _WAY | {"way": "private_app", "label": {"en": "Private app", "de": "Private App"}, "prefix": "hubspot-a-"},
        _WAY
        | {"way": "oauth", "label": {"en": "Public app (OAuth)", "de": "Öffentliche App (OAuth)"}, "asks_there": True}
        | {"prefix": "hubspot-oauth-", "fields": [_CLIENT, _SECRET]},
    ],
}
_PLACE: Context = {
    "chrome": replace(PARTNER, path="/t/0192f0c1/connections"),
    "tenant": {"name": "Contoso", "path": "/t/0192f0c1"},
    "path": "/t/0192f0c1/connections",
    "callback": "https://northwind.example/connections/callback",
    "command_key": KEY,
}
_ROW: Context = {"id": "7a", "name": "HubSpot of sales", "system": "HubSpot", "state": "active", "changed_at": days(-3)}
_PAGE: Context = _PLACE | {
    "connections": [_ROW, _ROW | {"id": "7b", "name": "CRM of partners", "state": "reconnect"}],
    "offers": [_OFFER],
    "typed": {"connector": "", "name": "", "way": ""},
    "errors": [],
}
_UNTRIED: Context = {"under_way": False, "works": False, "said": "", "trial": False, "at": None, "worked_at": None}
_ONE: dict[str, Any] = {
    "id": "7a",
    "name": "HubSpot of sales",
    "system": "HubSpot",
    "state": "active",
    "way": {"en": "Public app (OAuth)", "de": "Öffentliche App (OAuth)"},
    "fields": [("Client ID", "0e2f6a1c-5b7d-4c7e-9d34-3f1b5c2a7e90")],
    "asks_there": True,
    "by_token": True,
    "renewed_at": days(-1),
    "refused": "",
    "check": _UNTRIED | {"works": True, "at": days(-1), "worked_at": days(-1)},
    "journey": None,
    "secrets": [
        {"label": {"en": "App's client secret"}, "at": days(-300), "due": days(65), "old": False},
    ],
}


def _shown(**changes: Any) -> Context:
    return _PLACE | {
        "connection": _ONE | changes,
        "may_change": True,
        "fields": [_CLIENT | {"required": False}, _SECRET | {"required": False}],
        "typed": {"name": "HubSpot of sales", "auth_client_id": "0e2f6a1c-5b7d-4c7e-9d34-3f1b5c2a7e90"},
        "errors": [],
        "open": "",
    }


_SAID = "HubSpot answered 401. Check the address and the credentials of the connection."
_OLD = [{"label": {"en": "Access token", "de": "Zugriffstoken"}, "at": days(-200), "due": days(-20), "old": True}]
_PENDING = _shown(state="pending", renewed_at=None, check=_UNTRIED)
EXAMPLES: dict[str, list[Context]] = {
    "connectors/connections.html": [
        _PAGE,
        _PAGE | {"connections": [], "offers": [_TWO_WAYS, _OFFER]},
        _PAGE
        | {
            "typed": {"connector": "product_admin", "name": "Workbench of Contoso", "way": ""},
            "errors": [("api_token", "Fill in this field.")],
        },
    ],
    "connectors/connection.html": [
        _shown(),
        _PENDING,
        _shown(state="reconnect", refused="invalid_grant", check=_UNTRIED | {"at": days(-2), "said": _SAID}),
        _shown(state="pending", renewed_at=None, check=_UNTRIED, journey={"step": "refused", "said": "access_denied"}),
        _shown(state="pending", renewed_at=None, check=_UNTRIED, journey={"step": "exchanging", "said": ""}),
        _shown(check=_UNTRIED | {"under_way": True, "trial": True}, secrets=_OLD, asks_there=False),
        _shown(check=_UNTRIED | {"trial": True, "at": days(-1), "said": _SAID, "worked_at": days(-9)})
        | {"errors": [("oauth_client_secret", "Fill in what is to be changed.")], "open": "credentials"},
        _shown(secrets=[]) | {"may_change": False, "errors": []},
    ],
    "connectors/_standing.html": [_PENDING],
    "connectors/_credentials.html": [_shown()],
    "connectors/_offer.html": [_PAGE | {"offer": _OFFER, "way": _WAY, "own": False}],
    "connectors/departure.html": [
        _shown() | {"url": "https://app.hubspot.com/oauth/authorize?state=x", "scopes": ["oauth", "crm.read"]},
    ],
    "connectors/removal.html": [_shown()],
}
