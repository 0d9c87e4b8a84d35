"""Looks at the bytes of a file as they pass: are they what its name says? Nothing is unpacked, nothing is run.

A file that two programs would read as two things (a PDF with an archive at its end) is refused: whoever checks one of
them sees the other nowhere. This is no search for malware; docs/templates/files.md says so.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
from typing import Final, cast

from app.flow.file_kinds import FILE_KINDS
from app.onboarding.files.rules import FileRefused

_TAIL: Final = (1 << 16) + 22  # an archive ends with 22 bytes and a comment of at most 65,535
_HEAD: Final = 1024
_LARGEST_LIST: Final = 8 << 20  # bytes of an archive's own list
_END: Final = struct.Struct("<4s4H2LH")
_MAGIC: Final = {
    "pdf": (b"%PDF-",),
    "png": (b"\x89PNG\r\n\x1a\n",),
    "jpg": (b"\xff\xd8\xff",),
    **dict.fromkeys(("zip", "docx", "xlsx", "pptx", "vsdx"), (b"PK\x03\x04",)),
}
_ROOMS: Final = {"docx": "word/", "xlsx": "xl/", "pptx": "ppt/", "vsdx": "visio/"}
_ARCHIVES: Final = frozenset({"zip", *_ROOMS})
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_WIDE: Final = (b"\xff\xfe", b"\xfe\xff")  # text in two bytes a letter says so first
_PAGE: Final = re.compile(rb"<(!doctype\s+html|html|svg|script)[\s>]", re.IGNORECASE)


class Looker:
    """Sees every byte of one file once, keeps its first and last ones. Raises FileRefused as soon as it is clear."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._head, self._tail, self._size, self._wide = b"", b"", 0, False

    def look(self, piece: bytes) -> None:
        """The next bytes. Raises FileRefused."""
        if len(self._head) < _HEAD:
            self._head += piece[: _HEAD - len(self._head)]
        if self._size == 0:
            self._wide = piece.startswith(_WIDE)
        self._size += len(piece)
        self._tail = (self._tail + piece)[-_TAIL:]
        if self.kind not in _MAGIC and not self._wide and _CONTROL.search(piece):
            raise self._wrong()

    def finish(self) -> None:
        """There are no more. Raises FileRefused."""
        if self._size == 0:
            raise FileRefused("empty")
        if self.kind in _MAGIC:
            if not self._head.startswith(_MAGIC[self.kind]):
                raise self._wrong()
        elif _PAGE.search(self._head) or any(self._head.startswith(each) for each in (b"%PDF-", b"PK\x03\x04")):
            raise self._wrong()
        list_size = _size_of_list(self._tail)
        if self.kind not in _ARCHIVES and list_size is not None:
            raise FileRefused("mixed")
        if self.kind in _ARCHIVES and (list_size is None or list_size > _LARGEST_LIST):
            raise self._wrong()

    def look_inside(self, content: io.RawIOBase) -> None:
        """Of an archive: what it lists. The content is read again where its list stands. Raises FileRefused."""
        if self.kind not in _ARCHIVES:
            return
        try:
            with zipfile.ZipFile(cast("io.BufferedIOBase", io.BufferedReader(content))) as archive:
                names = archive.namelist()
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
            raise self._wrong() from None
        room = _ROOMS.get(self.kind)
        if room is None:
            return
        if "[Content_Types].xml" not in names or not any(name.startswith(room) for name in names):
            raise self._wrong()
        if any(name.lower().endswith("vbaproject.bin") for name in names):
            raise FileRefused("macros")

    def _wrong(self) -> FileRefused:
        return FileRefused("bytes", ending=FILE_KINDS[self.kind].endings[0])


def _size_of_list(tail: bytes) -> int | None:
    """How large the list of an archive is that ends here; None where none does."""
    at = tail.rfind(b"PK\x05\x06")
    while at >= 0:
        if at + _END.size <= len(tail):
            found = _END.unpack_from(tail, at)
            if at + _END.size + found[7] == len(tail):
                return int(found[5])
        at = tail.rfind(b"PK\x05\x06", 0, at)
    return None
