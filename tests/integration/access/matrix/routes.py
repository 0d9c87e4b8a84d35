"""The live table of routes: which there are, filled with what is really there, with a body that would be taken."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlencode

from litestar import Litestar

from app.bootstrap.routes import make_application
from app.kernel.ids import new_id
from app.templates.library import open_shelf
from tests.factories.doors import Answer
from tests.integration.access.matrix.town import Someone, Town

_PARAMETER = re.compile(r"\{(\w+):\w+\}")
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# A form that every page of ours would take: each reads the fields it knows.
FORM: dict[str, str] = {
    "name": "Intruder",
    "role": "viewer",
    "roles": "csm",
    "base": "csm",
    "removed": "intake:deal:read",
    "scopes": "onboarding:onboarding:read",
    "reason": "Because",
    "note": "Because",
    "at": "2031-01-06T09:00",
    "decision": "approve",
    "resolution": "done",
    "kind": "secret",
    "state": "disabled",
    "connector": "hubspot",
    "access_token": "an intruder's",
    "issuer": "https://login.elsewhere.example",
    "client_id": "intruder",
    "client_secret": "an intruder's",
    "domain": "elsewhere.example",
    "hours": "1",
    "version": "0",
    "value": "Intruded",
    "statement": "Intruded",
    "may": "onboarding:onboarding:read",
    "code": "123456",
    "locale": "de",
    "next": "/",
}


# What a door asks for in its query.
QUERIES = {
    "GET /api/v1/tenants/{tenant_id:uuid}/explain": "?permission=onboarding:onboarding:read",
    "GET /api/v1/tenants/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/migration/plan": "?to=sha256:none",
    "POST /api/v1/tenants/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/tasks/{task:str}/files/{slot:str}": (
        "?name=plan.pdf"
    ),
    "POST /api/v1/tenants/imports": f"?reason=Because&sender=SHA256:{'a' * 43}",
}


@dataclass(frozen=True)
class Route:
    """One method of one path, with its door."""

    method: str
    path: str
    door: str
    example: Any = None
    media: str = ""
    parameters: tuple[str, ...] = field(default=())

    @property
    def name(self) -> str:
        """How a failure calls it, and the table of exceptions."""
        return f"{self.method} {self.path}"

    @property
    def is_api(self) -> bool:
        """Whether it speaks JSON."""
        return self.path.startswith("/api/")

    @property
    def changes(self) -> bool:
        """Whether it is there to change something."""
        return self.method in _CHANGING


def live_routes(town: Town) -> list[Route]:
    """Every method of every route, from the application itself; bodies are the examples of the document it serves."""
    document = json.loads(town.doors.browser().get("/api/openapi.json").text)["paths"]
    return sorted(_routes(make_application(town.doors.runtime), document), key=lambda route: route.name)


def _routes(app: Litestar, document: dict[str, Any]) -> Iterator[Route]:
    for route in app.routes:
        for handler in getattr(route, "route_handlers", [getattr(route, "route_handler", None)]):
            methods = {str(each) for each in getattr(handler, "http_methods", ())} or {type(route).__name__}
            for method in sorted(methods - {"OPTIONS"}):
                said = document.get(_PARAMETER.sub(r"{\1}", route.path), {}).get(method.lower(), {})
                [(media, body)] = list(said.get("requestBody", {}).get("content", {"": {}}).items())[:1]
                yield Route(
                    method,
                    route.path,
                    str(handler.opt.get("door")),
                    _example(body),
                    media,
                    tuple(_PARAMETER.findall(route.path)),
                )


def _example(body: dict[str, Any]) -> Any:
    if "example" in body:
        return body["example"]
    return next((each.get("value") for each in body.get("examples", {}).values()), None)


def fill(route: Route, ids: dict[str, str]) -> str:
    """The route's address with these ids."""
    return _PARAMETER.sub(lambda found: ids[found[1]], route.path)


def things(town: Town, route: Route) -> dict[str, str]:
    """The ids of what is really there, for this route's place: Acme's own things, or the partner's.

    Two kinds are not there, so any id does for them: an export and an import of a workspace.
    """
    ids = town.things("tenant" if route.door == "tenant" else "partner")
    if "/access/" in route.path:
        ids["step"] = "end"
    ids["address"] = _published()
    ids["line"] = "msp-managed-services"
    ids["package"] = "managed-gold"
    ids["template"] = "msp-managed-services"
    ids["key"] = town.items["milestone" if "/milestones/" in route.path else "gate"]
    return ids


@cache
def _published() -> str:
    """The address of a template that the partner has published."""
    return open_shelf("msp/managed-services").template.digest.removeprefix("sha256:")


def knock(route: Route, path: str, who: Someone, *, key: str) -> Answer:
    """Try it, as a page of this host or as software would, with a body that the door would take."""
    browser = who.browser
    headers = {"accept": "application/json" if route.is_api else "text/html"} | who.headers
    path += QUERIES.get(route.name, "?reason=Because" if route.method == "DELETE" else "")
    if not route.changes:
        return browser.send(route.method, path, headers=headers)
    headers |= {"origin": f"http://{browser.host}:{browser.port}", "sec-fetch-site": "same-origin"}
    if route.method == "DELETE":
        return browser.send(route.method, path, headers=headers | {"idempotency-key": key})
    if route.is_api:
        headers |= {"idempotency-key": key, "if-match": "*", "content-type": route.media or "application/json"}
        return browser.send(route.method, path, body=json.dumps(route.example or {}).encode(), headers=headers)
    form = FORM | {"command_key": key, "email": f"intruder-{key}@elsewhere.example"}
    headers |= {"content-type": "application/x-www-form-urlencoded"}
    return browser.send(route.method, path, body=urlencode(form).encode(), headers=headers)


def new_key() -> str:
    """A key that has not been used."""
    return str(new_id())
