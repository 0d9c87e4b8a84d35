"""Stand-in of the Workbench Admin API (README.md beside it): workspaces, members, keys, and a log of every effect."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from app.connectors.catalog.stand_in import Answer, Call, StandInServer, main

KEY_LIFETIME = 72 * 3600.0
TOKENS = {"wb_live_acme": "acme", "wb_live_globex": "globex"}


def error_document(status: int, code: str) -> dict[str, Any]:
    """The API's error body."""
    return {"error": {"code": code, "status": status, "request_id": uuid4().hex}}


def _error(status: int, code: str, **headers: str) -> Answer:
    return Answer(status, error_document(status, code), headers)


@dataclass
class _Kept:
    """The first answer to an idempotency key, and to which body it was."""

    fingerprint: str
    until: float
    answer: Answer


@dataclass
class _Account:
    workspaces: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    keys: dict[str, _Kept] = field(default_factory=dict)


class WorkbenchWire:
    """The API's behaviour and state, one account per token; `effects` is what really happened, in order."""

    def __init__(self) -> None:
        self.accounts: dict[str, _Account] = {}
        self.effects: list[dict[str, Any]] = []
        self._lock = threading.RLock()

    def __call__(self, call: Call) -> Answer:
        """Answer one authorised request."""
        with self._lock:
            account = self.accounts.setdefault(call.account, _Account())
            parts = call.path.strip("/").split("/")
            match [call.method, *parts]:
                case ["GET", "__stand_in__", "effects"]:
                    return Answer(200, {"items": self.effects_of(call.account)})
                case ["GET", "v1", "account"]:
                    return Answer(200, {"id": call.account, "name": call.account.title()})
                case [method, "v1", "workspaces", *rest]:
                    return self._workspaces(account, call, method, rest)
            return _error(404, "no_such_resource")

    def effects_of(self, account: str) -> list[dict[str, Any]]:
        """What happened in one account, in order."""
        with self._lock:
            return [dict(effect) for effect in self.effects if effect["account"] == account]

    def _workspaces(self, account: _Account, call: Call, method: str, rest: list[str]) -> Answer:
        match [method, *rest]:
            case ["GET"]:
                wanted = call.query["external_id"]
                return Answer(200, {"items": [w for w in account.workspaces.values() if w["external_id"] == wanted]})
            case ["POST"]:
                return self._once(account, call)
            case [_, workspace_id, *inside] if workspace_id in account.workspaces:
                return self._inside(account, call, workspace_id, inside)
        return _error(404, "workspace_not_found")

    def _inside(self, account: _Account, call: Call, workspace_id: str, rest: list[str]) -> Answer:
        match [call.method, *rest]:
            case ["GET"]:
                return Answer(200, account.workspaces[workspace_id])
            case ["GET", "members"]:
                found = account.members.get(workspace_id, [])
                return Answer(200, {"items": [m for m in found if m["email"] == call.query["email"]]})
            case ["POST", "members"]:
                return self._add_member(account, call, workspace_id)
            case ["POST", "welcome-mails"]:
                self._note(call, "welcome_sent", workspace_id)
                return Answer(202, {"sent": len(account.members.get(workspace_id, []))})
        return _error(405, "method_not_allowed")

    def _once(self, account: _Account, call: Call) -> Answer:
        """Create behind an idempotency key: the first answer is stored and replayed, an error before it is not."""
        if not (key := call.headers.get("idempotency-key", "")):
            return _error(400, "idempotency_key_required")
        fingerprint = json.dumps(call.body, sort_keys=True)
        kept = account.keys.get(key)
        if kept and kept.until > time.monotonic():
            if kept.fingerprint != fingerprint:
                return _error(422, "idempotency_key_reused")
            return Answer(kept.answer.status, kept.answer.document, {"Idempotency-Replayed": "true"})
        answer = self._create(account, call)
        if answer.status < 400:  # noqa: PLR2004  what made nothing leaves the key free
            account.keys[key] = _Kept(fingerprint, time.monotonic() + KEY_LIFETIME, answer)
        return answer

    def _create(self, account: _Account, call: Call) -> Answer:
        wanted = call.body
        if any(w["external_id"] == wanted["external_id"] for w in account.workspaces.values()):
            return _error(409, "external_id_taken")
        if wanted["plan"] not in {"starter", "team", "enterprise"}:
            return _error(422, "unknown_plan")
        workspace_id = f"ws_{uuid4().hex[:12]}"
        made = {
            "id": workspace_id,
            "external_id": str(wanted["external_id"]),
            "name": str(wanted["name"]),
            "plan": wanted["plan"],
            "region": wanted.get("region", "eu"),
            "seats": wanted.get("seats", 5),
            "url": f"https://{workspace_id}.workbench.example",
            "state": "active",
        }
        account.workspaces[workspace_id] = made
        self._note(call, "workspace_created", workspace_id)
        return Answer(201, made)

    def _add_member(self, account: _Account, call: Call, workspace_id: str) -> Answer:
        members = account.members.setdefault(workspace_id, [])
        if any(member["email"] == call.body["email"] for member in members):
            return _error(409, "member_exists")
        made = {"id": f"mb_{uuid4().hex[:12]}", "email": call.body["email"], "role": call.body["role"]}
        members.append(made)
        self._note(call, "member_added", made["id"])
        return Answer(201, made)

    def _note(self, call: Call, kind: str, subject: str) -> None:
        key = call.headers.get("idempotency-key", "")
        self.effects.append({"account": call.account, "kind": kind, "subject": subject, "key": key})


class ProductAdminStandIn(StandInServer):
    """A running stand-in; `effects` counts what really happened, however often it was asked for."""

    def __init__(self, port: int, tokens: Mapping[str, str]) -> None:
        self.state = WorkbenchWire()
        super().__init__(self.state, errors=error_document, tokens=tokens, port=port)

    @property
    def effects(self) -> list[dict[str, Any]]:
        """Every effect in order: account, kind, subject, key."""
        return list(self.state.effects)


def start(port: int = 0, tokens: Mapping[str, str] | None = None) -> ProductAdminStandIn:
    """Serve on 127.0.0.1; port 0 takes a free one. `tokens` maps a bearer token to its account."""
    return ProductAdminStandIn(port, tokens or TOKENS)


def seed(stand_in: ProductAdminStandIn) -> None:
    """The workspace that the fixtures speak of; another than the one that they create."""
    workspace_id = "ws_4f1c22a9d0b7"
    made = {"id": workspace_id, "external_id": "acme-earlier", "name": "Acme GmbH", "plan": "team"}
    url = f"https://{workspace_id}.workbench.example"
    account = stand_in.state.accounts.setdefault("acme", _Account())
    account.workspaces[workspace_id] = made | {"region": "eu", "seats": 5, "url": url, "state": "active"}


if __name__ == "__main__":
    main(start, "Stand-in of the Workbench Admin API")
