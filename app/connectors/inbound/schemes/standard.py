"""Standard Webhooks 1.0.0: `v1` is an HMAC-SHA256 with a shared secret (`whsec_…`), `v1a` Ed25519 (`whpk_…`).

Our own few lines: the library knows one secret, its own clock and no `v1a`. Tests hold both against each other.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from app.connectors.inbound.schemes.arrival import (
    MOST_SIGNATURES,
    Arrival,
    DeliveryRefused,
    Verified,
    decode,
    read_time,
)
from app.connectors.inbound.schemes.ed25519 import holds
from app.vault.secret import Secret

PUBLIC: Final = b"whpk_"
_SHARED: Final = b"whsec_"
# An id with a dot could be read as another id and another time.
_ID: Final = re.compile(r"[!-\-/-~]{1,256}", re.ASCII)


def headers(prefix: str) -> tuple[str, str, str]:
    """The headers that prove a delivery: its id, its time, its signatures."""
    return f"{prefix}-id", f"{prefix}-timestamp", f"{prefix}-signature"


def verify(arrival: Arrival, secrets: Sequence[Secret], now: datetime, prefix: str = "webhook") -> Verified:
    """Check age and signatures: one of them must be that of one active secret. Raises DeliveryRefused."""
    message_id, timestamp, given = (arrival.one(name) for name in headers(prefix))
    if not _ID.fullmatch(message_id):
        raise DeliveryRefused("malformed")
    at = read_time(timestamp, now)
    shared, public = _signatures(given)
    signed = f"{message_id}.{timestamp}.".encode() + arrival.body
    fits = False
    for secret in secrets:
        if secret.reveal_bytes().startswith(PUBLIC):
            fits |= any(holds(secret, signed, one) for one in public)
        else:
            right = hmac.new(_key(secret), signed, hashlib.sha256).digest()
            fits |= True in [hmac.compare_digest(right, one) for one in shared]
    if not fits:
        raise DeliveryRefused("wrong")
    return Verified(arrival.body, at)


def is_key(secret: Secret) -> bool:
    """Whether it is what a peer gives out: `whsec_…` or `whpk_…`, base64 of the right length."""
    text = secret.reveal_bytes()
    try:
        key = base64.b64decode(text.removeprefix(PUBLIC).removeprefix(_SHARED), validate=True)
    except (binascii.Error, ValueError):
        return False
    return len(key) == 32 if text.startswith(PUBLIC) else 16 <= len(key) <= 128  # noqa: PLR2004  bytes


def _signatures(given: str) -> tuple[list[bytes], list[bytes]]:
    """Those of `v1` and those of `v1a`; versions that nobody knows yet are passed over."""
    said = given.split(" ")
    if len(said) > MOST_SIGNATURES:
        raise DeliveryRefused("oversized")
    found: dict[str, list[bytes]] = {"v1": [], "v1a": []}
    for each in said:
        version, comma, signature = each.partition(",")
        if not comma:
            raise DeliveryRefused("malformed")
        if version in found:
            found[version].append(decode(signature, "base64"))
    return found["v1"], found["v1a"]


def _key(secret: Secret) -> bytes:
    try:
        return base64.b64decode(secret.reveal_bytes().removeprefix(_SHARED) + b"==")
    except binascii.Error:
        raise DeliveryRefused("no_secret") from None
