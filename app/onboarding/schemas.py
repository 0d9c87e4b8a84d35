"""Shapes of running work on the wire."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct


class OnboardingOut(Struct, frozen=True):
    """One onboarding as software sees it; `seq`, the last journal number, changes with every change."""

    id: UUID
    name: str
    state: str
    seq: int
    definition: str
    trace_id: str
    started_at: datetime
    first_value_at: datetime | None
    finished_at: datetime | None
