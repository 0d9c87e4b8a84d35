"""What is recorded of feeds of dates."""

from __future__ import annotations

from typing import ClassVar

from app.kernel.events import Event


class FeedStarted(Event, frozen=True, kw_only=True):
    """Somebody made an address by which their own calendar reads dates; the one before has ended."""

    type: ClassVar[str] = "onboarding.feed.started"
    subject_kind: ClassVar[str] = "person"


class FeedEnded(Event, frozen=True, kw_only=True):
    """Somebody ended the address by which their calendar read dates."""

    type: ClassVar[str] = "onboarding.feed.ended"
    subject_kind: ClassVar[str] = "person"
