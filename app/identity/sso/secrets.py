"""Where the client secrets of connections are: sealed in the connection's own tenant, opened by the web program only.

A protocol, since identity and the vault do not know each other; bootstrap wires the vault's door secrets to it.
"""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from app.kernel.work import Work


class Revealed(Protocol):
    """A secret that is read only by saying so; the vault's fulfils it."""

    def reveal(self) -> str:
        """The value as text."""


class ClientSecrets(Protocol):
    """Keeps and opens the client secret of a connection, in the tenant that the unit of work is in."""

    def hide(self, value: str) -> Revealed:
        """What was typed, from here on shown by no log and no traceback."""

    def keep(self, work: Work, connection_id: UUID, value: Revealed) -> None:
        """Seal it in the place of the one before. Raises NotPermitted."""

    def open(self, work: Work, connection_id: UUID) -> Revealed | None:
        """The secret, or None where none was kept. Raises KeysMissing, KeysDisabled, NotOpenedHere."""
