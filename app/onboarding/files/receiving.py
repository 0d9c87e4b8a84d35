"""Takes in the files of one request: looked at and sealed as they come. No session is in reach, nothing plain is kept.

What is not kept in the end is taken away by `discard`; what a killed program leaves, by the sweep.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final, TypeVar
from uuid import UUID

import msgspec
from prometheus_client import Counter

from app.flow.fields import Field
from app.kernel.errors import Conflict, Forbidden, Invalid, Missing
from app.kernel.ids import new_id
from app.onboarding.files.looking import Looker
from app.onboarding.files.rules import MIB, FileRefused, FileTooLarge, PlaceFull, clean_name, kind_for, most_bytes
from app.vault.envelope import make_key
from app.vault.files.folder import FileFolder, FilesAway, Incoming
from app.vault.files.sealing import FilePlace, OpenedFile, Sealed, Sealer
from app.vault.secret import Secret
from app.web.translations import mark

Result = TypeVar("Result")
FILES: Final = Counter("slipway_files_received", "Files that came in, by what became of them.", ("outcome",))
BYTES: Final = Counter("slipway_file_bytes_received", "Bytes of files that were kept.")


@dataclass(frozen=True, slots=True)
class Received:
    """One file that came in whole: sealed, and nobody's yet. `digest`, of its content, never leaves the memory."""

    incoming: Incoming
    name: str
    kind: str
    sealed: Sealed
    key: Secret = field(repr=False)
    digest: bytes = field(repr=False)

    def told(self, once: str) -> list[str]:
        """What tells a command with this file from one with another; worth nothing without the command's key."""
        return [self.name, hmac.new(once.encode(), self.digest, hashlib.sha256).hexdigest()]


@dataclass
class _Open:
    """The file that is coming in."""

    incoming: Incoming
    name: str
    looker: Looker
    file: BinaryIO
    key: Secret
    sealer: Sealer
    digest: Any  # hashlib's own, which has no public type
    size: int = 0


class Reception:
    """The files of one request for one place, `where`: the tenant and the onboarding."""

    def __init__(self, folder: FileFolder, where: tuple[UUID, UUID], slot: Field) -> None:
        self._received: list[Received] = []
        self._folder, self._where, self._slot = folder, where, slot
        self._most = most_bytes(slot, folder.most_bytes)
        self._open: _Open | None = None
        self._begun: dict[UUID, Incoming] = {}

    @property
    def largest(self) -> int:
        """Bytes of the largest file that is taken."""
        return self._most

    @property
    def most(self) -> int:
        """Bytes of all that one request may bring: as many of the largest files as the place takes."""
        return self._most * (self._slot.maximum or 1)

    def begin(self, sent_name: str) -> None:
        """A file follows. Raises FileRefused, PlaceFull, FilesAway."""
        if len(self._received) >= (self._slot.maximum or 1):
            raise PlaceFull(self._slot.maximum or 1)
        name = clean_name(sent_name)
        looker = Looker(kind_for(self._slot, name))
        incoming = Incoming(*self._where, new_id())
        file, key = self._folder.receive(incoming), make_key()
        self._begun[incoming.file_id] = incoming
        sealer = _away(lambda: Sealer(file, key, FilePlace(incoming.tenant_id, incoming.file_id)))
        self._open = _Open(incoming, name, looker, file, key, sealer, hashlib.sha256())

    def put(self, piece: bytes) -> None:
        """Some of its content. Raises FileRefused, FileTooLarge, FilesAway."""
        now = self._require_open()
        now.size += len(piece)
        if now.size > self._most:
            raise FileTooLarge("large", most=self._most // MIB)
        now.looker.look(piece)
        now.digest.update(piece)
        _away(lambda: now.sealer.write(piece))

    def end(self) -> None:
        """It is whole: its own bytes are looked at once more, opened from what was sealed. Raises as `put` does."""
        now = self._require_open()
        now.looker.finish()
        sealed = _away(now.sealer.finish)
        place = FilePlace(now.incoming.tenant_id, now.incoming.file_id)
        now.looker.look_inside(OpenedFile(now.file, now.key, place, sealed.size))
        _away(lambda: _sync(now.file))
        self._open = None
        got = Received(now.incoming, now.name, now.looker.kind, sealed, now.key, now.digest.digest())
        self._received.append(got)

    def whole(self) -> list[Received]:
        """What came. Raises FileRefused where nothing did."""
        if not self._received:
            raise FileRefused("none")
        return list(self._received)

    @contextmanager
    def committing(self) -> Iterator[Callable[[object], None]]:
        """Around the command that makes files somebody's; it is told the ids that this, or an earlier try, has kept.

        Refused, it has rolled back. Where it fails otherwise, a connection lost at the commit say, nobody here knows
        whether its rows are there: then the sweep looks, and decides.
        """
        waiting, self._begun = self._begun, {}

        def kept(ids: object) -> None:
            for file_id in msgspec.convert(ids, list[UUID]):
                if (incoming := waiting.pop(file_id, None)) is not None:
                    self._folder.settle(incoming)
                    FILES.labels("kept").inc()
                    BYTES.inc(next(each.sealed.size for each in self._received if each.incoming == incoming))
            self._begun = waiting

        try:
            yield kept
        except (Conflict, Forbidden, Invalid, Missing):
            self._begun = waiting
            raise

    def close(self) -> None:
        """What is not kept by now is taken away."""
        if self._open is not None:
            self._open.file.close()
        for each in self._begun.values():
            FILES.labels("discarded").inc()
            with suppress(OSError):  # what cannot be taken away now is taken away by the sweep
                self._folder.abandon(each)

    def _require_open(self) -> _Open:
        if self._open is None:
            raise FileRefused("none")
        return self._open


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
    file.close()


def _away(act: Callable[[], Result]) -> Result:
    try:
        return act()
    except OSError as trouble:
        raise FilesAway(_AWAY) from trouble


_AWAY: Final = mark("Files cannot be kept or read right now. Try again in a moment, or tell whoever runs this.")
