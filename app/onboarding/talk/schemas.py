"""Shapes of comments, watching and reminders on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

_PLACE = Annotated[str, Meta(min_length=1, max_length=200, description="Key of an item, or name of an exception.")]
_TEXT = Annotated[str, Meta(min_length=1, max_length=10_000, description="Plain text; `@name` mentions somebody.")]


class CommentQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which comments: all of the onboarding, or those about one thing."""

    about: _PLACE | UnsetType = UNSET
    cursor: (
        Annotated[str, Meta(min_length=1, max_length=4096, description="`next` of the page before.")] | UnsetType
    ) = UNSET
    limit: Annotated[int, Meta(ge=1, le=200, description="How many on a page.")] = 50


class CommentWish(Struct, frozen=True, forbid_unknown_fields=True):
    """What is said. `internal`: for the partner's staff alone, as theirs is unless they say false."""

    text: _TEXT
    about: _PLACE | None = None
    internal: bool | None = None


class CommentEdit(Struct, frozen=True, forbid_unknown_fields=True):
    """What it says from now on."""

    text: _TEXT


class AuthorOut(Struct, frozen=True):
    """Who wrote it, and for which side."""

    id: UUID
    name: str
    side: str


class MentionOut(Struct, frozen=True):
    """Somebody who is mentioned."""

    id: UUID
    name: str


class EarlierOut(Struct, frozen=True):
    """What stood there until then."""

    until: datetime
    text: str


class CommentOut(Struct, frozen=True):
    """A comment; of a withdrawn one only that there was one: its text is null."""

    id: UUID
    about: str | None
    internal: bool
    author: AuthorOut
    text: str | None
    mentions: list[MentionOut]
    earlier: list[EarlierOut]
    version: int
    written_at: datetime
    edited_at: datetime | None
    withdrawn_at: datetime | None


class CommentPage(Struct, frozen=True):
    """Comments that the reader may see, the newest first; `next` leads on, and is null on the last page."""

    items: list[CommentOut]
    next: str | None


class WatchWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Watch it, or no more; without `about` the whole onboarding, and with `watching` false nothing of it."""

    watching: bool
    about: _PLACE | None = None


class WatchOut(Struct, frozen=True):
    """What the reader watches here: `whole` is everything, `about` are single items and exceptions."""

    whole: bool
    about: list[str]


class ReminderWish(Struct, frozen=True, forbid_unknown_fields=True):
    """A personal line to go with the reminder."""

    note: Annotated[str, Meta(max_length=500)] = ""


class ReminderOut(Struct, frozen=True):
    """Who was reminded of the step."""

    item: str
    people: list[MentionOut]
    outcome: Literal["sent"]
