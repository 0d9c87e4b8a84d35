"""What step-up needs of whoever keeps keys. Identity and vault do not know each other; bootstrap joins them."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID


class PersonSealer(Protocol):
    """Seals what belongs to a person, with a key that lies outside every database."""

    def seal(self, person_id: UUID, value: bytes) -> bytes:
        """The value, sealed for this person."""

    def open(self, person_id: UUID, sealed: bytes) -> bytes:
        """What was sealed for this very person. Raises SecretUnreadable."""
