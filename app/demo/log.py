"""One readable log for several children: whole lines, each under the name of who said it, in colour on a terminal."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import BinaryIO

COLOURS = (36, 32, 33, 35, 34, 31)
LONGEST = 64 * 1024


class Log:
    """Writes to one stream; never half a line of one child inside a line of another."""

    def __init__(self, stream: BinaryIO, names: Iterable[str]) -> None:
        known = list(dict.fromkeys(names))
        self._stream = stream
        self.broken = False
        self._width = max((len(name) for name in known), default=0)
        self._colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(known)}
        self._coloured = stream.isatty() and "NO_COLOR" not in os.environ

    def line(self, name: str, text: bytes) -> None:
        """One line. Once nobody reads any more it is dropped, and `broken` says so."""
        prefix = f"{name:<{self._width}} │ "
        if self._coloured:
            prefix = f"\x1b[{self._colours.get(name, 37)}m{prefix}\x1b[0m"
        self.write(prefix.encode() + text.rstrip(b"\r\n") + b"\n")

    def write(self, text: bytes) -> None:
        """Text without a name before it."""
        if self.broken:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            self.broken = True


class Lines:
    """Cuts one child's output into lines; a line longer than 64 KiB is cut rather than kept in memory."""

    def __init__(self, log: Log, name: str) -> None:
        self._log = log
        self._name = name
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        """Log every line this completes."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > LONGEST:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._log.line(self._name, line)

    def close(self) -> None:
        """Log what came without an end of line."""
        if self._rest:
            self._log.line(self._name, self._rest)
            self._rest = b""
