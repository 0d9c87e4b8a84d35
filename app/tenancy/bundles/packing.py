"""Rows of a table into parts of a bundle, one part in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from app.tenancy.bundles.errors import RowTooLarge
from app.tenancy.bundles.sealing import LARGEST, PART_BYTES, PART_ROWS
from app.tenancy.bundles.writing import BundleWriter

_SHOWN: Final = 60  # characters of a row that say which one it is


def pack(writer: BundleWriter, path: str, rows: Iterable[str], progress: Callable[[str, int], None]) -> None:
    """Append the rows; a part is closed at 1 MiB or 5,000 rows. Raises RowTooLarge."""
    lines: list[bytes] = []
    size = 0
    for row in rows:
        line = row.encode()
        if len(line) >= LARGEST:
            raise RowTooLarge(f"A row of {path} is larger than 64 MiB and cannot be exported: {row[:_SHOWN]}…")
        if lines and size + len(line) > PART_BYTES:
            writer.add(path, lines)
            progress(path, writer.rows[path])
            lines, size = [], 0
        lines.append(line)
        size += len(line) + 1
        if len(lines) == PART_ROWS:
            writer.add(path, lines)
            progress(path, writer.rows[path])
            lines, size = [], 0
    if lines:
        writer.add(path, lines)
        progress(path, writer.rows[path])
