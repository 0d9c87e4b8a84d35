"""Stripe's `Stripe-Signature: t=…,v1=…`: HMAC-SHA256 over `t.body`, several `v1` while a secret is rolled."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from app.connectors.inbound.schemes.arrival import Arrival, DeliveryRefused, Verified, decode, read_time, require_any
from app.vault.secret import Secret

HEADER: Final = "Stripe-Signature"


def verify(arrival: Arrival, secrets: Sequence[Secret], now: datetime) -> Verified:
    """Check age and signature; `v0`, and what is not known yet, proves nothing. Raises DeliveryRefused."""
    said = [part.strip().partition("=") for part in arrival.one(HEADER).split(",")]
    if not all(equals for _name, equals, _value in said):
        raise DeliveryRefused("malformed")
    times = [value for name, _, value in said if name == "t"]
    given = [decode(value, "hex") for name, _, value in said if name == "v1"]
    if len(times) != 1 or not given:
        raise DeliveryRefused("malformed")
    at, signed = read_time(times[0], now), f"{times[0]}.".encode() + arrival.body
    require_any(secrets, given, lambda secret: hmac.new(secret.reveal_bytes(), signed, hashlib.sha256).digest())
    return Verified(arrival.body, at)
