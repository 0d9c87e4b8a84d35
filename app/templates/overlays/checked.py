"""Which documents have passed every check here, and where overlays lead: the same content always leads to the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_MOST: Final = 500


class Checked:
    """Addresses of documents without a problem. Kept while the process lives; forgotten when there are too many."""

    def __init__(self) -> None:
        self._addresses: set[str] = set()
        self._led: dict[tuple[str, str], str] = {}

    def holds(self, digest: str) -> bool:
        """Whether the document of this address has passed before."""
        return digest in self._addresses

    def add(self, digest: str) -> None:
        """It has passed now."""
        if len(self._addresses) >= _MOST:
            self._addresses.clear()
        self._addresses.add(digest)

    def leads(self, base: str, overlay: str, address: Callable[[], str]) -> str:
        """The address that an overlay leads to from a document, both by theirs; asked for where nobody came by yet."""
        known = self._led.get((base, overlay))
        if known is None:
            if len(self._led) >= _MOST:
                self._led.clear()
            known = self._led[base, overlay] = address()
        return known
