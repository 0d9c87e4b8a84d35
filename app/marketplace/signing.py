"""The operator's word for a package: a signature over which submission it is and over every byte of it. Pure.

A person of the operator has approved exactly this; a package that was exchanged afterwards has no such word.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.audit.note import NoteKey


def package_hash(package: bytes) -> str:
    """What a package is called where its bytes are not at hand."""
    return f"sha256:{hashlib.sha256(package).hexdigest()}"


def countersign(version_id: UUID, package: bytes, private: Ed25519PrivateKey) -> str:
    """The operator's signature for this submission."""
    return b64encode(private.sign(_said(version_id, package))).decode()


def is_countersigned(version_id: UUID, package: bytes, signature: str, key: NoteKey) -> bool:
    """Whether the operator's key has signed this submission with exactly these bytes."""
    try:
        raw = b64decode(signature.encode("ascii"), validate=True)
        Ed25519PublicKey.from_public_bytes(key.public).verify(raw, _said(version_id, package))
    except (InvalidSignature, NotBase64, ValueError):
        return False
    return True


def _said(version_id: UUID, package: bytes) -> bytes:
    """No package begins like this, so neither signature can stand for the other though one key may make both."""
    return f"reviewed listing\n{version_id}\n{package_hash(package)}\n".encode()
