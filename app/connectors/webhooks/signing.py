"""Keys and signatures of Standard Webhooks 1.0.0: `v1` is an HMAC with a shared secret, `v1a` Ed25519.

One secret of the vault holds both halves of a key: 32 bytes for the HMAC, 32 that the Ed25519 key is made of.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks import Webhook

from app.vault.secret import Secret

_HALF: Final = 32  # bytes
_CODE: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # what people read aloud without a mistake
_CODE_LENGTH: Final = 8


def make_key() -> Secret:
    """A new key, both halves."""
    return Secret(secrets.token_bytes(2 * _HALF))


def shared_of(key: Secret) -> Secret:
    """The half that the receiver gets, once: `whsec_…`."""
    return Secret("whsec_" + base64.b64encode(key.reveal_bytes()[:_HALF]).decode())


def public_of(key: Secret) -> str:
    """The public half of the other one, for everybody: `whpk_…`."""
    return "whpk_" + base64.b64encode(_private(key).public_key().public_bytes_raw()).decode()


def sign(keys: Sequence[Secret], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of a message, signed with each key in both ways."""
    seconds = int(at.timestamp())
    signed = f"{message_id}.{seconds}.".encode() + body
    shared = [Webhook(key.reveal_bytes()[:_HALF]).sign(message_id, at.astimezone(UTC), body.decode()) for key in keys]
    public = [f"v1a,{base64.b64encode(_private(key).sign(signed)).decode()}" for key in keys]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join([*shared, *public]),
    }


def code_of(key: Secret, endpoint_id: str, url: str, number: int) -> str:
    """The code that proves an address: only who holds the key can tell it beforehand."""
    told = f"{endpoint_id}:{number}:{url}".encode()
    digest = hmac.new(key.reveal_bytes(), b"address:" + told, hashlib.sha256).digest()
    return "".join(_CODE[each % len(_CODE)] for each in digest[:_CODE_LENGTH])


def digest_of(code: str) -> str:
    """What is kept of a code."""
    return hashlib.sha256(code.strip().upper().encode()).hexdigest()


def _private(key: Secret) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(key.reveal_bytes()[_HALF:])
