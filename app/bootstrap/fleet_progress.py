"""Shows how far the fleet is: one line that moves on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import time
from typing import TextIO

from tenants.fleet.apply import Progress

_WIDTH = 30
_EVERY = 5.0  # seconds between plain lines


class Watcher:
    """Is told of progress many times a second and says as much of it as can be read."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._terminal = out.isatty()
        self._began = time.monotonic()
        self._before: int | None = None
        self._said_at = 0.0
        self._said = self._last = ""

    def tell(self, progress: Progress) -> None:
        """Show this moment."""
        if self._before is None:
            self._before = progress.tally.done
        line = self._line(progress, time.monotonic() - self._began)
        if self._terminal:
            self._out.write(f"\r\x1b[K{line}")
            self._out.flush()
        elif time.monotonic() - self._said_at >= _EVERY or progress.ring not in self._said:
            self._plainly(line)
        self._last = line

    def end(self) -> None:
        """Leave the last line standing."""
        if self._terminal and self._last:
            self._out.write("\n")
        elif self._last != self._said:
            self._plainly(self._last)
        self._out.flush()

    def _plainly(self, line: str) -> None:
        self._out.write(f"{line}\n")
        self._out.flush()
        self._said, self._said_at = line, time.monotonic()

    def _line(self, progress: Progress, seconds: float) -> str:
        tally = progress.tally
        settled = tally.done + tally.quarantined
        rate = (tally.done - (self._before or 0)) / seconds if seconds > 0 else 0.0
        share = settled / tally.total if tally.total else 1.0
        filled = int(share * _WIDTH)
        parts = [f"[{'#' * filled}{'.' * (_WIDTH - filled)}] {settled}/{tally.total}", f"ring {progress.ring}"]
        if progress.soak_left:
            parts.append(f"soaking, {progress.soak_left:.0f} s left")
        else:
            left = tally.total - settled
            parts.append(f"{rate:.1f}/s" + (f", {left / rate:.0f} s left" if rate and left else ""))
        if tally.postponed:
            parts.append(f"{tally.postponed} postponed")
        if tally.quarantined:
            parts.append(f"{tally.quarantined} quarantined")
        return "  ".join(parts)
