"""Seals a file chunk by chunk with a key of its own, so that none is ever whole in memory or plain on a disk.

    SLWF 0x01 | chunk 0 and tag | chunk 1 and tag | …      each chunk 64 KiB of content, the last one what is left

The key seals this one file and nothing else, so a chunk's number is its nonce; the last one says that it is the last.
A chunk that was changed, moved, cut off or taken from another file or tenant opens nowhere.
"""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Generator
from dataclasses import dataclass
from typing import BinaryIO, Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.kernel.errors import Unavailable
from app.vault.envelope import TAG_BYTES, Place
from app.vault.secret import Secret
from app.web.translations import mark

HEAD: Final = b"SLWF\x01"
CHUNK: Final = 1 << 16
_NONCE: Final = struct.Struct(">QI")  # number of the chunk, whether it is the last


class FileUnreadable(Unavailable):
    """What lies in the folder is not what was sealed: cut, changed, or of another place."""

    def __init__(self) -> None:
        super().__init__(mark("The content of this file cannot be read. Ask whoever runs this to restore it."))


@dataclass(frozen=True, slots=True)
class FilePlace:
    """Whose file it is: both are authenticated with every chunk."""

    tenant_id: UUID
    file_id: UUID

    def encoded(self) -> bytes:
        """The place as bytes that no other place gives."""
        return Place((str(self.tenant_id), str(self.file_id)), 1).encoded("file")


@dataclass(frozen=True, slots=True)
class Sealed:
    """A file that is whole: the bytes of its content, and the hash of what lies on the disk, which is its address."""

    size: int
    address: str


class Sealer:
    """Writes one sealed file. What was written before `finish` is worth nothing."""

    def __init__(self, file: BinaryIO, key: Secret, place: FilePlace) -> None:
        self._file, self._cipher, self._place = file, AESGCM(key.reveal_bytes()), place.encoded()
        self._digest = hashlib.sha256()
        self._rest, self._number, self._size = bytearray(), 0, 0
        self._put(HEAD)

    def write(self, piece: bytes) -> None:
        """Take in some content."""
        self._size += len(piece)
        self._rest += piece
        while len(self._rest) > CHUNK:  # what fills a chunk exactly may be the last one
            self._seal(bytes(self._rest[:CHUNK]), last=False)
            del self._rest[:CHUNK]

    def finish(self) -> Sealed:
        """Seal the last chunk."""
        self._seal(bytes(self._rest), last=True)
        self._rest.clear()
        return Sealed(self._size, self._digest.hexdigest())

    def _seal(self, content: bytes, *, last: bool) -> None:
        self._put(self._cipher.encrypt(_NONCE.pack(self._number, last), content, self._place))
        self._number += 1

    def _put(self, sealed: bytes) -> None:
        self._file.write(sealed)
        self._digest.update(sealed)


class OpenedFile(io.RawIOBase):
    """The content of a sealed file, to be read anywhere; a chunk is opened when it is needed.

    Raises FileUnreadable while it is read.
    """

    def __init__(self, file: BinaryIO, key: Secret, place: FilePlace, size: int) -> None:
        super().__init__()
        self._file, self._cipher, self._place = file, AESGCM(key.reveal_bytes()), place.encoded()
        self._size, self._at = size, 0
        self._last = max(0, -(-size // CHUNK) - 1)
        self._known: tuple[int, bytes] = (-1, b"")
        whole = file.seek(0, io.SEEK_END) == len(HEAD) + size + (self._last + 1) * TAG_BYTES
        file.seek(0)
        if not whole or file.read(len(HEAD)) != HEAD:
            file.close()
            raise FileUnreadable

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes: an archive lists what it holds at its end."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place of the content."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._at

    def readinto(self, buffer: memoryview | bytearray) -> int:  # type: ignore[override]  # of bytes, as io calls it
        """The next bytes of the content, up to the end of their chunk."""
        if self._at >= self._size:
            return 0
        number, inside = divmod(self._at, CHUNK)
        piece = self._chunk(number)[inside : inside + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def pieces(self) -> Generator[bytes]:
        """The whole content, chunk by chunk; closes the file at its end."""
        with self._file:
            for number in range(self._last + 1):
                piece = self._chunk(number)
                if number == self._last:
                    self._file.close()  # nobody may ask for what comes after the last piece
                yield piece

    def _chunk(self, number: int) -> bytes:
        if self._known[0] != number:
            self._file.seek(len(HEAD) + number * (CHUNK + TAG_BYTES))
            sealed, last = self._file.read(CHUNK + TAG_BYTES), number == self._last
            try:
                self._known = number, self._cipher.decrypt(_NONCE.pack(number, last), sealed, self._place)
            except InvalidTag:
                raise FileUnreadable from None
        return self._known[1]
