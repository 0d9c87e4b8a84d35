"""What a hook is: the addresses of a connection, its secrets, what came in. Reads and stores nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from app.connectors.inbound.schemes import Reason

KEPT: Final = timedelta(days=30)  # what came in
OVERLAP: Final = 24  # hours
LONGEST_OVERLAP: Final = 7 * 24
MOST_AT_ONCE: Final = 2  # addresses, and secrets, while one takes the place of another
SAMPLE: Final = 16 * 1024  # bytes: a delivery that nobody has proven is kept whole up to here
PROVEN_LATER: Final = timedelta(hours=24)  # for so long a secret that was put right can still prove a delivery
State = Literal["received", "announced", "unverified", "unreadable", "failed"]


class Address(Struct, frozen=True):
    """One opaque address: the SHA-256 of its token, and its first characters to tell it apart by."""

    digest: str
    hint: str
    made_at: datetime
    until: datetime | None = None


class Key(Struct, frozen=True):
    """One secret that a peer signs with; the value is in the vault, under `field`."""

    number: int
    set_at: datetime
    until: datetime | None = None


class Hook(Struct, frozen=True):
    """How messages reach a connection; its id is the connection's. The newest address and key stand last."""

    id: UUID
    addresses: tuple[Address, ...] = ()
    keys: tuple[Key, ...] = ()
    secrets: int = 0  # how many were ever set: a number is not used twice

    def open(self, now: datetime) -> tuple[Address, ...]:
        """The addresses that answer at this moment."""
        return tuple(each for each in self.addresses if each.until is None or now < each.until)

    def active(self, now: datetime) -> tuple[Key, ...]:
        """The secrets that prove a delivery at this moment."""
        return tuple(each for each in self.keys if each.until is None or now < each.until)

    def answers(self, digest: str, now: datetime) -> bool:
        """Whether this token's address is open."""
        return any(each.digest == digest for each in self.open(now))


def field_of(hook_id: UUID, number: int) -> str:
    """The name of a hook's secret in the vault."""
    return f"{hook_id}/{number}"


class Message(Struct, frozen=True):
    """One message of a delivery, by the sender's own words; `object` is its id of what the message is about."""

    id: str
    type: str
    object: str = ""


class Delivery(Struct, frozen=True):
    """What came in. `headers` may be shown; `proof`, what it is verified by, never; `raw` is the message in base64.

    unverified: nobody has proven it; the sample of one that is large, or cannot be verified later, is without its body.
    """

    state: State
    at: datetime
    size: int
    digest: str  # SHA-256 of the body
    headers: tuple[tuple[str, str], ...] = ()
    messages: tuple[Message, ...] = ()
    reason: Reason | Literal["unreadable", "failed", ""] = ""
    said: str = ""  # what was wrong, for people
    asked: int = 0  # how often somebody had it worked on again
    proof: tuple[tuple[str, str], ...] = ()
    provable: bool = False  # of one that nobody has proven: it was of its time, and is kept whole
    signed_at: datetime | None = None
    raw: str = ""

    @property
    def is_proven(self) -> bool:
        """Whether a signature once vouched for it."""
        return self.state != "unverified"

    def can_be_proven(self, now: datetime) -> bool:
        """Whether the secrets of now may be tried on it."""
        return not self.is_proven and self.provable and now - self.at < PROVEN_LATER

    def can_be_replayed(self, now: datetime) -> bool:
        """Whether it may be worked on again."""
        return self.can_be_proven(now) if not self.is_proven else self.state != "received"

    def asked_again(self) -> Delivery:
        """From the beginning: proven, read, and not announced."""
        return replace(self, state="received", reason="", said="", proof=(), provable=False, asked=self.asked + 1)
