"""Stand-in of HubSpot's CRM objects API v3: deals, companies, contacts, in memory. Tells of changes by webhook."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from app.connectors.catalog.desk import TokenDesk
from app.connectors.catalog.hubspot.stand_in_webhooks import RETRY_DELAYS, Clock, Postman, Subscription
from app.connectors.catalog.stand_in import OWN_PATHS, Answer, Call, StandInServer, main
from app.kernel.outbound.world_clock import world_time
from app.vault.secret import Secret

TOKENS = {"pat-eu1-northwind": "62515"}
OAUTH_CLIENT = ("0e2f6a1c-app", "hubspot-app-secret")
TYPES = {"deals": "deal", "companies": "company", "contacts": "contact"}
# What HubSpot returns when no properties are asked for.
DEFAULTS = {
    "deals": (
        "amount",
        "closedate",
        "createdate",
        "dealname",
        "dealstage",
        "hs_lastmodifieddate",
        "hs_object_id",
        "pipeline",
    ),
    "companies": ("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
    "contacts": ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
}
ALWAYS = ("createdate", "hs_lastmodifieddate", "hs_object_id")
# HubSpot-defined associations of a deal, by type id; the unlabelled one stands beside the primary one.
LINKS = {
    5: ("companies", "deal_to_company"),
    341: ("companies", "deal_to_company_unlabeled"),
    3: ("contacts", "deal_to_contact"),
}
_CATEGORIES = {401: "INVALID_AUTHENTICATION", 403: "MISSING_SCOPES", 404: "OBJECT_NOT_FOUND", 429: "RATE_LIMITS"}


def error_document(status: int, message: str) -> dict[str, Any]:
    """HubSpot's error body; a receiver must treat every field as optional."""
    found = {
        "status": "error",
        "message": message,
        "correlationId": str(uuid4()),
        "category": _CATEGORIES.get(status, "VALIDATION_ERROR" if status < 500 else "INTERNAL_ERROR"),  # noqa: PLR2004  the first status that blames the server
    }
    if status == 429:  # noqa: PLR2004  too many requests
        found |= {
            "message": "You have reached your ten_secondly_rolling limit.",
            "errorType": "RATE_LIMIT",
            "policyName": "TEN_SECONDLY_ROLLING",
        }
    return found


_REFUSALS = {
    "invalid_grant": ("BAD_REFRESH_TOKEN", "missing or invalid refresh token"),
    "invalid_client": ("BAD_CLIENT_ID", "missing or invalid client id"),
}


def token_refusal(error: str) -> Answer:
    """HubSpot's answers at its token endpoint have words of their own."""
    word, message = _REFUSALS.get(error, ("BAD_GRANT_TYPE", "missing or unknown grant type"))
    return Answer(400, {"status": word, "message": message, "correlationId": str(uuid4())})


@dataclass
class _Object:
    properties: dict[str, str | None]
    created: str
    updated: str
    archived: bool = False
    links: list[tuple[str, str, str]] = field(default_factory=list)  # (type, id, label)


class CrmWire:
    """Objects and their associations, as the API shows them. One account: HubSpot's token names it."""

    def __init__(self, clock: Clock) -> None:
        self.objects: dict[str, dict[str, _Object]] = {name: {} for name in TYPES}
        self.postmen: list[Postman] = []
        self.clock = clock
        self.stopping = threading.Event()
        self._ids = itertools.count(5100000001)
        self._lock = threading.RLock()

    def __call__(self, call: Call) -> Answer:
        """Answer one authorised request."""
        parts = call.path.strip("/").split("/")
        if call.path == f"{OWN_PATHS}subscriptions" and call.method == "POST":
            return self._subscribe(call.body)
        with self._lock:
            match [call.method, *parts]:
                case [method, "crm", "v3", "objects", kind, *rest] if kind in TYPES:
                    return self._objects(call, method, kind, rest)
        return Answer(404, error_document(404, "resource not found"))

    def subscribe(self, subscription: Subscription) -> Postman:
        """Tell this subscription of every change of a property from now on."""
        postman = Postman(subscription, self.clock, self.stopping)
        self.postmen.append(postman)
        return postman

    def _subscribe(self, wanted: Mapping[str, Any]) -> Answer:
        self.subscribe(
            Subscription(
                target_url=wanted["target_url"],
                client_secret=Secret(wanted["client_secret"]),
                retry_delays=tuple(float(delay) for delay in wanted.get("retry_delays", RETRY_DELAYS)),
            )
        )
        return Answer(204)

    def _objects(self, call: Call, method: str, kind: str, rest: list[str]) -> Answer:
        match [method, *rest]:
            case ["GET"]:
                return self._list(call, kind)
            case ["POST"]:
                return self._create(call, kind)
            case ["POST", "batch", "read"]:
                return self._batch_read(call, kind)
            case [_, object_id] if object_id in self.objects[kind] and not self.objects[kind][object_id].archived:
                return self._one(call, method, kind, object_id)
        return Answer(404, error_document(404, "resource not found"))

    def _one(self, call: Call, method: str, kind: str, object_id: str) -> Answer:
        if method == "GET":
            return Answer(200, self._shown(kind, object_id, call.query))
        if method == "PATCH":
            return self._update(kind, object_id, call.body["properties"])
        if method == "DELETE":
            self.objects[kind][object_id].archived = True
            return Answer(204)
        return Answer(405, error_document(405, "method not allowed"))

    def _list(self, call: Call, kind: str) -> Answer:
        limit, after = int(call.query.get("limit", "10")), int(call.query.get("after", "0"))
        ids = [i for i, found in self.objects[kind].items() if int(i) > after and not found.archived]
        page = ids[: min(limit, 100)]
        document: dict[str, Any] = {"results": [self._shown(kind, i, call.query) for i in page]}
        if len(ids) > len(page):
            link = f"https://api.hubapi.com{call.path}?limit={limit}&after={page[-1]}"
            document["paging"] = {"next": {"after": page[-1], "link": link}}
        return Answer(200, document)

    def _create(self, call: Call, kind: str) -> Answer:
        object_id, now = str(next(self._ids)), self._now()
        own = {"createdate": now, "hs_lastmodifieddate": now, "hs_object_id": object_id}
        made = _Object({**call.body["properties"], **own}, now, now)
        for wanted in call.body.get("associations", []):
            for link in wanted["types"]:
                linked, label = LINKS[link["associationTypeId"]]
                made.links.append((linked, str(wanted["to"]["id"]), label))
        self.objects[kind][object_id] = made
        return Answer(201, self._shown(kind, object_id, {"properties": ",".join(made.properties)}))

    def _update(self, kind: str, object_id: str, changes: Mapping[str, str]) -> Answer:
        found = self.objects[kind][object_id]
        found.updated = self._now()
        won = {"hs_is_closed_won": str(changes["dealstage"] == "closedwon").lower()} if "dealstage" in changes else {}
        changed = {name: value for name, value in changes.items() if found.properties.get(name) != value}
        found.properties |= {**changes, **won, "hs_lastmodifieddate": found.updated}
        for postman in self.postmen:
            for name, value in changed.items():
                postman.tell(postman.property_change(TYPES[kind], object_id, name, value))
        return Answer(200, self._shown(kind, object_id, {"properties": ",".join(changes)}))

    def _batch_read(self, call: Call, kind: str) -> Answer:
        wanted = [str(given["id"]) for given in call.body["inputs"]]
        if len(wanted) > 100:  # noqa: PLR2004  HubSpot's own limit
            return Answer(400, error_document(400, "The limit of a batch is 100 inputs"))
        query = {"properties": ",".join(call.body.get("properties", []))}
        known = [i for i in wanted if i in self.objects[kind] and not self.objects[kind][i].archived]
        lost = [i for i in wanted if i not in known]
        document: dict[str, Any] = {"status": "COMPLETE", "results": [self._shown(kind, i, query) for i in known]}
        if lost:
            context = {"status": "error", "category": "OBJECT_NOT_FOUND", "context": {"ids": lost}}
            document |= {"numErrors": 1, "errors": [{**context, "message": "Could not get some objects"}]}
        return Answer(207 if lost else 200, document)

    def _shown(self, kind: str, object_id: str, query: Mapping[str, str]) -> dict[str, Any]:
        found = self.objects[kind][object_id]
        asked = [name for name in query.get("properties", "").split(",") if name]
        names = sorted({*asked, *ALWAYS} if asked else DEFAULTS[kind])
        shown: dict[str, Any] = {
            "id": object_id,
            "properties": {name: found.properties.get(name) for name in names},
            "createdAt": found.created,
            "updatedAt": found.updated,
            "archived": found.archived,
        }
        links: dict[str, Any] = {}
        for linked, to_id, label in found.links:
            if linked in query.get("associations", "").split(","):
                links.setdefault(linked, {"results": []})["results"].append({"id": to_id, "type": label})
        return {**shown, "associations": links} if links else shown

    def _now(self) -> str:
        return self.clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")


class HubSpotStandIn(StandInServer):
    """A running stand-in. Objects are made through its API, like in the real one; `crm` is its memory."""

    def __init__(self, port: int, tokens: Mapping[str, str], clock: Clock) -> None:
        self.crm = CrmWire(clock)
        self.desk = TokenDesk(OAUTH_CLIENT, refusal=token_refusal)
        super().__init__(self.crm, errors=error_document, tokens=tokens, port=port)
        self.open_doors["/oauth/v1/token"] = self.desk.answer

    def account_of(self, token: str) -> str:
        """Of a private app's token, or of one that the desk has given out and that is not over."""
        return super().account_of(token) or self.desk.account_of(token)

    def stop(self) -> None:
        """Stop serving and give up on undelivered webhooks."""
        self.crm.stopping.set()
        super().stop()

    def subscribe(self, subscription: Subscription) -> Postman:
        """Tell this subscription of every change of a property from now on; the postman keeps each attempt."""
        return self.crm.subscribe(subscription)


def start(port: int = 0, tokens: Mapping[str, str] | None = None, clock: Clock = world_time) -> HubSpotStandIn:
    """Serve on 127.0.0.1; port 0 takes a free one. `tokens` maps an access token to its account."""
    return HubSpotStandIn(port, tokens or TOKENS, clock)


if __name__ == "__main__":
    main(start, "Stand-in of HubSpot's CRM API")
