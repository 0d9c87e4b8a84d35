"""How far a long command has come: one line on a terminal, nothing where nobody looks."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

_OFTEN = 0.2  # seconds between two lines


class Meter:
    """Shows table, rows of all tables and rows per second, on standard error. Use it in a `with`."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._rows: dict[str, int] = {}
        self._began = self._shown = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._terminal and self._rows:
            sys.stderr.write("\n")

    def show(self, table: str, rows: int) -> None:
        """`rows` of this table are done."""
        self._rows[table] = rows
        now = time.monotonic()
        if not self._terminal or now - self._shown < _OFTEN:
            return
        self._shown, done = now, sum(self._rows.values())
        rate = done / max(now - self._began, _OFTEN)
        sys.stderr.write(f"\r{done:>12,} rows  {rate:>9,.0f}/s  {table:<40.40}")
        sys.stderr.flush()
