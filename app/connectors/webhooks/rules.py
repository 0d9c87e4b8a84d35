"""What an endpoint is, when a delivery is tried again, when an endpoint is left alone. Reads and sends nothing.

Standard Webhooks 1.0.0 with the numbers of DESIGN 9: ten tries over 75 hours, an endpoint that only failed for five
days is disabled.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from app.web.translations import mark

State = Literal["unverified", "active", "disabled"]
# The pauses before each try of a delivery but the first; with a tenth of spread, so that a crowd thins out.
PAUSES: Final = (
    *(timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=5)),
    *(timedelta(hours=10), timedelta(hours=14), timedelta(hours=20), timedelta(hours=24)),
)
TRIES: Final = len(PAUSES) + 1
LONGEST_WISH: Final = timedelta(hours=24)  # of a Retry-After
DISABLED_AFTER: Final = timedelta(days=5)
# Longer than the longest pause between two tries: what failed before that is another story.
_ANOTHER_STORY: Final = timedelta(hours=30)
WARNED_AT: Final = (50, 70, 90)  # percent of that time
STRAINED_AT: Final = 5  # failures in a row, from which on an endpoint is only sounded out
_SOUNDING: Final = timedelta(seconds=30)
_LONGEST_SOUNDING: Final = timedelta(minutes=10)
MOST_ENDPOINTS: Final = 20
MOST_KEYS: Final = 2
KEPT: Final = timedelta(days=30)  # what is known of deliveries
MOST_ATTEMPTS: Final = 30  # that a delivery remembers

GONE: Final = mark("The receiver answered that the address is gone for good (410).")
FAILED_TOO_LONG: Final = mark("Nothing could be delivered for five days.")
KEY_GONE: Final = mark("Its signing key is not here. Give it another one, then enable it.")
NO_ACCESS: Final = "no_access"  # the code of a try that a customer no longer allows
BY_HAND: Final = mark("It was switched off by hand.")


class Key(Struct, frozen=True):
    """A signing key in use: its number in the vault, the last characters of the secret, the public half (`whpk_…`)."""

    number: int
    hint: str
    public: str
    made_at: datetime
    until: datetime | None = None  # set with a rotation: from then on nothing is signed with it


class Trouble(Struct, frozen=True):
    """An endpoint that does not take what it is sent: since when, how often in a row, when it is sounded out again."""

    since: datetime
    last_at: datetime | None = None
    count: int = 1
    warned: int = 0  # percent of the time after which it is disabled
    again_at: datetime | None = None
    said: str = ""


class Challenge(Struct, frozen=True):
    """How the proof stands that whoever named the address may receive there: `said` is the last trouble."""

    digest: str = ""  # SHA-256 of the code that was sent
    sent_at: datetime | None = None
    said: str = ""
    number: int = 0  # of the code: another one with every time


class Endpoint(Struct, frozen=True):
    """An address that hears events of a tenant. `types`: names of events, `onboarding.*`, or `*` for all of them."""

    id: UUID
    url: str
    description: str
    types: tuple[str, ...]
    state: State
    made_at: datetime
    keys: tuple[Key, ...]
    ordered: bool = False
    thin: bool = False
    customers: bool = False  # of a home: also what happens in its customers' workspaces
    reason: str = ""  # why it is disabled
    challenge: Challenge = Challenge()
    trouble: Trouble | None = None
    delivered_at: datetime | None = None
    verified_at: datetime | None = None
    disabled_at: datetime | None = None
    named_by: UUID | None = None  # the person who hears of its trouble

    def signing(self, now: datetime) -> tuple[Key, ...]:
        """The keys to sign with, the newest first."""
        return tuple(key for key in reversed(self.keys) if key.until is None or key.until > now)

    @property
    def health(self) -> str:
        """Unverified | healthy | failing | strained | disabled, in one word for lists."""
        if self.state != "active":
            return self.state
        if self.trouble is None:
            return "healthy"
        return "strained" if self.trouble.count >= STRAINED_AT else "failing"


def pause_before(number: int, key: str, wished: timedelta | None = None) -> timedelta | None:
    """The pause before try `number` of a delivery (from 2), at least as long as the receiver wished; None: no more."""
    if number > TRIES:
        return None
    planned = PAUSES[number - 2]
    spread = hashlib.sha256(f"{key}:{number}".encode()).digest()[0] / 255 * 0.2 - 0.1
    return max(planned * (1 + spread), min(wished or timedelta(), LONGEST_WISH))


def taken(endpoint: Endpoint, now: datetime) -> Endpoint:
    """The endpoint after it has taken something."""
    return replace(endpoint, trouble=None, delivered_at=now)


def refused(endpoint: Endpoint, now: datetime, said: str) -> Endpoint:
    """The endpoint after it has not: strained after five in a row, disabled after five days of nothing else."""
    before = endpoint.trouble
    if before and now - (before.last_at or before.since) > _ANOTHER_STORY:
        before = None
    count = before.count + 1 if before else 1
    trouble = Trouble(
        since=before.since if before else now,
        last_at=now,
        count=count,
        warned=before.warned if before else 0,
        again_at=now + sounding(count) if count >= STRAINED_AT else None,
        said=said,
    )
    if now - trouble.since >= DISABLED_AFTER:
        return replace(endpoint, trouble=trouble, state="disabled", reason=FAILED_TOO_LONG)
    share = int((now - trouble.since) / DISABLED_AFTER * 100)
    reached = max((step for step in WARNED_AT if step <= share), default=0)
    return replace(endpoint, trouble=replace(trouble, warned=max(trouble.warned, reached)))


def sounding(count: int) -> timedelta:
    """How long a strained endpoint is left alone after so many failures: 30 s, doubling, to ten minutes."""
    return min(_SOUNDING * (1 << min(count - STRAINED_AT, 10)), _LONGEST_SOUNDING)


def pattern_of(wanted: str) -> str:
    """The LIKE pattern of a name of `types`."""
    escaped = wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{escaped[:-1]}%" if escaped.endswith("*") else escaped


def hears(wanted: str, kind: str) -> bool:
    """Whether a name of `types` covers that type."""
    return kind.startswith(wanted[:-1]) if wanted.endswith("*") else kind == wanted
