"""HPKE (RFC 9180, base mode) to a public key: whoever may write a value need not be able to read it. Keeps no key."""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from app.vault.envelope import Place, SecretUnreadable, body_of, write_head
from app.vault.secret import Secret

_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def make_pair() -> tuple[bytes, Secret]:
    """A new X25519 pair: the public key (32 bytes) and the private one."""
    private = X25519PrivateKey.generate()
    return private.public_key().public_bytes_raw(), Secret(private.private_bytes_raw())


def public_of(private: Secret) -> bytes:
    """The public key of a private one."""
    return X25519PrivateKey.from_private_bytes(private.reveal_bytes()).public_key().public_bytes_raw()


def seal_to(public_key: bytes, place: Place, secret: Secret) -> bytes:
    """Seal to the key and to the place (HPKE `info`): `version | key version | encapsulated key | ciphertext`."""
    public = X25519PublicKey.from_public_bytes(public_key)
    return write_head(place.key_version) + _SUITE.encrypt(secret.reveal_bytes(), public, info=place.encoded("hpke"))


def open_with(private: Secret, place: Place, sealed: bytes) -> Secret:
    """Open what `seal_to` gave for this very place. Raises SecretUnreadable."""
    body = body_of(sealed, place.key_version)
    opener = X25519PrivateKey.from_private_bytes(private.reveal_bytes())
    try:
        return Secret(_SUITE.decrypt(body, opener, info=place.encoded("hpke")))
    except InvalidTag:
        raise SecretUnreadable from None
