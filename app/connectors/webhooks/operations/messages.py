"""What is to be sent and what leaves for an address: no row, no session, no key."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.connectors.webhooks.envelope import Happened


@dataclass(frozen=True, slots=True)
class Asked:
    """An event that an endpoint is to hear. `number` says which request of the delivery it is.

    `customer` is the workspace where it happened, where that is not the endpoint's own.
    """

    event_id: UUID
    endpoint_id: UUID
    sequence: int | None = None
    number: int = 0
    customer: UUID | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A signed message. `tries` are those before this one; `digest` is of the code that a challenge holds."""

    endpoint_id: UUID
    url: str
    headers: dict[str, str]
    body: bytes
    digest: str = ""
    tries: int = 0
    asked: Asked | None = None
    event: Happened | None = None
