"""HubSpot's signature v3: HMAC-SHA256 over method, URI, raw body and timestamp (milliseconds)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from app.connectors.inbound.schemes.arrival import Arrival, Verified, decode, read_time, require_any
from app.vault.secret import Secret

SIGNATURE_HEADER: Final = "X-HubSpot-Signature-v3"
TIMESTAMP_HEADER: Final = "X-HubSpot-Request-Timestamp"
HEADERS: Final = (SIGNATURE_HEADER, TIMESTAMP_HEADER)

# The escapes that HubSpot undoes before it signs, and no others; `%20` stays as it is.
_DECODED: Final = {f"%{ord(character):02X}": character for character in ":/?@!$'()*,;"}
_ESCAPE: Final = re.compile("|".join(_DECODED), re.IGNORECASE)


def signed_uri(uri: str) -> str:
    """The URI as HubSpot signs it."""
    return _ESCAPE.sub(lambda found: _DECODED[found[0].upper()], uri)


def sign(secret: Secret, arrival: Arrival, timestamp: str) -> str:
    """The signature of a delivery at a timestamp (milliseconds since 1970, as text)."""
    return base64.b64encode(_signature(secret, arrival, timestamp)).decode()


def verify(arrival: Arrival, secrets: Sequence[Secret], now: datetime) -> Verified:
    """Check age and signature. Raises DeliveryRefused."""
    given, timestamp = arrival.one(SIGNATURE_HEADER), arrival.one(TIMESTAMP_HEADER)
    at = read_time(timestamp, now, "milliseconds")
    signature = decode(given, "base64")
    require_any(secrets, [signature], lambda secret: _signature(secret, arrival, timestamp))
    return Verified(arrival.body, at)


def _signature(secret: Secret, arrival: Arrival, timestamp: str) -> bytes:
    head = f"{arrival.method}{signed_uri(arrival.uri)}".encode()
    message = head + arrival.body + timestamp.encode()
    return hmac.new(secret.reveal_bytes(), message, hashlib.sha256).digest()
