"""What is announced when a run is followed by another."""

from __future__ import annotations

from typing import ClassVar

from app.onboarding.events import OfOnboarding


class NextAsked(OfOnboarding, frozen=True, kw_only=True):
    """A person wants what follows to begin now."""

    type: ClassVar[str] = "onboarding.next.asked"

    lifecycle: str
    successor: str


class NextStarted(OfOnboarding, frozen=True, kw_only=True):
    """What follows this run has begun."""

    type: ClassVar[str] = "onboarding.next.started"

    lifecycle: str
    successor: str
    template: str


class NextNotStarted(OfOnboarding, frozen=True, kw_only=True):
    """What was to follow could not begin; `reason` says why."""

    type: ClassVar[str] = "onboarding.next.not_started"

    lifecycle: str
