"""Files on their way to another installation: sealed bytes as lines of a bundle, and lines as blobs again.

The bytes stay as they are: a file is sealed for its tenant and id, which move with it. Only its key changes hands.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterable, Iterator
from typing import Annotated, BinaryIO, Final
from uuid import UUID

import msgspec
import structlog

from app.kernel.errors import Invalid
from app.kernel.ids import new_id
from app.vault.files.folder import FileFolder, Incoming
from app.vault.files.records import StoredFile
from app.vault.files.sealing import FileUnreadable

log = structlog.get_logger(__name__)
PIECE: Final = 192 << 10  # bytes of one line, before they are text


class FilesBroken(Invalid):
    """What a bundle holds of files does not fit together."""


class BlobLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A piece of a sealed file. `data` None: where the bundle was written, the file's bytes were lost."""

    file: UUID
    address: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
    at: Annotated[int, msgspec.Meta(ge=0)]
    data: str | None


def blob_lines(folder: FileFolder, tenant_id: UUID, files: Iterable[StoredFile], *, skip: int) -> Iterator[str]:
    """The sealed bytes of these files in their order, without the first `skip` lines.

    What is lost here is said to be lost, so that a workspace can leave with all that is left of it. Raises FilesAway.
    """
    for stored in files:
        try:
            file = folder.open(tenant_id, stored.address)
        except FileUnreadable:
            log.warning("files.lost", tenant_id=str(tenant_id), file_id=str(stored.id))
            if not skip:
                yield _line(stored, 0, None)
            skip = max(0, skip - 1)
            continue
        with file:
            pieces = -(-os.fstat(file.fileno()).st_size // PIECE)
            for number in range(min(skip, pieces), pieces):
                file.seek(number * PIECE)
                yield _line(stored, number * PIECE, file.read(PIECE))
            skip = max(0, skip - pieces)


class Arriving:
    """Makes blobs of lines, in the order in which they were written. What is here already is not written again."""

    def __init__(self, folder: FileFolder, tenant_id: UUID) -> None:
        self.lost: set[str] = set()
        self._folder, self._tenant_id = folder, tenant_id
        self._line: BlobLine | None = None
        self._incoming: Incoming | None = None
        self._file: BinaryIO | None = None
        self._digest = hashlib.sha256()
        self._size = 0

    def take(self, line: bytes) -> None:
        """The next line. Raises FilesBroken, FilesAway."""
        try:
            found = msgspec.json.decode(line, type=BlobLine)
            data = None if found.data is None else base64.b64decode(found.data, validate=True)
        except (msgspec.MsgspecError, ValueError):
            raise FilesBroken("a line of it is none.") from None
        if self._line is None or self._line.address != found.address:
            self.finish()
            self._begin(found)
        if data is None:
            self.lost.add(found.address)
        elif self._file is not None:
            if found.at != self._size:
                raise FilesBroken("a piece of a file is missing.")
            self._file.write(data)
            self._digest.update(data)
            self._size += len(data)

    def finish(self) -> None:
        """The file that was being written is whole. Raises FilesBroken, FilesAway."""
        line, file, incoming = self._line, self._file, self._incoming
        self._line = self._file = self._incoming = None
        if line is None or file is None or incoming is None:
            return
        file.flush()
        os.fsync(file.fileno())
        file.close()
        if line.address in self.lost or self._digest.hexdigest() != line.address:
            self._folder.abandon(incoming)
            if line.address not in self.lost:
                raise FilesBroken("a file is not what was sealed.")
            return
        self._folder.place(incoming, line.address)

    def close(self) -> None:
        """Nothing more comes; what is not whole is left to the sweep."""
        if self._file is not None:
            self._file.close()

    def require(self, files: Iterable[StoredFile]) -> None:
        """Every row has its bytes, but for what was lost before. Raises FilesBroken."""
        for each in files:
            if each.address not in self.lost and not self._folder.has(self._tenant_id, each.address):
                raise FilesBroken("the content of a file is missing.")

    def _begin(self, line: BlobLine) -> None:
        self._line, self._size, self._digest = line, 0, hashlib.sha256()
        if not self._folder.has(self._tenant_id, line.address):
            # a name of its own: two who import at once are not in each other's way
            self._incoming = Incoming(self._tenant_id, new_id(), line.file)
            self._file = self._folder.receive(self._incoming)


def _line(stored: StoredFile, at: int, data: bytes | None) -> str:
    told = None if data is None else base64.b64encode(data).decode()
    return msgspec.json.encode(BlobLine(stored.id, stored.address, at, told)).decode()
