"""The installation's own keys for bundles of tenants: one pair that opens them, one that signs them. No bundle here.

    <worker keyring>/bundle.key          0600  opens what others sealed for this installation   worker, operator
    <worker keyring>/bundle-signing.key  0600  signs what this installation exports             worker, operator

They lie beside the worker's key: a bundle holds connection secrets, so the web program opens none.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.kernel.errors import Invalid
from app.vault.keepers.local_keys import read_key, require_private_folder, sync_folder, write_once
from app.vault.sealed_box import make_pair, public_of
from app.vault.secret import Secret

OPENING: Final = "bundle.key"
SIGNING: Final = "bundle-signing.key"
_WRITTEN: Final = "slwb1-"
_FINGERPRINT: Final = "SHA256:"
_KEY_BYTES: Final = 32


class BundleKeyUnreadable(Invalid):
    """What was given is no bundle key as `slipway tenants key` prints it."""


@dataclass(frozen=True, slots=True)
class BundleKeys:
    """What this installation opens and signs bundles with."""

    opening: Secret = field(repr=False)
    signing: Secret = field(repr=False)

    @property
    def public_key(self) -> bytes:
        """What others seal to: an X25519 public key."""
        return public_of(self.opening)

    @property
    def signer(self) -> bytes:
        """The Ed25519 public key that our signatures are checked with."""
        return _signing(self.signing).public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature, 64 bytes."""
        return _signing(self.signing).sign(message)


@dataclass(frozen=True, slots=True)
class BundleSafe:
    """Where the keys lie, for jobs that need them now and then; only workers and operators are given one."""

    folder: Path

    def open(self) -> BundleKeys:
        """The keys as they are at this moment: they may be renewed. Raises KeyringUnsafe, KeyMissing."""
        return open_bundle_keys(self.folder)


def create_bundle_keys(worker_folder: Path) -> None:
    """Make both keys, once per installation; what is there stays. Raises KeyringUnsafe."""
    require_private_folder(worker_folder)
    write_once(worker_folder / OPENING, _new_opening())
    write_once(worker_folder / SIGNING, _line(Ed25519PrivateKey.generate().private_bytes_raw()))


def open_bundle_keys(worker_folder: Path) -> BundleKeys:
    """The keys of this installation. Raises KeyringUnsafe, KeyMissing."""
    require_private_folder(worker_folder)
    return BundleKeys(opening=read_key(worker_folder / OPENING), signing=read_key(worker_folder / SIGNING))


def renew_opening_key(worker_folder: Path) -> None:
    """Destroy the key that opens bundles and make another: nothing that was sealed for this installation opens again.

    Raises KeyringUnsafe.
    """
    require_private_folder(worker_folder)
    waiting = worker_folder / f".{OPENING}.new"
    waiting.unlink(missing_ok=True)  # of a renewal that was killed
    write_once(waiting, _new_opening())
    waiting.replace(worker_folder / OPENING)
    sync_folder(worker_folder)


def write_bundle_key(public: bytes) -> str:
    """A public bundle key as people pass it on."""
    return _WRITTEN + base64.urlsafe_b64encode(public).decode().rstrip("=")


def read_bundle_key(written: str) -> bytes:
    """The 32 bytes of a public bundle key. Raises BundleKeyUnreadable."""
    if not written.startswith(_WRITTEN):
        raise BundleKeyUnreadable(f"A bundle key starts with {_WRITTEN}: `slipway tenants key` prints it over there.")
    return _exactly(written.removeprefix(_WRITTEN), base64.urlsafe_b64decode, write_bundle_key, written)


def fingerprint_of(signer: bytes) -> str:
    """The short name of a signing key, to be compared over another line than the bundle came on."""
    return _FINGERPRINT + base64.b64encode(hashlib.sha256(signer).digest()).decode().rstrip("=")


def is_fingerprint_of(signer: bytes, fingerprint: str) -> bool:
    """Whether this is the fingerprint of that key."""
    return hmac.compare_digest(fingerprint_of(signer).encode(), fingerprint.strip().encode())


def is_signed(signer: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the key of these 32 bytes made the signature."""
    try:
        Ed25519PublicKey.from_public_bytes(signer).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _exactly(text: str, decode: Callable[[str], bytes], write: Callable[[bytes], str], written: str) -> bytes:
    """Decode, and insist that there was only one way to write it."""
    try:
        found = decode(text + "=" * (-len(text) % 4))
    except ValueError:
        found = b""
    if len(found) != _KEY_BYTES or write(found) != written:
        raise BundleKeyUnreadable("This bundle key is cut or mistyped. Copy it again, whole.")
    return found


def _signing(seed: Secret) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed.reveal_bytes())


def _new_opening() -> bytes:
    _public, private = make_pair()
    return _line(private.reveal_bytes())


def _line(key: bytes) -> bytes:
    return f"v1:{key.hex()}\n".encode()
