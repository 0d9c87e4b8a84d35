"""The three documents of a bundle: header, manifest, signature. Canonical JSON (RFC 8785), strict when read."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Annotated, Final, TypeVar
from uuid import UUID

import msgspec
import rfc8785

from app.tenancy.bundles.errors import BundleBroken

FORMAT: Final = 1
HEADER: Final = "bundle.json"
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "signature.json"
DIRECTORY: Final = "directory/tenant"
KEYS: Final = "keys/tenant"
BLOBS: Final = "files/blob"  # the sealed bytes of files
FILE_KEYS: Final = "files/key"  # their keys, where the tenant's own stay behind
_PART: Final = re.compile(
    r"((?:tenant|cell|directory|keys|files)/[a-z_][a-z0-9_]{0,62})/([0-9]{6})-([0-9]{1,4})-([0-9]{1,8})\.sealed"
)

Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
PublicKey = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 50)]
Document = TypeVar("Document")


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first member: whose bundle it is, for whom and by whom. Nothing in it is secret."""

    format: int
    bundle: UUID
    tenant: UUID
    revision: str  # of the tenant's schema
    installation: UUID  # that wrote it
    signer: PublicKey  # Ed25519, checked against the fingerprint that the importer trusts
    recipient: PublicKey  # X25519, the bundle key of the installation it is sealed to
    secrets: bool
    began_at: str  # by the database's clock, UTC


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One sealed member. `bytes` is the length of its content when opened and unpacked."""

    name: str
    size: Count
    sha256: Digest
    rows: Count
    bytes: Count


class TableShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the lines of a table hold, and how many there are."""

    path: str
    columns: list[str]
    types: list[str]
    key: list[str]
    rows: Count


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last but one member: everything before it, by its hash."""

    format: int
    header_sha256: Digest
    tables: list[TableShape]
    parts: list[Part]


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last member: Ed25519 over `signed_bytes` of the manifest."""

    signer: PublicKey
    signature: Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]


class PartName(msgspec.Struct, frozen=True):
    """What a part's name says: which table's rows, the how many-th part of them, how many rows and bytes of lines."""

    path: str
    number: int
    rows: int
    bytes: int

    def __str__(self) -> str:
        return f"{self.path}/{self.number:06d}-{self.rows}-{self.bytes}.sealed"


def canonical(document: msgspec.Struct) -> bytes:
    """The one spelling of a document in bytes."""
    return rfc8785.dumps(msgspec.to_builtins(document))


def read_document(name: str, content: bytes, kind: type[Document]) -> Document:
    """A document as it was written: strict in its fields and in its spelling. Raises BundleBroken."""
    try:
        found = msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as trouble:
        raise BundleBroken(name, f"it is not what a bundle has there ({trouble}).") from None
    if getattr(found, "format", FORMAT) != FORMAT:
        raise BundleBroken(name, "it is of another format; update Slipway, or export with the same release.")
    if canonical(found) != content:  # type: ignore[arg-type]  # every kind above is a Struct
        raise BundleBroken(name, "it is not in canonical form.")
    return found


def read_name(name: str) -> PartName | None:
    """What the name of a sealed part says; None for a name that is none."""
    found = _PART.fullmatch(name)
    made = PartName(found[1], *(int(number) for number in found.groups()[1:])) if found else None
    return made if made and str(made) == name else None


def digest(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def signed_bytes(manifest: bytes) -> bytes:
    """What is signed: the manifest's bytes behind a text that no other signature of ours begins with."""
    return b"slipway bundle manifest 1\n" + manifest


def written(key: bytes) -> str:
    """A public key as documents hold it: base64."""
    return base64.b64encode(key).decode()
