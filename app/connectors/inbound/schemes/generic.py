"""A declared signature: HMAC or Ed25519 over a text of timestamp, id and body. GitHub and Slack are two of them."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from app.connectors.inbound.schemes.arrival import Arrival, DeliveryRefused, Verified, decode, read_time, require_any
from app.connectors.inbound.schemes.ed25519 import holds
from app.connectors.kit.webhooks import Signature, Stamp
from app.vault.secret import Secret

GITHUB: Final = Signature(header="X-Hub-Signature-256", encoding="hex", prefix="sha256=")
SLACK: Final = Signature(
    header="X-Slack-Signature",
    encoding="hex",
    prefix="v0=",
    signed="v0:{timestamp}:{body}",
    timestamp=Stamp("X-Slack-Request-Timestamp"),
)


def headers(signature: Signature, id_header: str = "") -> tuple[str, ...]:
    """The headers that prove a delivery."""
    dated = (signature.timestamp.header,) if signature.timestamp else ()
    named = (id_header,) if "{id}" in signature.parts() else ()
    return (signature.header, *dated, *named)


def verify_hmac(
    arrival: Arrival, secrets: Sequence[Secret], now: datetime, signature: Signature, id_header: str = ""
) -> Verified:
    """Check age and HMAC. Raises DeliveryRefused."""
    given, signed, at = _read(arrival, now, signature, id_header)
    require_any(secrets, [given], lambda secret: hmac.new(secret.reveal_bytes(), signed, signature.algorithm).digest())
    return Verified(arrival.body, at)


def verify_ed25519(
    arrival: Arrival, secrets: Sequence[Secret], now: datetime, signature: Signature, id_header: str = ""
) -> Verified:
    """Check age and Ed25519 signature; the secrets are the peer's public keys. Raises DeliveryRefused."""
    given, signed, at = _read(arrival, now, signature, id_header)
    if not any(holds(secret, signed, given) for secret in secrets):
        raise DeliveryRefused("wrong")
    return Verified(arrival.body, at)


def _read(
    arrival: Arrival, now: datetime, signature: Signature, id_header: str
) -> tuple[bytes, bytes, datetime | None]:
    """The signature, what it must be of, and when that was signed."""
    said = arrival.one(signature.header)
    if not said.startswith(signature.prefix):
        raise DeliveryRefused("malformed")
    given = decode(said.removeprefix(signature.prefix), signature.encoding)
    parts, at = {"{body}": arrival.body}, None
    if signature.timestamp:
        timestamp = arrival.one(signature.timestamp.header)
        at = read_time(timestamp, now, signature.timestamp.unit)
        parts["{timestamp}"] = timestamp.encode()
    if "{id}" in signature.parts():
        parts["{id}"] = arrival.one(id_header).encode()
    return given, b"".join(parts.get(part, part.encode()) for part in signature.parts()), at
