"""HubSpot's signature v3: HMAC-SHA256 over method, URI, raw body and timestamp. Reads no body; `webhook` does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from app.kernel.errors import Forbidden
from app.vault.secret import Secret

SIGNATURE_HEADER = "X-HubSpot-Signature-v3"
TIMESTAMP_HEADER = "X-HubSpot-Request-Timestamp"
MAX_AGE = timedelta(minutes=5)

# The escapes that HubSpot undoes before it signs, and no others; `%20` stays as it is.
_DECODED = {f"%{ord(character):02X}": character for character in ":/?@!$'()*,;"}
_ESCAPE = re.compile("|".join(_DECODED), re.IGNORECASE)


class WebhookRefused(Forbidden):
    """The delivery is not HubSpot's, or not of now. `reason` is for counting; the text tells a forger nothing."""

    def __init__(self, reason: Literal["missing", "malformed", "stale", "wrong"]) -> None:
        super().__init__("The signature of this delivery does not hold.")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as it came in: `uri` is the full public address that HubSpot called, `body` the untouched bytes."""

    method: str
    uri: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def signed_uri(uri: str) -> str:
    """The URI as HubSpot signs it."""
    return _ESCAPE.sub(lambda found: _DECODED[found[0].upper()], uri)


def sign(secret: Secret, delivery: Delivery, timestamp: str) -> str:
    """The signature of a delivery at a timestamp (milliseconds since 1970, as text)."""
    head = f"{delivery.method}{signed_uri(delivery.uri)}".encode()
    message = head + delivery.body + timestamp.encode()
    return base64.b64encode(hmac.new(secret.reveal_bytes(), message, hashlib.sha256).digest()).decode()


def verify(delivery: Delivery, *, secrets: Sequence[Secret], now: datetime) -> None:
    """Check age and signature; any of the active secrets will do, so that a secret can be rotated with overlap.

    `now` is the real time, not moved business time: HubSpot's clock does not move with ours. Raises WebhookRefused.
    """
    headers = {name.lower(): value for name, value in delivery.headers.items()}
    given, timestamp = headers.get(SIGNATURE_HEADER.lower(), ""), headers.get(TIMESTAMP_HEADER.lower(), "")
    if not given or not timestamp:
        raise WebhookRefused("missing")
    if not re.fullmatch(r"[0-9]{13}", timestamp, re.ASCII) or not given.isascii():
        raise WebhookRefused("malformed")
    if abs(now.timestamp() * 1000 - int(timestamp)) > MAX_AGE.total_seconds() * 1000:
        raise WebhookRefused("stale")
    # Every secret is tried, whichever fits, so that the time taken does not tell which.
    fits = [hmac.compare_digest(sign(secret, delivery, timestamp), given) for secret in secrets]
    if not any(fits):
        raise WebhookRefused("wrong")
