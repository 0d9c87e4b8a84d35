"""The folder of files that a runtime under test is given, and files as people hand them over."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from app.vault.files.folder import FileFolder

LARGEST = 8 << 20  # bytes of the largest file here


def files_in(folder: Path) -> dict[type, object]:
    """The service, with a folder of its own below this one."""
    return {FileFolder: FileFolder(folder / "files", LARGEST)}


def pdf(words: str = "A diagram", size: int = 0) -> bytes:
    """What a reader takes for a PDF, of about this size."""
    return b"%PDF-1.7\n" + words.encode() + b"\n" + b"." * size + b"\n%%EOF\n"


def office(room: str = "xl/", *, more: str = "") -> bytes:
    """What an office program saves: an archive with a list of its types and a room of its own."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(f"{room}workbook.xml", "<workbook/>")
        if more:
            archive.writestr(more, "x")
    return made.getvalue()
