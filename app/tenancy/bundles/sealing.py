"""Rows to a sealed part and back: JSON lines, gzip, HPKE to the recipient, bound to bundle, tenant and name.

Each part is sealed by itself, so an export that goes on after a kill needs no key of the one before, and whoever writes
a bundle cannot read what is already in it.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from typing import Final

from app.tenancy.bundles.documents import Header, Part, PartName, digest
from app.tenancy.bundles.errors import BundleBroken
from app.vault.envelope import Place, SecretUnreadable
from app.vault.sealed_box import open_with, seal_to
from app.vault.secret import Secret

PART_BYTES: Final = 1 << 20  # a part is closed when it holds this much
PART_ROWS: Final = 5_000
LARGEST: Final = 64 << 20  # bytes of the lines of one part, and so of one row
_VERSION: Final = 1
_LEVEL: Final = 6


def seal_part(header: Header, path: str, number: int, lines: Sequence[bytes]) -> tuple[Part, bytes]:
    """The next part of a table, as the manifest lists it, and its sealed bytes."""
    plain = b"".join(line + b"\n" for line in lines)
    name = PartName(path, number, len(lines), len(plain))
    packed = gzip.compress(plain, _LEVEL, mtime=0)
    sealed = seal_to(header.recipient, place_of(header, str(name)), Secret(packed))
    return Part(str(name), len(sealed), digest(sealed), name.rows, len(plain)), sealed


def open_part(header: Header, part: Part, sealed: bytes, opening: Secret) -> list[bytes]:
    """The lines of a part. Raises BundleBroken when it does not open, or holds more or other than it says."""
    try:
        packed = open_with(opening, place_of(header, part.name), sealed).reveal_bytes()
    except (SecretUnreadable, ValueError):
        raise BundleBroken(part.name, "it does not open with this installation's key.") from None
    plain = _unpack(part, packed)
    if plain and not plain.endswith(b"\n"):
        raise BundleBroken(part.name, "its last line is cut.")
    lines = plain.split(b"\n")[:-1]
    if len(lines) != part.rows:
        raise BundleBroken(part.name, f"it holds {len(lines)} rows and says {part.rows}.")
    return lines


def place_of(header: Header, name: str) -> Place:
    """What a part is bound to: it opens nowhere else."""
    return Place(("bundle", str(header.bundle), str(header.tenant), name), _VERSION)


def _unpack(part: Part, packed: bytes) -> bytes:
    """Never more bytes than the manifest says, whatever the gzip would unfold to."""
    if part.bytes > LARGEST:
        raise BundleBroken(part.name, "it is larger than a part may be.")
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        plain = unpacker.decompress(packed, part.bytes + 1)
        plain += unpacker.decompress(unpacker.unconsumed_tail, 1)  # reads on to the end of the gzip
    except zlib.error:
        raise BundleBroken(part.name, "it cannot be unpacked.") from None
    if len(plain) != part.bytes or not unpacker.eof or unpacker.unused_data or unpacker.unconsumed_tail:
        raise BundleBroken(part.name, "it does not unpack to what the manifest says.")
    return plain
