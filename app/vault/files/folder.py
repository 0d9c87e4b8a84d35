"""The folder of files: blobs by the hash of their sealed bytes, a folder for each tenant. Nothing in it is plain.

    <files>/<tenant>/<first two letters>/<address>   a whole file
    <files>/incoming/<tenant>.<place>.<file>          one that is being received, or whose row is being committed

What is received is published under its address by a second name, and loses the first one after the commit. So what a
killed request leaves is found in `incoming` alone: nobody ever has to compare all files with all rows.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final
from uuid import UUID

from app.kernel.errors import Unavailable
from app.vault.files.sealing import FileUnreadable
from app.vault.keepers.local_keys import sync_folder
from app.web.translations import mark

_ID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_INCOMING: Final = re.compile(rf"({_ID})\.({_ID})\.({_ID})")
_ADDRESS: Final = re.compile(r"[0-9a-f]{64}")
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_PUBLISHED: Final = 2  # names of a file that is in its place and not yet committed


class FilesAway(Unavailable):
    """The folder of files cannot be used at the moment: it is full, not there, or open to others."""

    retry_after = 60


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file on its way in: of this tenant, belonging to this place there (an onboarding), with this id."""

    tenant_id: UUID
    place_id: UUID
    file_id: UUID

    @property
    def name(self) -> str:
        """What it is called in the folder."""
        return f"{self.tenant_id}.{self.place_id}.{self.file_id}"


@dataclass(frozen=True, slots=True)
class FileFolder:
    """Where files lie. `most_bytes`: the largest that this installation takes, whatever a template says."""

    path: Path
    most_bytes: int

    def receive(self, incoming: Incoming) -> BinaryIO:
        """A new file for what is received, for nobody else to read. Raises FilesAway."""
        with _away():
            self._prepare(self._incoming)
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            return os.fdopen(os.open(self._incoming / incoming.name, flags, 0o600), "w+b")

    def publish(self, incoming: Incoming, address: str) -> None:
        """Give what was received its address; done before the commit of its row. Raises FilesAway.

        Refused where the sweep has taken it away meanwhile: then there is nothing that a row could mean.
        """
        with _away():
            target = self._blob(incoming.tenant_id, address)
            self._prepare(target.parent)
            received = self._incoming / incoming.name
            os.utime(received)  # the sweep leaves it alone while its row is being committed
            with suppress(FileExistsError):
                os.link(received, target, follow_symlinks=False)
            sync_folder(target.parent)

    def place(self, incoming: Incoming, address: str) -> None:
        """Move what was received to its address, whatever is there: its row is here already. Raises FilesAway."""
        with _away():
            target = self._blob(incoming.tenant_id, address)
            self._prepare(target.parent)
            (self._incoming / incoming.name).replace(target)
            sync_folder(target.parent)

    def has(self, tenant_id: UUID, address: str) -> bool:
        """Whether there are bytes at that address."""
        return self._blob(tenant_id, address).is_file()

    def settle(self, incoming: Incoming) -> None:
        """Its row is committed: only the address stays."""
        with suppress(OSError):  # what cannot be taken away now is taken away by the sweep
            (self._incoming / incoming.name).unlink(missing_ok=True)

    def abandon(self, incoming: Incoming) -> None:
        """No row will ever name it: take away all there is of it."""
        received = self._incoming / incoming.name
        with suppress(FileNotFoundError):
            if received.lstat().st_nlink >= _PUBLISHED:
                with received.open("rb") as file:
                    address = hashlib.file_digest(file, "sha256").hexdigest()
                self.remove(incoming.tenant_id, address)
            received.unlink()

    def open(self, tenant_id: UUID, address: str) -> BinaryIO:
        """The sealed bytes. Raises FileUnreadable where there are none, FilesAway."""
        try:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
            return os.fdopen(os.open(self._blob(tenant_id, address), flags), "rb")
        except FileNotFoundError:
            raise FileUnreadable from None
        except OSError as trouble:
            raise FilesAway(_AWAY) from trouble

    def remove(self, tenant_id: UUID, address: str) -> None:
        """Take a blob away, if it is there. Raises OSError."""
        self._blob(tenant_id, address).unlink(missing_ok=True)

    def drop(self, tenant_id: UUID) -> None:
        """Take away everything of a tenant. Repeatable. Raises FilesAway."""
        with _away():
            for incoming in self.waiting():
                if incoming.tenant_id == tenant_id:
                    (self._incoming / incoming.name).unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                shutil.rmtree(self.path / str(tenant_id))

    def waiting(self) -> dict[Incoming, float]:
        """What is on its way in, and when it was last written, in seconds since 1970."""
        found: dict[Incoming, float] = {}
        with suppress(FileNotFoundError), os.scandir(self._incoming) as entries:
            for entry in entries:
                if name := _INCOMING.fullmatch(entry.name):
                    key = Incoming(*(UUID(part) for part in name.groups()))
                    with suppress(FileNotFoundError):
                        found[key] = entry.stat(follow_symlinks=False).st_mtime
        return found

    @property
    def _incoming(self) -> Path:
        return self.path / "incoming"

    def _blob(self, tenant_id: UUID, address: str) -> Path:
        if not _ADDRESS.fullmatch(address):
            raise FileUnreadable
        return self.path / str(tenant_id) / address[:2] / address

    def _prepare(self, folder: Path) -> None:
        """Make the folder, private like the one that all of them lie in. Raises FilesAway, OSError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        between = [parent for parent in folder.parents if self.path in parent.parents]
        for each in (self.path, *reversed(between), folder):
            each.mkdir(mode=0o700, exist_ok=True)  # one by one: what `parents` makes is open to others
            if each.lstat().st_mode & _OTHERS or not stat.S_ISDIR(each.lstat().st_mode):
                raise FilesAway(_AWAY)


@contextmanager
def _away() -> Iterator[None]:
    try:
        yield
    except OSError as trouble:
        raise FilesAway(_AWAY) from trouble


_AWAY: Final = mark("Files cannot be kept or read right now. Try again in a moment, or tell whoever runs this.")
