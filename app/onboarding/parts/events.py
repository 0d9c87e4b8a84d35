"""What is announced when a step happens once more or once less."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.onboarding.events import OfOnboarding


@dataclass(frozen=True, kw_only=True)
class PartAdded(OfOnboarding):
    """A part that happens several times is to happen once more."""

    type: ClassVar[str] = "onboarding.part.added"

    item: str
    name: str


@dataclass(frozen=True, kw_only=True)
class PartRemoved(OfOnboarding):
    """One of several, in which nothing was done, was taken away."""

    type: ClassVar[str] = "onboarding.part.removed"

    item: str
