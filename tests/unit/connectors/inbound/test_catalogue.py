"""Connectors of the catalogue whose systems send messages: what they send is proven and read by the manifest alone."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from app.connectors.inbound.reading import answer_of, read_messages
from app.connectors.inbound.schemes import Arrival, DeliveryRefused, verify
from app.connectors.kit.registry import Registry
from app.vault.secret import Secret

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
KEY = "whsec_0123456789abcdef"
REGISTRY = Registry.load()
STRIPE = {
    "id": "evt_1",
    "type": "customer.subscription.updated",
    "data": {"object": {"id": "sub_1", "object": "subscription"}},
}
SLACK = {"type": "event_callback", "event_id": "Ev08", "event": {"type": "channel_created", "channel": {"id": "C1"}}}


def signed(text: bytes) -> str:
    return hmac.new(KEY.encode(), text, hashlib.sha256).hexdigest()


def by_stripe(body: bytes, at: int) -> list[tuple[str, str]]:
    return [("stripe-signature", f"t={at},v1={signed(f'{at}.'.encode() + body)}")]


def by_slack(body: bytes, at: int) -> list[tuple[str, str]]:
    proof = signed(f"v0:{at}:".encode() + body)
    return [("x-slack-request-timestamp", str(at)), ("x-slack-signature", f"v0={proof}")]


@pytest.mark.parametrize(
    ("provider", "sender", "told", "found"),
    [
        ("stripe", by_stripe, STRIPE, ("evt_1", "customer.subscription.updated", "sub_1")),
        ("slack", by_slack, SLACK, ("Ev08", "channel_created", "")),
    ],
)
class TestASystem:
    def test_is_believed_and_understood(self, provider: str, sender: Any, told: Any, found: tuple[str, str, str]):
        webhooks, body = REGISTRY.get(provider).manifest.webhooks, json.dumps(told).encode()
        assert webhooks is not None
        arrival = Arrival(
            "POST", uri="https://x.example/hooks/y", headers=sender(body, int(NOW.timestamp())), body=body
        )
        proven = verify(webhooks, arrival, secrets=[Secret(KEY)], now=NOW)
        [message] = read_messages(webhooks, arrival, proven)
        assert (message.id, message.type, message.object) == found

    def test_is_not_with_another_byte(self, provider: str, sender: Any, told: Any, found: tuple[str, str, str]):
        webhooks, body = REGISTRY.get(provider).manifest.webhooks, json.dumps(told).encode()
        assert webhooks is not None
        headers = sender(body, int(NOW.timestamp()))
        arrival = Arrival("POST", uri="https://x.example/hooks/y", headers=headers, body=body + b" ")
        with pytest.raises(DeliveryRefused, match="does not hold") as refused:
            verify(webhooks, arrival, secrets=[Secret(KEY)], now=NOW)
        assert (refused.value.reason, bool(found)) == ("wrong", True)


def test_slack_is_answered_when_it_asks_whether_anybody_is_there():
    webhooks = REGISTRY.get("slack").manifest.webhooks
    assert webhooks is not None
    body = json.dumps({"type": "url_verification", "challenge": "3eZbrw1aBm2r"}).encode()
    arrival = Arrival("POST", uri="https://x.example/hooks/y", headers=by_slack(body, int(NOW.timestamp())), body=body)
    proven = verify(webhooks, arrival, secrets=[Secret(KEY)], now=NOW)
    assert answer_of(webhooks, arrival, proven) == "3eZbrw1aBm2r"
