"""AES-256-GCM for one value in one place: `version | key version | nonce | ciphertext and tag`. Keeps no key.

A sealed value opens only where it was sealed: tenant, secret, field, purpose and key version are authenticated with it.
"""

from __future__ import annotations

import secrets
import struct
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.kernel.errors import Conflict
from app.vault.rules import SecretContext
from app.vault.secret import Secret

VERSION: Final = 1
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
_HEAD: Final = struct.Struct(">BI")  # format version, key version


class SecretUnreadable(Conflict):
    """The sealed value does not open here: changed, cut, of another place or of another key."""

    def __init__(self) -> None:
        super().__init__("This secret cannot be opened here: it was changed or belongs elsewhere. Enter it again.")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed value belongs, as words that are authenticated with it; `key_version` names the tenant's key."""

    parts: tuple[str, ...]
    key_version: int

    def encoded(self, layout: str) -> bytes:
        """The words as bytes that no other list of words gives: each is preceded by its length."""
        words = [word.encode() for word in ("slipway", layout, *self.parts, str(self.key_version))]
        return b"".join(struct.pack(">I", len(word)) + word for word in words)


def place_of(context: SecretContext, key_version: int) -> Place:
    """The place of a tenant's secret under one version of the tenant's keys."""
    return Place((str(context.tenant_id), str(context.secret_id), context.field, context.purpose), key_version)


def make_key() -> Secret:
    """A new 256-bit key."""
    return Secret(AESGCM.generate_key(256))


def seal(key: Secret, place: Place, secret: Secret) -> bytes:
    """Encrypt and bind to the place. The nonce is random: one key may seal 2**32 values."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = AESGCM(key.reveal_bytes()).encrypt(nonce, secret.reveal_bytes(), place.encoded("envelope"))
    return write_head(place.key_version) + nonce + sealed


def open_sealed(key: Secret, place: Place, sealed: bytes) -> Secret:
    """Decrypt what `seal` gave for this very place. Raises SecretUnreadable, which tells nothing about the value."""
    body = body_of(sealed, place.key_version)
    if len(body) < NONCE_BYTES + TAG_BYTES:
        raise SecretUnreadable
    nonce, rest = body[:NONCE_BYTES], body[NONCE_BYTES:]
    try:
        return Secret(AESGCM(key.reveal_bytes()).decrypt(nonce, rest, place.encoded("envelope")))
    except InvalidTag:
        raise SecretUnreadable from None


def read_key_version(sealed: bytes) -> int:
    """Which version of the tenant's keys sealed this: rotation looks for old ones. Raises SecretUnreadable."""
    if len(sealed) < _HEAD.size:
        raise SecretUnreadable
    version, key_version = _HEAD.unpack_from(sealed)
    if version != VERSION:
        raise SecretUnreadable
    return int(key_version)


def write_head(key_version: int) -> bytes:
    """The first five bytes of every sealed value."""
    return _HEAD.pack(VERSION, key_version)


def body_of(sealed: bytes, key_version: int) -> bytes:
    """What follows the head, which must name this key version. Raises SecretUnreadable."""
    if read_key_version(sealed) != key_version:
        raise SecretUnreadable
    return sealed[_HEAD.size :]
