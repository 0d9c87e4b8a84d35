"""For how long a system wants no more, by what it says a query costs: points that fill up again at a rate."""

from __future__ import annotations

from typing import Any, Final

_LONGEST: Final = 3600.0  # seconds


def pause_for(cost: Any) -> float:  # Any: JSON of any shape, and hostile
    """Seconds until a query that costs as much as this one is paid for; 0 where it is, or where nothing is said.

    As Shopify says it: `requestedQueryCost`, and a `throttleStatus` with `currentlyAvailable` and `restoreRate`.
    """
    status = cost.get("throttleStatus") if isinstance(cost, dict) else None
    if not isinstance(status, dict):
        return 0.0
    wanted, left, rate = (
        _number(cost.get("requestedQueryCost")),
        _number(status.get("currentlyAvailable")),
        _number(status.get("restoreRate")),
    )
    if wanted is None or left is None or rate is None or rate <= 0 or wanted <= left:
        return 0.0
    return min((wanted - left) / rate, _LONGEST)


def _number(found: Any) -> float | None:
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    return float(found) if is_number and abs(found) < 1e12 else None  # noqa: PLR2004  beyond it, it is no cost
