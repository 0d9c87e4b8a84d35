"""What is announced when people write about running work, or remind each other."""

from __future__ import annotations

from typing import ClassVar

from app.onboarding.events import OfOnboarding


class CommentWritten(OfOnboarding, frozen=True, kw_only=True):
    """Somebody wrote a comment that both sides see."""

    type: ClassVar[str] = "onboarding.comment.written"
    personal: ClassVar[frozenset[str]] = frozenset({"text"})

    comment: str
    item: str | None
    text: str
    mentions: list[str]


class CommentEdited(OfOnboarding, frozen=True, kw_only=True):
    """The author changed a comment that both sides see; what stood there before stays here."""

    type: ClassVar[str] = "onboarding.comment.edited"
    personal: ClassVar[frozenset[str]] = frozenset({"was", "text"})

    comment: str
    item: str | None
    was: str
    text: str
    mentions: list[str]


class CommentTakenBack(OfOnboarding, frozen=True, kw_only=True):
    """The author withdrew a comment that both sides saw."""

    type: ClassVar[str] = "onboarding.comment.withdrawn"
    personal: ClassVar[frozenset[str]] = frozenset({"was"})

    comment: str
    item: str | None
    was: str


class NoteChanged(OfOnboarding, frozen=True, kw_only=True):
    """A comment for the partner's staff alone was written, edited or withdrawn.

    The trail is the customer's to read and to take along, so it says only that: no text, no place, no names.
    """

    type: ClassVar[str] = "onboarding.note.changed"

    comment: str
    change: str  # written | edited | withdrawn


class OwnerReminded(OfOnboarding, frozen=True, kw_only=True):
    """Somebody of the partner's staff reminded the owners of an open step."""

    type: ClassVar[str] = "onboarding.owner.reminded"

    item: str
    people: list[str]
