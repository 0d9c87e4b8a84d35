"""How much a tenant may have: what is counted. Asked by `app.access.queries.ensure_room`. Pure."""

from __future__ import annotations

from enum import StrEnum

from app.kernel.errors import Conflict


class Limit(StrEnum):
    """What is counted; a tenant without the limit has as many as it likes."""

    ONBOARDINGS = "onboardings"  # running at once
    MEMBERS = "members"  # people who belong to the tenant, whatever their role
    FILES_MB = "files_mb"  # the size of all files together
    JOBS = "jobs"  # at work at once; the dispatcher counts them, and more than these wait (`app.kernel.queue.fair`)


class LimitReached(Conflict):
    """The workspace has as many of this as its plan, or its own limit, allows."""

    def __init__(self, limit: Limit, *, most: int, held: int) -> None:
        super().__init__(_SAID[limit].format(most=most, held=held))
        self.extensions = {"limit": str(limit), "allowed": str(most), "used": str(held)}


_SAID = {
    Limit.ONBOARDINGS: "This workspace's plan allows {most} onboardings at once; {held} are running.",
    Limit.MEMBERS: "This workspace's plan allows {most} people; {held} belong to it.",
    Limit.FILES_MB: "This workspace's plan allows {most} MB of files; it holds {held} MB.",
}
