"""What is announced when a message with a policy goes out, or is kept back."""

from __future__ import annotations

from typing import ClassVar

from app.onboarding.events import OfOnboarding


class CommunicationSent(OfOnboarding, frozen=True, kw_only=True):
    """A message went out: to whom, whose answers come back to whom, and every word of it.

    `subject` and `text` by language; `und` is what a person wrote, which everybody gets as it is.
    """

    type: ClassVar[str] = "onboarding.communication.sent"
    personal: ClassVar[frozenset[str]] = frozenset({"people", "replies_to", "subject", "text"})

    task: str
    communication: str
    kind: str
    role: str
    people: list[str]
    replies_to: str
    by_itself: bool
    number: int
    subject: dict[str, str]
    text: dict[str, str]


class CommunicationKeptBack(OfOnboarding, frozen=True, kw_only=True):
    """A message was not sent, because its policy suppresses it."""

    type: ClassVar[str] = "onboarding.communication.kept_back"

    task: str
    communication: str
