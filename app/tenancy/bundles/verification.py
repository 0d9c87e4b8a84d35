"""Is this file a whole, unchanged bundle, and signed by whom? Needs no database, no network and no key."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from app.tenancy.bundles import archive
from app.tenancy.bundles.documents import (
    HEADER,
    MANIFEST,
    SIGNATURE,
    Header,
    Manifest,
    Part,
    Signature,
    digest,
    read_document,
    read_name,
    signed_bytes,
)
from app.tenancy.bundles.errors import BundleBroken
from app.vault.bundle_keys import fingerprint_of, is_signed

_BEFORE: Final = 1  # members before the parts: the header
_AFTER: Final = 2  # behind them: manifest and signature


@dataclass(frozen=True, slots=True)
class CheckedBundle:
    """A bundle whose signature and every hash are right; `offsets` say where each part is."""

    header: Header
    manifest: Manifest
    manifest_sha256: str
    members: dict[str, archive.Member]

    @property
    def sender(self) -> str:
        """The fingerprint of the key that signed it."""
        return fingerprint_of(self.header.signer)

    @property
    def rows(self) -> int:
        """How many rows it holds."""
        return sum(table.rows for table in self.manifest.tables)


def verify_file(path: Path) -> CheckedBundle:
    """Check a bundle from the first byte to the last. Raises BundleBroken, which names the first bad part."""
    with open_bundle(path) as file:
        return verify_bundle(file)


@contextmanager
def open_bundle(path: Path) -> Iterator[BinaryIO]:
    """The file, to be read. Raises BundleBroken when there is none."""
    try:
        file = path.open("rb")
    except OSError as trouble:
        raise BundleBroken(str(path), f"it cannot be read ({trouble.strerror}).") from None
    with file:
        yield file


def verify_bundle(file: BinaryIO) -> CheckedBundle:
    """The same on an open file. One part in memory at a time."""
    header, header_sha256 = read_header(file)
    members = list(archive.list_members(file))
    _require_frame(members)
    manifest_member, signature_member = members[-_AFTER:]
    content = archive.read_content(file, manifest_member)
    manifest = read_document(MANIFEST, content, Manifest)
    signature = read_document(SIGNATURE, archive.read_content(file, signature_member), Signature)
    # Parts before the signature: of a changed file the first bad part is what helps to find out what happened to it.
    if manifest.header_sha256 != header_sha256:
        raise BundleBroken(HEADER, "its hash is not the one in the manifest.")
    parts = {member.name: member for member in members[_BEFORE:-_AFTER]}
    _require_order(manifest, [member.name for member in members[_BEFORE:-_AFTER]])
    for part in manifest.parts:
        _check_part(file, part, parts[part.name])
    if signature.signer != header.signer or not is_signed(header.signer, signed_bytes(content), signature.signature):
        raise BundleBroken(SIGNATURE, "it is not the signature of this manifest.")
    return CheckedBundle(header, manifest, digest(content), parts)


def read_header(file: BinaryIO) -> tuple[Header, str]:
    """The header of a bundle that may still be unfinished, and its hash. Raises BundleBroken."""
    first = next(archive.list_members(file, whole=False), None)
    if first is None or first.name != HEADER:
        raise BundleBroken(HEADER, "it does not come first: this is no bundle.")
    content = archive.read_content(file, first)
    return read_document(HEADER, content, Header), digest(content)


def _require_frame(members: list[archive.Member]) -> None:
    names = [member.name for member in members]
    if len(names) < _BEFORE + _AFTER or names[-_AFTER:] != [MANIFEST, SIGNATURE]:
        raise BundleBroken(MANIFEST, "manifest and signature do not come last.")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise BundleBroken(twice[0], "it is there twice.")


def _require_order(manifest: Manifest, names: list[str]) -> None:
    """The members are those of the manifest in its order, each table's parts together and numbered without a hole."""
    for listed, there in zip(manifest.parts, names, strict=False):
        if listed.name != there:
            raise BundleBroken(there, f"the manifest has {listed.name} in its place.")
    if len(names) != len(manifest.parts):
        raise BundleBroken(MANIFEST, f"it lists {len(manifest.parts)} parts, and there are {len(names)}.")
    counted: Counter[str] = Counter()
    rows: Counter[str] = Counter()
    for part, name in ((part, read_name(part.name)) for part in manifest.parts):
        if name is None or (name.rows, name.bytes) != (part.rows, part.bytes):
            raise BundleBroken(part.name, "its name is not that of a part.")
        counted[name.path] += 1
        rows[name.path] += part.rows
        if name.number != counted[name.path]:
            raise BundleBroken(part.name, f"it should be number {counted[name.path]} of its table.")
    for table in manifest.tables:
        if rows[table.path] != table.rows:
            raise BundleBroken(
                MANIFEST, f"it says {table.rows} rows of {table.path}, and there are {rows[table.path]}."
            )


def _check_part(file: BinaryIO, part: Part, member: archive.Member) -> None:
    content = archive.read_content(file, member)
    if len(content) != part.size or hashlib.sha256(content).hexdigest() != part.sha256:
        raise BundleBroken(part.name, "its hash is not the one in the manifest.")
