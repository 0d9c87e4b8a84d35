"""What is known of deliveries: one document for each (endpoint, event), with its attempts. No body is kept twice."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from app.connectors.webhooks.rules import MOST_ATTEMPTS, hears

DELIVERY: Final = "webhook_delivery"
PAST: Final = "g"  # greater than every id, in whatever order a database has its letters
_MISSED: Final = frozenset({"failed", "held"})
_SENT: Final = _MISSED | {"delivered"}
Standing = Literal["waiting", "delivered", "failed", "held"]


class Attempt(Struct, frozen=True):
    """One try. `code`: delivered, refused, gone, unreachable, silent, unreadable, no_access or an egress rule."""

    at: datetime
    code: str
    status: int | None = None
    ms: int = 0
    excerpt: str = ""  # of the answer: a stranger's text


class Delivery(Struct, frozen=True):
    """How an event fares with an endpoint. `tries` are those since it was last asked for; `held`: it was disabled."""

    type: str
    at: datetime
    state: Standing
    sequence: int | None = None
    tries: int = 0
    asked: int = 0  # how often somebody had it sent again
    attempts: tuple[Attempt, ...] = ()
    next_at: datetime | None = None
    tenant_id: UUID | None = None  # of the customer where it happened; None: here

    def with_attempt(self, attempt: Attempt, state: Standing, next_at: datetime | None = None) -> Delivery:
        """One try more; of very many the first go."""
        kept = (*self.attempts, attempt)[-MOST_ATTEMPTS:]
        return replace(self, attempts=kept, tries=self.tries + 1, state=state, next_at=next_at)

    def asked_again(self) -> Delivery:
        """From the beginning, with what was."""
        return replace(self, state="waiting", tries=0, asked=self.asked + 1, next_at=None)


class Wished(Struct, frozen=True):
    """Which deliveries are to be sent again: those that failed or were held back, and the `delivered` ones if wished.

    Of events of these `types` (names as an endpoint has them; none: all) that happened from `since` until before
    `until`.
    """

    since: datetime | None = None
    until: datetime | None = None
    types: tuple[str, ...] = ()
    delivered: bool = False

    def covers(self, delivery: Delivery) -> bool:
        """Whether this one is meant; what still waits comes anyway."""
        if delivery.state not in (_SENT if self.delivered else _MISSED):
            return False
        if (self.since and delivery.at < self.since) or (self.until and delivery.at >= self.until):
            return False
        return not self.types or any(hears(name, delivery.type) for name in self.types)


def key_of(endpoint_id: UUID, event_id: UUID) -> str:
    """The document's key: ids grow with time, so an endpoint's deliveries stand in the order of their events."""
    return f"{endpoint_id}:{event_id}"


def floor_of(at: datetime) -> str:
    """What stands before the ids of all that happened since (UUID version 7: milliseconds first)."""
    first = f"{int(at.timestamp() * 1000):012x}"
    return f"{first[:8]}-{first[8:]}"
