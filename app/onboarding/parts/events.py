"""What is announced when a step happens once more or once less."""

from __future__ import annotations

from typing import ClassVar

from app.onboarding.events import OfOnboarding


class PartAdded(OfOnboarding, frozen=True, kw_only=True):
    """A part that happens several times is to happen once more."""

    type: ClassVar[str] = "onboarding.part.added"

    item: str
    name: str


class PartRemoved(OfOnboarding, frozen=True, kw_only=True):
    """One of several, in which nothing was done, was taken away."""

    type: ClassVar[str] = "onboarding.part.removed"

    item: str
