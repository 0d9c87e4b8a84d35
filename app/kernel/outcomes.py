"""How a job can end, as words rather than exceptions. Only `TryAgain` puts it back in the queue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Done:
    """The work is finished; `result` is what the caller may store (plain JSON, never a secret)."""

    result: dict[str, object] | None = None


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Nothing harmful happened; run again after the pause."""

    after: timedelta
    reason: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """It will not work, however often it is tried. `poisoned`: nobody is to try again without having looked at it."""

    reason: str
    poisoned: bool = False


@dataclass(frozen=True, slots=True)
class NeedsPerson:
    """Only a person can decide what happened or what to do: it goes to the exception queue."""

    reason: str


Outcome = Done | TryAgain | GiveUp | NeedsPerson
