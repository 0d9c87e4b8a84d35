"""A delivery as it came in, and what every scheme asks of it: one header of a name, of bounded length, of our time."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from app.kernel.errors import Forbidden
from app.vault.secret import Secret

MAX_AGE: Final = timedelta(minutes=5)
LONGEST_HEADER: Final = 8_192  # characters; a signature or a token that is longer is none
MOST_SIGNATURES: Final = 16  # in one header, while a peer changes its secret
Reason = Literal["missing", "repeated", "oversized", "malformed", "stale", "early", "wrong", "unfit", "no_secret"]
_DIGITS: Final = {"seconds": re.compile(r"[0-9]{10}", re.ASCII), "milliseconds": re.compile(r"[0-9]{13}", re.ASCII)}
_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2})+", re.ASCII)


class DeliveryRefused(Forbidden):
    """It is not the peer's, or not of now. `reason` is for counting; the text tells a forger nothing.

    missing, repeated, oversized, malformed: of the headers · stale, early: of the time · wrong: no active secret fits ·
    unfit: signed, but for somebody else · no_secret: none is set.
    """

    def __init__(self, reason: Reason) -> None:
        super().__init__("The signature of this delivery does not hold.")
        self.reason: Reason = reason


@dataclass(frozen=True, slots=True)
class Arrival:
    """A delivery: `uri` is the full public address that was called, headers and body are as they came."""

    method: str
    uri: str
    headers: Sequence[tuple[str, str]] = field(repr=False)
    body: bytes = field(repr=False)

    def every(self, name: str) -> list[str]:
        """The values of a header, in whatever case its name came."""
        return [value for each, value in self.headers if each.lower() == name.lower()]

    def one(self, name: str) -> str:
        """The only value of a header. Raises DeliveryRefused: of two, two readers could take different ones."""
        found = self.every(name)
        if len(found) > 1:
            raise DeliveryRefused("repeated")
        if not found or not found[0]:
            raise DeliveryRefused("missing")
        if len(found[0]) > LONGEST_HEADER:
            raise DeliveryRefused("oversized")
        if not found[0].isascii():
            raise DeliveryRefused("malformed")
        return found[0]


@dataclass(frozen=True, slots=True)
class Verified:
    """What a signature vouches for: the message's bytes, when it was signed, and the claims of a token."""

    message: bytes = field(repr=False)
    at: datetime | None = None
    claims: dict[str, Any] = field(default_factory=dict, repr=False)  # Any: JSON of any shape


def read_time(text: str, now: datetime, unit: Literal["seconds", "milliseconds"] = "seconds") -> datetime:
    """When it was signed. `now` is the world's time, never moved business time: a peer's clock does not move with ours.

    Raises DeliveryRefused for a text that is no time, and for a time more than five minutes away, either way.
    """
    if not _DIGITS[unit].fullmatch(text):
        raise DeliveryRefused("malformed")
    at = datetime.fromtimestamp(int(text) / (1 if unit == "seconds" else 1000), UTC)
    require_fresh(at, now)
    return at


def require_fresh(at: datetime, now: datetime) -> None:
    """Raises DeliveryRefused where it was signed more than five minutes ago, or will be."""
    if now - at > MAX_AGE:
        raise DeliveryRefused("stale")
    if at - now > MAX_AGE:
        raise DeliveryRefused("early")


def decode(text: str, encoding: Literal["hex", "base64", "base64url"]) -> bytes:
    """The bytes of a signature. Raises DeliveryRefused for what is not written so."""
    try:
        if encoding == "hex":
            return bytes.fromhex(text) if _HEX.fullmatch(text) else _refuse()
        if encoding == "base64url":
            return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return _refuse()


def require_any(secrets: Sequence[Secret], given: Iterable[bytes], expected: Callable[[Secret], bytes]) -> None:
    """One of the signatures must be that of one of the active secrets; each is tried, so that time tells nothing.

    Raises DeliveryRefused.
    """
    signatures = list(given)
    if len(signatures) > MOST_SIGNATURES:
        raise DeliveryRefused("oversized")
    fits = False
    for secret in secrets:
        right = expected(secret)
        for one in signatures:
            fits |= hmac.compare_digest(right, one)
    if not fits:
        raise DeliveryRefused("wrong")


def _refuse() -> bytes:
    raise DeliveryRefused("malformed")
