"""The clock that we share with peers: for what is signed, dated and aged between them and us. Never business time."""

from __future__ import annotations

from datetime import UTC, datetime


def world_time() -> datetime:
    """Now, as every peer knows it. A test or the demo that moves business time does not move this one."""
    return datetime.now(UTC)
