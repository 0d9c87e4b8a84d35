"""Pages of lists whose last entry comes first, by signed cursors. Pure but for the clock that is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from app.kernel.paging import Listing, Position, make_cursor, read_cursor

Entry = TypeVar("Entry")
Place = tuple[datetime, UUID]


def place_of(key: bytes, listing: Listing, cursor: str | None, *, now: datetime) -> Place | None:
    """Where a page goes on; None for the first. Raises CursorForeign, CursorExpired."""
    if cursor is None:
        return None
    found = read_cursor(key, listing, cursor, now=now)
    return datetime.fromisoformat(str(found.sort[0])), found.id


def next_of(
    key: bytes, listing: Listing, found: Sequence[Entry], limit: int, at: Callable[[Entry], Place], *, now: datetime
) -> str | None:
    """The cursor behind so many of what was found; None where nothing is left."""
    if len(found) <= limit:
        return None
    moment, number = at(found[limit - 1])
    return make_cursor(key, listing, Position((moment.isoformat(),), number), now=now)
