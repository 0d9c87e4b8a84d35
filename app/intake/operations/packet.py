"""The handoff packet as rows: each fact with its source and who corrected it (REQUIREMENTS 1.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.intake.models import PacketField
from app.kernel.work import Work

SYSTEM_ONLY = {"store_packet": "part of an operation that has checked its own permission"}


@dataclass(frozen=True, slots=True)
class PacketSource:
    """Where facts came from, and who corrected them if a person did."""

    name: str
    corrected_by: UUID | None = None


def store_packet(work: Work, onboarding_id: UUID, facts: Mapping[str, Any], source: PacketSource) -> None:
    """Write facts over what was there; the engine's event has already accepted them."""
    for field, value in facts.items():
        row = work.session.get(PacketField, (onboarding_id, field))
        if row is None:
            row = PacketField(onboarding_id=onboarding_id, field=field)
            work.session.add(row)
        row.value, row.source = {"value": value}, source.name
        row.corrected_by, row.changed_at = source.corrected_by, work.now
