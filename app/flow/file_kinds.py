"""The kinds of file that a template may ask for, by the names that it uses: what each is called and sent as. Pure.

Nothing that a browser would run is among them: no HTML, no SVG, no program. How the bytes of each are recognised
stands where files come in (`onboarding.files.looking`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct


class FileKind(Struct, frozen=True, kw_only=True):
    """One kind: its media type, and the endings (lower case, with the dot) that files of it have."""

    media: str
    endings: tuple[str, ...]


_OFFICE = "application/vnd.openxmlformats-officedocument"
FILE_KINDS: Final[dict[str, FileKind]] = {
    "pdf": FileKind(media="application/pdf", endings=(".pdf",)),
    "png": FileKind(media="image/png", endings=(".png",)),
    "jpg": FileKind(media="image/jpeg", endings=(".jpg", ".jpeg")),
    "docx": FileKind(media=f"{_OFFICE}.wordprocessingml.document", endings=(".docx",)),
    "xlsx": FileKind(media=f"{_OFFICE}.spreadsheetml.sheet", endings=(".xlsx",)),
    "pptx": FileKind(media=f"{_OFFICE}.presentationml.presentation", endings=(".pptx",)),
    "vsdx": FileKind(media="application/vnd.ms-visio.drawing", endings=(".vsdx",)),
    "csv": FileKind(media="text/csv", endings=(".csv",)),
    "txt": FileKind(media="text/plain", endings=(".txt", ".log")),
    "json": FileKind(media="application/json", endings=(".json",)),
    "xml": FileKind(media="application/xml", endings=(".xml", ".xsd")),
    "zip": FileKind(media="application/zip", endings=(".zip",)),
}


def kind_of_name(name: str, accepted: Iterable[str]) -> str | None:
    """Which of the accepted kinds a file's ending names, or None."""
    lower = name.lower()
    return next((kind for kind in accepted if lower.endswith(FILE_KINDS[kind].endings)), None)


def endings_of(accepted: Iterable[str]) -> list[str]:
    """All endings of these kinds, in their order."""
    return [ending for kind in accepted for ending in FILE_KINDS[kind].endings]
