"""What leaves for an address: no row, no session, no key."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Message:
    """A signed message. `tries` are those before this one, `asked` says which request of a delivery it is."""

    endpoint_id: UUID
    url: str
    headers: dict[str, str]
    body: bytes
    digest: str = ""  # of the code that a challenge holds
    tries: int = 0
    asked: int = 0
    sequence: int | None = None
