"""Stand-in of Slack's Web API: `ok` in the body of a 200, cursors, messages posted as often as they are asked for."""

from __future__ import annotations

import base64
import threading
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from app.connectors.catalog.stand_in import Answer, Call, StandInServer, main
from app.kernel.outbound.world_clock import world_time

TOKENS = {"xoxb-acme": "acme"}
CHANNEL, PERSON = "C0123456789", "U0123456789"


def error_document(_status: int, code: str) -> dict[str, Any]:
    """The API's error body."""
    return {"ok": False, "error": code}


def _refused(code: str) -> Answer:
    return Answer(200, error_document(200, code))


class SlackWire:
    """The API's behaviour and state, one workspace per token; `effects` is what really happened, in order."""

    def __init__(self) -> None:
        first = {"id": CHANNEL, "name": "onboarding", "is_channel": True, "is_archived": False}
        self.channels: list[dict[str, Any]] = [first]
        ada = {"id": PERSON, "name": "ada", "real_name": "Ada Moreau", "profile": {"email": "ada@acme.example"}}
        self.members: list[dict[str, Any]] = [ada]
        self.messages: dict[tuple[str, str], str] = {}
        self.effects: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def __call__(self, call: Call) -> Answer:
        """Answer one authorised request."""
        method = call.path.removeprefix("/api/")
        with self._lock:
            match method:
                case "auth.test":
                    return Answer(200, {"ok": True, "team": "Acme", "team_id": "T0123456789", "user_id": PERSON})
                case "conversations.list":
                    return self._page(call, "channels", self.channels)
                case "users.list":
                    return self._page(call, "members", self.members)
                case "users.lookupByEmail":
                    return self._find(call.query.get("email", ""))
                case "chat.postMessage" | "chat.postEphemeral" | "chat.delete":
                    return self._chat(call, method)
        return _refused("unknown_method")

    def _page(self, call: Call, name: str, rows: list[dict[str, Any]]) -> Answer:
        try:
            start = int(base64.b64decode(call.query.get("cursor", "") or "MA==", validate=True))
        except ValueError:
            return _refused("invalid_cursor")
        end = start + min(int(call.query.get("limit", "100")), 1000)
        cursor = base64.b64encode(str(end).encode()).decode() if end < len(rows) else ""
        return Answer(200, {"ok": True, name: rows[start:end], "response_metadata": {"next_cursor": cursor}})

    def _find(self, email: str) -> Answer:
        found = next((each for each in self.members if each["profile"]["email"] == email), None)
        return Answer(200, {"ok": True, "user": found}) if found else _refused("users_not_found")

    def _chat(self, call: Call, method: str) -> Answer:
        channel = call.body["channel"]
        if channel not in {each["id"] for each in self.channels}:
            return _refused("channel_not_found")
        if method == "chat.delete":
            if self.messages.pop((channel, call.body["ts"]), None) is None:
                return _refused("message_not_found")
            self._note(call, "message_deleted", call.body["ts"])
            return Answer(200, {"ok": True, "channel": channel, "ts": call.body["ts"]})
        stamp = f"{int(world_time().timestamp())}.{uuid4().int % 10**6:06d}"
        self._note(call, "message_posted" if method == "chat.postMessage" else "message_shown", stamp)
        if method == "chat.postEphemeral":
            return Answer(200, {"ok": True, "message_ts": stamp})
        self.messages[channel, stamp] = call.body["text"]
        return Answer(200, {"ok": True, "channel": channel, "ts": stamp, "message": {"text": call.body["text"]}})

    def _note(self, call: Call, kind: str, subject: str) -> None:
        self.effects.append({"account": call.account, "kind": kind, "subject": subject})


class SlackStandIn(StandInServer):
    """A running stand-in; `effects` counts what really happened, however often it was asked for."""

    def __init__(self, port: int, tokens: Mapping[str, str]) -> None:
        self.state = SlackWire()
        super().__init__(self.state, errors=error_document, tokens=tokens, port=port)

    def unknown_caller(self) -> Answer:
        """Slack answers 200 to a token that it does not know."""
        return _refused("invalid_auth")

    @property
    def effects(self) -> list[dict[str, Any]]:
        """Every effect in order: account, kind, subject."""
        return list(self.state.effects)


def start(port: int = 0, tokens: Mapping[str, str] | None = None) -> SlackStandIn:
    """Serve on 127.0.0.1; port 0 takes a free one. `tokens` maps a bot's token to its workspace."""
    return SlackStandIn(port, tokens or TOKENS)


def seed(stand_in: SlackStandIn) -> None:
    """What the fixtures speak of besides the channel and the member that are always there."""
    stand_in.state.messages["C0123456789", "1772442000.000200"] = "Acme is ready"


if __name__ == "__main__":
    main(start, "Stand-in of the Slack Web API")
