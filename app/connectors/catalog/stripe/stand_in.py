"""Stand-in of Stripe's API: customers, subscriptions, invoices, keys that replay the first answer, cursors."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

from app.connectors.catalog.stand_in import Answer, Call, StandInServer, main
from app.kernel.outbound.world_clock import world_time

TOKENS = {"rk_test_acme": "acme"}
_MOST = 100
_PREFIX = {"customers": "cus_", "subscriptions": "sub_", "invoices": "in_"}


def error_document(status: int, code: str, **more: str) -> dict[str, Any]:
    """The API's error body."""
    kind = "api_error" if status >= 500 else "invalid_request_error"  # noqa: PLR2004  statuses of RFC 9110
    return {"error": {"type": kind, "code": code, "message": code.replace("_", " "), **more}}


@dataclass
class _Account:
    customers: list[dict[str, Any]] = field(default_factory=list)
    subscriptions: list[dict[str, Any]] = field(default_factory=list)
    invoices: list[dict[str, Any]] = field(default_factory=list)
    keys: dict[str, tuple[bytes, Answer]] = field(default_factory=dict)


class StripeWire:
    """The API's behaviour and state, one account per key; `effects` is what really happened, in order."""

    def __init__(self) -> None:
        self.accounts: dict[str, _Account] = {}
        self.effects: list[dict[str, Any]] = []
        self._lock = threading.RLock()

    def __call__(self, call: Call) -> Answer:
        """Answer one authorised request."""
        with self._lock:
            account = self.accounts.setdefault(call.account, _Account())
            match [call.method, *call.path.strip("/").split("/")]:
                case ["GET", "v1", kind] if kind in _PREFIX:
                    return self._list(account, call, kind)
                case ["POST", "v1", kind] if kind in {"customers", "invoices"}:
                    return self._once(account, call, kind)
                case [method, "v1", "customers", customer_id]:
                    return self._customer(account, call, method, customer_id)
        return Answer(404, error_document(404, "url_invalid"))

    def add(self, account: str, kind: str, **fields: Any) -> str:
        """Put a record there as if it had been made before. Returns its id."""
        with self._lock:
            return str(self._make(self.accounts.setdefault(account, _Account()), kind, fields)["id"])

    def _list(self, account: _Account, call: Call, kind: str) -> Answer:
        wanted = {name: call.query[name] for name in ("email", "customer") if name in call.query}
        found = [each for each in reversed(getattr(account, kind)) if wanted.items() <= each.items()]
        after = call.query.get("starting_after")
        if after is not None:
            ids = [each["id"] for each in found]
            if after not in ids:
                return Answer(400, error_document(400, "resource_missing", param="starting_after"))
            found = found[ids.index(after) + 1 :]
        limit = min(int(call.query.get("limit", "10")), _MOST)
        more = len(found) > limit
        return Answer(200, {"object": "list", "url": call.path, "has_more": more, "data": found[:limit]})

    def _once(self, account: _Account, call: Call, kind: str) -> Answer:
        """Behind a key the first answer is kept and given again; with another body the key is refused."""
        key = call.headers.get("idempotency-key", "")
        if key in account.keys:
            body, answer = account.keys[key]
            if body != call.raw:
                return Answer(
                    400, {"error": {"type": "idempotency_error", "message": "the key was used with other parameters"}}
                )
            return Answer(answer.status, answer.document, {"Idempotent-Replayed": "true"})
        answer = self._create(account, call, kind)
        if key:
            account.keys[key] = (call.raw, answer)
        return answer

    def _create(self, account: _Account, call: Call, kind: str) -> Answer:
        if call.headers.get("content-type") != "application/x-www-form-urlencoded":
            return Answer(400, error_document(400, "invalid_request_body"))
        given = dict(parse_qsl(call.raw.decode(), keep_blank_values=True))
        metadata = {name[9:-1]: given.pop(name) for name in list(given) if name.startswith("metadata[")}
        if kind == "invoices" and given.get("customer") not in {each["id"] for each in account.customers}:
            return Answer(400, error_document(400, "resource_missing", param="customer"))
        made = self._make(account, kind, given | {"metadata": metadata})
        self.effects.append({"account": call.account, "kind": f"{kind}_created", "subject": made["id"]})
        return Answer(200, made)

    def _customer(self, account: _Account, call: Call, method: str, customer_id: str) -> Answer:
        found = next((each for each in account.customers if each["id"] == customer_id), None)
        if found is None:
            return Answer(404, error_document(404, "resource_missing", param="id"))
        if method == "DELETE":
            account.customers.remove(found)
            self.effects.append({"account": call.account, "kind": "customer_deleted", "subject": customer_id})
            return Answer(200, {"id": customer_id, "object": "customer", "deleted": True})
        return Answer(200, found)

    @staticmethod
    def _make(account: _Account, kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        own: dict[str, Any] = {"id": _PREFIX[kind] + uuid4().hex[:14], "object": kind[:-1]}
        own["created"] = int(world_time().timestamp())
        defaults: dict[str, dict[str, Any]] = {
            "customers": {"email": None, "name": None, "livemode": False, "metadata": {}},
            "subscriptions": {"status": "active", "livemode": False},
            "invoices": {"status": "draft", "currency": "eur", "total": 0, "livemode": False},
        }
        made = own | defaults[kind] | dict(fields)
        getattr(account, kind).append(made)
        return made


class StripeStandIn(StandInServer):
    """A running stand-in; `effects` counts what really happened, however often it was asked for."""

    def __init__(self, port: int, tokens: Mapping[str, str]) -> None:
        self.state = StripeWire()
        super().__init__(self.state, errors=error_document, tokens=tokens, port=port)

    @property
    def effects(self) -> list[dict[str, Any]]:
        """Every effect in order: account, kind, subject."""
        return list(self.state.effects)


def start(port: int = 0, tokens: Mapping[str, str] | None = None) -> StripeStandIn:
    """Serve on 127.0.0.1; port 0 takes a free one. `tokens` maps a key to its account."""
    return StripeStandIn(port, tokens or TOKENS)


def seed(stand_in: StripeStandIn) -> None:
    """What the fixtures speak of: a customer with a subscription and an invoice."""
    customer = "cus_NffrFeUfNV2Hib"
    named = {"email": "ada@acme.example", "name": "Acme GmbH", "metadata": {"onboarding": "acme-onboarding-1"}}
    stand_in.state.add("acme", "customers", id=customer, **named)
    stand_in.state.add("acme", "subscriptions", id="sub_1MowQVLkdIwHu7ix", customer=customer)
    stand_in.state.add("acme", "invoices", id="in_1MtHbELkdIwHu7ix", customer=customer)


if __name__ == "__main__":
    main(start, "Stand-in of the Stripe API")
