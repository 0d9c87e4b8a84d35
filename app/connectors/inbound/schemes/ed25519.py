"""Public keys of Ed25519, as peers give them out, and whether a signature is of one."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.vault.secret import Secret

_HEX: Final = re.compile(rb"[0-9A-Fa-f]{64}")
_LENGTH: Final = 32


def read_public_key(secret: Secret) -> Ed25519PublicKey | None:
    """The key of a text: 64 hexadecimal digits, base64, or `whpk_…`; None where it is none."""
    text = secret.reveal_bytes().strip().removeprefix(b"whpk_")
    try:
        key = bytes.fromhex(text.decode()) if _HEX.fullmatch(text) else base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return Ed25519PublicKey.from_public_bytes(key) if len(key) == _LENGTH else None


def holds(secret: Secret, signed: bytes, signature: bytes) -> bool:
    """Whether the signature is of these bytes, by the key that the secret is."""
    key = read_public_key(secret)
    if key is None:
        return False
    try:
        key.verify(signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True
