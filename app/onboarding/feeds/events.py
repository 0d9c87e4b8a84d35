"""What is recorded of feeds of dates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class FeedStarted(Event):
    """Somebody made an address by which their own calendar reads dates; the one before has ended."""

    type: ClassVar[str] = "onboarding.feed.started"
    subject_kind: ClassVar[str] = "person"


@dataclass(frozen=True, kw_only=True)
class FeedEnded(Event):
    """Somebody ended the address by which their calendar read dates."""

    type: ClassVar[str] = "onboarding.feed.ended"
    subject_kind: ClassVar[str] = "person"
