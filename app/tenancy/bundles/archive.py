"""The outer form of a bundle: a plain tar (POSIX ustar) of files that any `tar` lists. Knows no meaning of them.

Our own strict reader, because a general one follows extensions: pax headers of any length, sparse files, links. Here a
member is a regular file with a short name of known characters and a size below a limit, or the file is broken.
"""

from __future__ import annotations

import os
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from app.tenancy.bundles.errors import BundleBroken

BLOCK: Final = 512
LARGEST: Final = 68 << 20  # bytes of one member: a part of 64 MiB, sealed
_END: Final = bytes(2 * BLOCK)
_NAME: Final = re.compile(r"[a-z][a-z0-9_.-]*(/[a-z0-9_][a-z0-9_.-]*){0,3}")


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the archive: its name, where its content begins and how many bytes it has."""

    name: str
    offset: int
    size: int

    @property
    def start(self) -> int:
        """Where its header begins."""
        return self.offset - BLOCK

    @property
    def end(self) -> int:
        """Where the next member begins."""
        return self.offset + -(-self.size // BLOCK) * BLOCK


def append(file: BinaryIO, name: str, content: bytes) -> None:
    """Write one member where the file stands, and see that it is on the disk."""
    header = tarfile.TarInfo(name)
    header.size, header.mode = len(content), 0o600
    file.write(header.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict"))
    file.write(content)
    file.write(bytes(-len(content) % BLOCK))
    sync(file)


def finish(file: BinaryIO) -> None:
    """Write the two empty blocks that end a tar."""
    file.write(_END)
    sync(file)


def sync(file: BinaryIO) -> None:
    """Make what was written survive a power cut."""
    file.flush()
    os.fsync(file.fileno())


def list_members(file: BinaryIO, *, whole: bool = True) -> Iterator[Member]:
    """Every member in the file's order; contents are not read. Raises BundleBroken at the first that is not right.

    `whole` demands the end of the archive and nothing after it; without it the list ends where the file was cut.
    """
    length = file.seek(0, os.SEEK_END)
    position, last = 0, "the beginning"
    while position + BLOCK <= length:
        file.seek(position)
        block = file.read(BLOCK)
        if block == bytes(BLOCK):
            _require_end(file, position, length, last)
            return
        member = _member(block, position, last)
        if member.end > length:
            break
        if any(_padding(file, member)):
            raise BundleBroken(member.name, "there are bytes after its end.")
        yield member
        position, last = member.end, member.name
    if whole:
        raise BundleBroken(f"after {last}", "the file ends too early.")


def read_content(file: BinaryIO, member: Member) -> bytes:
    """The bytes of one member. Raises BundleBroken when the file is shorter by now."""
    file.seek(member.offset)
    content = file.read(member.size)
    if len(content) != member.size:
        raise BundleBroken(member.name, "the file ends inside it.")
    return content


def _member(block: bytes, position: int, last: str) -> Member:
    try:
        header = tarfile.TarInfo.frombuf(block, "ascii", "strict")
    except (tarfile.HeaderError, ValueError):
        raise BundleBroken(f"after {last}", "there is no header of a part.") from None
    plain = tarfile.TarInfo(header.name)
    plain.size, plain.mode = header.size, 0o600
    if not _NAME.fullmatch(header.name) or not 0 <= header.size <= LARGEST:
        raise BundleBroken(f"after {last}", "a part has a name or a size that no bundle has.")
    if plain.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict") != block:
        raise BundleBroken(header.name, "its header is not as an export writes it.")
    return Member(header.name, position + BLOCK, header.size)


def _padding(file: BinaryIO, member: Member) -> bytes:
    file.seek(member.offset + member.size)
    return file.read(member.end - member.offset - member.size)


def _require_end(file: BinaryIO, position: int, length: int, last: str) -> None:
    file.seek(position)
    if length - position != len(_END) or file.read(len(_END)) != _END:
        raise BundleBroken(f"after {last}", "something stands behind the end.")
