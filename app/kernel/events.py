"""What an event is: a frozen fact in the past tense, announced by an operation and told to others after the commit."""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from math import isfinite
from typing import ClassVar
from uuid import UUID

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A fact about `subject_id`. Subclasses set `type` (`onboarding.task.completed`) and add the body's fields.

    `onboarding_id`, where there is one, orders delivery: one onboarding's events are told in order (DESIGN 9).
    `schema_version` is raised when whoever reads the body as it was could read it no more (`kernel.catalogue`).
    `personal` names the body fields that hold personal values: the trail's leaf keeps only commitments of them.
    """

    type: ClassVar[str]
    subject_kind: ClassVar[str]
    schema_version: ClassVar[int] = 1
    personal: ClassVar[frozenset[str]] = frozenset()

    subject_id: UUID
    onboarding_id: UUID | None = None
    reason: str | None = None

    def body(self) -> dict[str, object]:
        """The event's own fields as plain JSON values."""
        own = (name for name in self.__struct_fields__ if name not in {"subject_id", "onboarding_id", "reason"})
        return {name: plain(getattr(self, name)) for name in own}


def plain(value: object) -> object:
    """A value as JSON can carry it. Raises TypeError for one that would only look so: `str()` of anything passes."""
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, str | int) or (isinstance(value, float) and isfinite(value)):
        return value
    if isinstance(value, dict):
        return {str(plain(k)): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(v) for v in value), key=str)  # a set has no order; what is hashed and compared needs one
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, UUID | Decimal | timedelta):
        return str(value)
    raise TypeError(f"JSON cannot say {type(value).__name__} {value!r}")
