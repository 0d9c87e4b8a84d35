"""Whether there is room for one more of what a tenant's plan limits. A lowered limit acts at once."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import text

from app.access.limits import Limit, LimitReached
from app.kernel.work import Work


def ensure_room(work: Work, limit: Limit, count: Callable[[], int]) -> None:
    """Go on only if one more is allowed; `count` says how many there are, in the tenant's transaction.

    Raises LimitReached. What runs already stays when a limit is lowered.
    """
    said = work.session.execute(_LIMITS, {"limit": limit}).scalar_one_or_none()
    if said is None:
        return
    work.session.execute(_LOCK, {"limit": f"limit:{limit}:"})
    most, held = int(said), count()
    if held >= most:
        raise LimitReached(limit, most=most, held=held)


# The lock is of the tenant and the limit: two who begin at once are counted one after the other.
_LIMITS = text("SELECT cell.limits() ->> :limit")
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:limit || current_schema(), 0))")
