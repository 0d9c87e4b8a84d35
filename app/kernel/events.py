"""What an event is: a frozen fact in the past tense, announced by an operation and told to others after the commit."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Event:
    """A fact about `subject_id`. Subclasses set `type` (`onboarding.task.completed`) and add the body's fields.

    `onboarding_id`, where there is one, orders delivery: one onboarding's events are told in order (DESIGN 9).
    `personal` names the body fields that hold personal values: the trail's leaf keeps only commitments of them.
    """

    type: ClassVar[str]
    subject_kind: ClassVar[str]
    personal: ClassVar[frozenset[str]] = frozenset()

    subject_id: UUID
    onboarding_id: UUID | None = None
    reason: str | None = None

    def body(self) -> dict[str, object]:
        """The event's own fields as plain JSON values."""
        own = (f.name for f in fields(self) if f.name not in {"subject_id", "onboarding_id", "reason"})
        return {name: plain(getattr(self, name)) for name in own}


def plain(value: object) -> object:
    """A value as JSON can carry it."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value)
