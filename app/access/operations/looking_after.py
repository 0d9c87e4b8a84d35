"""What time does to a delegation: people are told before it ends, then it has ended. On the database's clock."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from app.access.events import DelegationExpired, DelegationRunsOut
from app.access.models import Delegation
from app.access.policy.delegations import ANSWERED_WITHIN, due_moments, notice_due
from app.access.rights import BREAK_GLASS
from app.kernel.work import Work

SYSTEM_ONLY = {
    "watch": "part of an operation that has checked its own permission",
    "look_after": "a job at the time that a delegation is due",
}


def watch(work: Work, delegation: Delegation) -> None:
    """Ask for a look at it when it is due next; the one job looks again by itself. What ends sooner is found ended."""
    moments = due_moments(delegation.state, delegation.requested_at, delegation.ends_at)
    if delegation.kind == BREAK_GLASS:
        moments = moments[-1:]
    due = min((moment for moment in moments if moment > work.database_now), default=None)
    if due is not None:
        key = f"delegation:{delegation.id}:{due.isoformat()}"
        args: dict[str, object] = {"delegation_id": delegation.id}
        work.enqueue("access.look_after_delegation", args=args, run_at=due, dedupe_key=key)


def look_after(work: Work, delegation_id: UUID) -> None:
    """Do what is due at this moment, once, and ask for the next look. Asked too early or too late, it does no harm."""
    query = select(Delegation).where(Delegation.id == delegation_id).with_for_update()
    delegation = work.session.scalars(query).one_or_none()
    if delegation is None or delegation.state not in {"requested", "active"}:
        return
    now = work.database_now
    if _is_over(delegation, now):
        told = DelegationExpired(
            subject_id=delegation.id, organisation_id=delegation.organisation_id, was=delegation.state
        )
        delegation.state, delegation.changed_at = "expired", work.now
        delegation.version = (delegation.version or 0) + 1
        delegation.ended_by, delegation.ended_at = "time", now
        work.announce(told)
        return
    if delegation.state == "active" and delegation.kind != BREAK_GLASS:
        _tell(work, delegation, now)
    watch(work, delegation)


def _is_over(delegation: Delegation, now: datetime) -> bool:
    if delegation.state == "requested":
        return delegation.requested_at is not None and delegation.requested_at + ANSWERED_WITHIN <= now
    return delegation.ends_at <= now


def _tell(work: Work, delegation: Delegation, now: datetime) -> None:
    """People are told once at each of the notices; not where its renewal is asked for or agreed to already."""
    days = notice_due(delegation.ends_at, now)
    if days is None or (delegation.noticed is not None and delegation.noticed <= days):
        return
    delegation.noticed = days
    query = select(Delegation.id).where(
        Delegation.renewal_of == delegation.id, Delegation.state.in_(("requested", "active"))
    )
    if work.session.scalars(query).first() is None:
        ends = delegation.ends_at.isoformat()
        told = DelegationRunsOut(
            subject_id=delegation.id, organisation_id=delegation.organisation_id, days=days, ends_at=ends
        )
        work.announce(told)
