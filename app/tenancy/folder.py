"""The folder of bundles that were asked for by API: web and worker share it. Names are ids; all content is sealed.

`<id>.bundle` is a whole file, `<id>.bundle.part` an export being written, `<id>.upload` what is being received.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, Final
from uuid import UUID

from app.kernel.errors import Unavailable
from app.web.translations import mark

PIECE: Final = 1 << 18  # bytes that are read at once
_NAME: Final = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(?:bundle|bundle\.part|upload)")
_ENDINGS: Final = ("bundle", "bundle.part", "upload")


class BundlesAway(Unavailable):
    """The folder of bundles cannot be used at the moment: it is full, not there, or not private."""

    retry_after = 60


@dataclass(frozen=True, slots=True)
class BundleFolder:
    """Files of bundles, what may be put there, and how long a finished one stays.

    `vouched` are the keys of installations that the operator lets bundles go to.
    """

    path: Path
    most_bytes: int
    kept: timedelta
    vouched: frozenset[str]

    def file(self, transfer_id: UUID) -> Path:
        """Where the whole bundle is, or will be."""
        return self._named(transfer_id, "bundle")

    def begin_upload(self, transfer_id: UUID) -> BinaryIO:
        """A new file for what is received, for nobody else to read. Raises BundlesAway."""
        try:
            self.prepare()
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            return os.fdopen(os.open(self._named(transfer_id, "upload"), flags, 0o600), "wb")
        except OSError as trouble:
            raise BundlesAway(_AWAY) from trouble

    def finish_upload(self, transfer_id: UUID, file: BinaryIO) -> None:
        """What was received is whole: it survives a power cut and has its name. Raises BundlesAway."""
        try:
            file.flush()
            os.fsync(file.fileno())
            self._named(transfer_id, "upload").rename(self.file(transfer_id))
        except OSError as trouble:
            raise BundlesAway(_AWAY) from trouble

    def remove(self, transfer_id: UUID) -> None:
        """Take away all there is of this bundle."""
        for ending in _ENDINGS:
            self._named(transfer_id, ending).unlink(missing_ok=True)

    def listed(self) -> dict[UUID, float]:
        """The bundles that have a file, and when it was last written, in seconds since 1970."""
        found: dict[UUID, float] = {}
        try:
            with os.scandir(self.path) as entries:
                for entry in entries:
                    if name := _NAME.fullmatch(entry.name):
                        key = UUID(name[1])
                        found[key] = max(found.get(key, 0.0), entry.stat(follow_symlinks=False).st_mtime)
        except FileNotFoundError:
            return {}
        return found

    def prepare(self) -> None:
        """Make the folder where there is none. Raises BundlesAway for one that others may enter, OSError."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = self.path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise BundlesAway(_AWAY)

    def _named(self, transfer_id: UUID, ending: str) -> Path:
        return self.path / f"{transfer_id}.{ending}"


def sha256_of(path: Path) -> str:
    """The hash of a file, read piece by piece. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pieces(file: BinaryIO, first: int, length: int) -> Iterator[bytes]:
    """Some bytes of an open file, piece by piece, also when its name is taken away meanwhile; closes it at the end."""
    with file:
        file.seek(first)
        while length > 0 and (piece := file.read(min(PIECE, length))):
            length -= len(piece)
            if length <= 0:
                file.close()  # nobody may ask for what comes after the last piece
            yield piece


_AWAY: Final = mark("The folder of bundles cannot be used right now. Try again in a moment, or tell whoever runs this.")
