"""Which documents have passed every check here: the same content passes again, so its address is enough."""

from __future__ import annotations

from typing import Final

_MOST: Final = 500


class Checked:
    """Addresses of documents without a problem. Kept while the process lives; forgotten when there are too many."""

    def __init__(self) -> None:
        self._addresses: set[str] = set()

    def holds(self, digest: str) -> bool:
        """Whether the document of this address has passed before."""
        return digest in self._addresses

    def add(self, digest: str) -> None:
        """It has passed now."""
        if len(self._addresses) >= _MOST:
            self._addresses.clear()
        self._addresses.add(digest)
