"""Opaque signed cursors: where a list goes on, bound to its tenant, its filter and its age. Knows no query, no page."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from app.kernel.errors import Invalid

MOST = 200  # rows of one page
USUAL = 50
LIFETIME = timedelta(hours=24)
_TAG = 16  # bytes of the signature
_LONGEST = 4096  # characters of a cursor; longer ones are not even decoded

SortValue = str | int | None


@dataclass(frozen=True, slots=True)
class CursorKey:
    """The installation's secret that cursors are signed with; a service of every program that reads lists."""

    value: bytes = field(repr=False)


class LimitOutOfRange(Invalid):
    """A page was asked for that is empty or too long."""

    status = 400


class CursorForeign(Invalid):
    """The cursor was made for another list, by another installation, or by hand."""

    status = 400


class CursorExpired(Invalid):
    """The cursor is older than its lifetime."""

    status = 400


@dataclass(frozen=True, slots=True)
class Listing:
    """Which list is being read: a cursor fits only the one it was made for. `tenant_id` None: a list over tenants."""

    name: str
    tenant_id: UUID | None = None
    filters: tuple[tuple[str, str], ...] = ()

    @property
    def fingerprint(self) -> bytes:
        """What the cursor carries instead of the filter: the order in which filters are given does not matter."""
        tenant = str(self.tenant_id) if self.tenant_id else ""
        return hashlib.sha256(msgspec.json.encode([self.name, tenant, sorted(self.filters)])).digest()[:_TAG]


@dataclass(frozen=True, slots=True)
class Position:
    """The last row of a page: the next one starts after (sort, id)."""

    sort: tuple[SortValue, ...]
    id: UUID


class _Body(msgspec.Struct, array_like=True):
    sort: list[SortValue]
    id: UUID
    made: int  # seconds since the epoch
    listing: bytes


def page_limit(asked: int | None) -> int:
    """How many rows the page may have. Raises LimitOutOfRange outside 1 to 200."""
    if asked is None:
        return USUAL
    if not 1 <= asked <= MOST:
        raise LimitOutOfRange(
            f"A page holds 1 to {MOST} entries. Ask for a limit in that range.", errors=[("/limit", "out of range")]
        )
    return asked


def make_cursor(key: bytes, listing: Listing, position: Position, *, now: datetime) -> str:
    """The cursor that goes on after this row. `key` is the installation's secret for cursors."""
    listed = listing.fingerprint
    body = msgspec.msgpack.encode(_Body(list(position.sort), position.id, int(now.timestamp()), listed))
    return urlsafe_b64encode(_sign(key, body) + body).decode().rstrip("=")


def read_cursor(
    key: bytes, listing: Listing, cursor: str, *, now: datetime, lifetime: timedelta = LIFETIME
) -> Position:
    """The position a cursor stands for. Raises CursorForeign or CursorExpired."""
    body = _verified(key, cursor)
    if not hmac.compare_digest(body.listing, listing.fingerprint):
        raise _foreign()
    if now.timestamp() - body.made > lifetime.total_seconds():
        raise CursorExpired(
            "This place in the list has expired. Start again at the first page.", errors=[("/cursor", "expired")]
        )
    return Position(sort=tuple(body.sort), id=body.id)


def _verified(key: bytes, cursor: str) -> _Body:
    """The signed body; nothing in it is looked at before its signature has been checked."""
    if len(cursor) > _LONGEST:
        raise _foreign()
    try:
        raw = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
    except ValueError:
        raise _foreign() from None
    tag, body = raw[:_TAG], raw[_TAG:]
    if not hmac.compare_digest(tag, _sign(key, body)):
        raise _foreign()
    try:
        return msgspec.msgpack.decode(body, type=_Body)
    except msgspec.DecodeError:  # signed by an earlier release with another body
        raise _foreign() from None


def _sign(key: bytes, body: bytes) -> bytes:
    return hmac.new(key, b"slipway cursor 1\0" + body, hashlib.sha256).digest()[:_TAG]


def _foreign() -> CursorForeign:
    return CursorForeign(
        "This cursor does not belong to this list. Start again at the first page.", errors=[("/cursor", "foreign")]
    )
