"""What a tenant may be told to be. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from app.access.limits import Limit

# What can be limited, by plan and by tenant; each is obeyed where something new would begin (`app.access.limits`).
LIMITS: Mapping[str, str] = {
    Limit.ONBOARDINGS: "onboardings that run at once",
    Limit.MEMBERS: "people who belong to the workspace",
}
MOST = 1_000_000  # of anything; higher numbers are mistakes


def wider(own: Mapping[str, int], plans: Mapping[str, int]) -> list[str]:
    """The limits that would give more than the plan does."""
    return sorted(key for key, value in own.items() if key in plans and value > plans[key])


def effective(plans: Mapping[str, int] | None, own: Mapping[str, int] | None) -> dict[str, int]:
    """What holds: the plan's limits with the tenant's own over them."""
    return {**(plans or {}), **(own or {})}


def merged(stored: Mapping[str, int] | None, patch: Mapping[str, int | None] | None) -> dict[str, int] | None:
    """The own limits after a merge patch: null takes a limit away, null for all takes all; None where none is left."""
    if patch is None:
        return None
    kept = {key: value for key, value in {**(stored or {}), **patch}.items() if value is not None}
    return kept or None
