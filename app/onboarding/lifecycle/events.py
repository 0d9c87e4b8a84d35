"""What is announced when a run is followed by another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.onboarding.events import OfOnboarding


@dataclass(frozen=True, kw_only=True)
class NextAsked(OfOnboarding):
    """A person wants what follows to begin now."""

    type: ClassVar[str] = "onboarding.next.asked"

    lifecycle: str
    successor: str


@dataclass(frozen=True, kw_only=True)
class NextStarted(OfOnboarding):
    """What follows this run has begun."""

    type: ClassVar[str] = "onboarding.next.started"

    lifecycle: str
    successor: str
    template: str


@dataclass(frozen=True, kw_only=True)
class NextNotStarted(OfOnboarding):
    """What was to follow could not begin; `reason` says why."""

    type: ClassVar[str] = "onboarding.next.not_started"

    lifecycle: str
