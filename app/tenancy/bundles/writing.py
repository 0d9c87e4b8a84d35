"""The file of an export that is under way: parts are appended, and a killed one goes on behind its last whole part.

It is `FILE.part` until it is whole and then becomes FILE in one step, so a file without that ending is never half.
"""

from __future__ import annotations

import fcntl
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from app.tenancy.bundles import archive
from app.tenancy.bundles.documents import (
    BLOBS,
    FORMAT,
    HEADER,
    MANIFEST,
    SIGNATURE,
    Header,
    Manifest,
    Part,
    Signature,
    TableShape,
    canonical,
    digest,
    read_name,
    signed_bytes,
)
from app.tenancy.bundles.errors import BundleBroken, ExportUnderWay, FileInTheWay
from app.tenancy.bundles.sealing import seal_part
from app.tenancy.bundles.verification import read_header
from app.vault.bundle_keys import BundleKeys
from app.vault.keepers.local_keys import sync_folder


class BundleWriter:
    """Appends to one bundle. `rows` says how many rows of each table are in whole parts already."""

    def __init__(self, file: BinaryIO, header: Header, parts: list[Part]) -> None:
        self.header = header
        self.parts = parts
        self.rows: Counter[str] = Counter()
        self._numbers: Counter[str] = Counter()
        self._file = file
        for part in parts:
            self._count(part)

    def add(self, path: str, lines: list[bytes]) -> None:
        """Seal these rows as the next part of their table."""
        part, sealed = seal_part(self.header, path, self._numbers[path] + 1, lines)
        archive.append(self._file, part.name, sealed)
        self.parts.append(part)
        self._count(part)

    def close(self, tables: list[TableShape], keys: BundleKeys) -> str:
        """Write manifest and signature. Returns the hash of the manifest."""
        manifest = canonical(Manifest(FORMAT, digest(canonical(self.header)), tables, self.parts))
        archive.append(self._file, MANIFEST, manifest)
        signature = Signature(keys.signer, keys.sign(signed_bytes(manifest)))
        archive.append(self._file, SIGNATURE, canonical(signature))
        archive.finish(self._file)
        return digest(manifest)

    def _count(self, part: Part) -> None:
        if (name := read_name(part.name)) is not None:
            self.rows[name.path] += name.rows
            self._numbers[name.path] += 1


def unfinished(path: Path) -> Path:
    """Where the bundle is written until it is whole."""
    return path.with_name(f"{path.name}.part")


def publish(path: Path) -> None:
    """Give the whole bundle its name."""
    unfinished(path).rename(path)
    sync_folder(path.parent)


@contextmanager
def open_writer(path: Path, fresh: Header) -> Iterator[BundleWriter]:
    """The bundle in `path`, begun with this header or gone on with where it was left; ours alone while it is open.

    Raises FileInTheWay, ExportUnderWay when the file belongs to another export.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(unfinished(path), flags, 0o600)
    except OSError as trouble:
        raise FileInTheWay(f"{unfinished(path)} cannot be written: {trouble.strerror}.") from None
    with os.fdopen(descriptor, "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FileInTheWay(f"Another process is writing {unfinished(path)}. Wait for it, or end it.") from None
        yield _begun(file, path, fresh)


def _begun(file: BinaryIO, path: Path, fresh: Header) -> BundleWriter:
    members = _whole_members(file)
    if not members:
        file.seek(0)
        file.truncate()
        archive.append(file, HEADER, canonical(fresh))
        sync_folder(path.parent)
        return BundleWriter(file, fresh, [])
    header, _digest = read_header(file)
    if _purpose(header) != _purpose(fresh):
        raise ExportUnderWay(
            f"{unfinished(path)} is the beginning of another export. Name another file, or remove that one."
        )
    # The last part may have been on its way to the disk when the power went: it is written again.
    kept = _leading_tables(members[1:])[:-1]
    file.seek(kept[-1].end if kept else members[0].end)
    file.truncate()
    return BundleWriter(file, header, [_part(file, member) for member in kept])


def _whole_members(file: BinaryIO) -> list[archive.Member]:
    try:
        return list(archive.list_members(file, whole=False))
    except BundleBroken:
        raise ExportUnderWay("The unfinished bundle is damaged. Remove it, cancel the export, begin anew.") from None


def _leading_tables(members: list[archive.Member]) -> list[archive.Member]:
    """The parts of tables and files; what comes behind them is quickly made again."""
    tables = []
    for member in members:
        name = read_name(member.name)
        if name is None or not (name.path.startswith(("tenant/", "cell/")) or name.path == BLOBS):
            break
        tables.append(member)
    return tables


def _part(file: BinaryIO, member: archive.Member) -> Part:
    name = read_name(member.name)
    place = file.tell()
    content = archive.read_content(file, member)
    file.seek(place)
    rows, length = (name.rows, name.bytes) if name else (0, 0)
    return Part(member.name, member.size, digest(content), rows, length)


def _purpose(header: Header) -> tuple[object, ...]:
    """What two runs of one export have in common."""
    return (header.tenant, header.revision, header.installation, header.signer, header.recipient, header.secrets)
