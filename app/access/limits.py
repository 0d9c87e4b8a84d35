"""How much a tenant may have: the limits of its plan and its own, asked where something new would begin."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from sqlalchemy import text

from app.kernel.errors import Conflict
from app.kernel.work import Work


class Limit(StrEnum):
    """What is counted; a tenant without the limit has as many as it likes."""

    ONBOARDINGS = "onboardings"  # running at once
    MEMBERS = "members"  # people who belong to the tenant, whatever their role


class LimitReached(Conflict):
    """The workspace has as many of this as its plan, or its own limit, allows."""


_SAID = {
    Limit.ONBOARDINGS: "This workspace's plan allows {most} onboardings at once; {held} are running.",
    Limit.MEMBERS: "This workspace's plan allows {most} people; {held} belong to it.",
}
# The lock is of the tenant and the limit: two who begin at once are counted one after the other.
_LIMITS = text("SELECT cell.limits() ->> :limit")
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:limit || current_schema(), 0))")


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
        error = LimitReached(_SAID[limit].format(most=most, held=held))
        error.extensions = {"limit": str(limit), "allowed": str(most), "used": str(held)}
        raise error
