"""Stand-in of a JSON API as there are many: one collection of records with the partner's own field names."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from app.connectors.catalog.stand_in import Answer, Call, StandInServer, main

TOKENS = {"key-acme": "acme"}
PATH = ("api", "v2", "customers")
KEY = "customer_no"
_MOST = 100


def error_document(status: int, code: str) -> dict[str, Any]:
    """The API's error body."""
    return {"status": status, "title": code}


class RecordsWire:
    """A collection for each key; `effects` is what really happened, in order."""

    def __init__(self) -> None:
        self.records: dict[str, dict[str, dict[str, Any]]] = {}
        self.effects: list[dict[str, Any]] = []
        self._number = 1001
        self._lock = threading.Lock()

    def __call__(self, call: Call) -> Answer:
        """Answer one authorised request."""
        parts = tuple(call.path.strip("/").split("/"))
        if parts[:3] != PATH:
            return Answer(404, error_document(404, "no such collection"))
        with self._lock:
            mine = self.records.setdefault(call.account, {})
            match [call.method, *parts[3:]]:
                case ["GET"]:
                    return self._list(call, mine)
                case ["POST"]:
                    return self._create(call, mine)
                case [method, record_id] if record_id in mine:
                    return self._one(call, method, mine, record_id)
        return Answer(404, error_document(404, "no such record"))

    def _list(self, call: Call, mine: dict[str, dict[str, Any]]) -> Answer:
        """A page, and in the Link header where the next one is (RFC 8288)."""
        wanted = {name: value for name, value in call.query.items() if name not in {"limit", "offset"}}
        found = [each for each in mine.values() if wanted.items() <= each.items()]
        start, limit = int(call.query.get("offset", "0")), min(int(call.query.get("limit", "20")), _MOST)
        more = start + limit < len(found)
        link = {"Link": f'<{call.path}?limit={limit}&offset={start + limit}>; rel="next"'} if more else {}
        return Answer(200, {"items": found[start : start + limit]}, link)

    def _create(self, call: Call, mine: dict[str, dict[str, Any]]) -> Answer:
        if any(each.get(KEY) == call.body[KEY] for each in mine.values()):
            return Answer(409, error_document(409, "there is one of this number"))
        self._number += 1
        made = {"uuid": f"c-{self._number}", **call.body}
        mine[made["uuid"]] = made
        self._note(call, "record_created", made["uuid"])
        return Answer(201, made)

    def _one(self, call: Call, method: str, mine: dict[str, dict[str, Any]], record_id: str) -> Answer:
        if method == "DELETE":
            del mine[record_id]
            self._note(call, "record_deleted", record_id)
            return Answer(204)
        if method == "PATCH":
            mine[record_id] |= call.body
            self._note(call, "record_changed", record_id)
        return Answer(200, mine[record_id])

    def _note(self, call: Call, kind: str, subject: str) -> None:
        self.effects.append({"account": call.account, "kind": kind, "subject": subject})


class RecordsStandIn(StandInServer):
    """A running stand-in; `effects` counts what really happened, however often it was asked for."""

    def __init__(self, port: int, tokens: Mapping[str, str]) -> None:
        self.state = RecordsWire()
        super().__init__(self.state, errors=error_document, tokens=tokens, port=port)

    def token_of(self, headers: Mapping[str, str]) -> str:
        """The key stands in a header of its own."""
        return headers.get("X-API-Key") or ""

    @property
    def effects(self) -> list[dict[str, Any]]:
        """Every effect in order: account, kind, subject."""
        return list(self.state.effects)


def start(port: int = 0, tokens: Mapping[str, str] | None = None) -> RecordsStandIn:
    """Serve on 127.0.0.1; port 0 takes a free one. `tokens` maps a key to its account."""
    return RecordsStandIn(port, tokens or TOKENS)


def seed(stand_in: RecordsStandIn) -> None:
    """The record that the fixtures speak of, with the partner's names."""
    record = {"uuid": "c-1001", KEY: "acme-onboarding-1", "title": "Acme GmbH", "contact": {"mail": "ada@acme.example"}}
    stand_in.state.records["acme"] = {"c-1001": record | {"address": {"country_code": "DE"}}}


if __name__ == "__main__":
    main(start, "Stand-in of a REST API")
