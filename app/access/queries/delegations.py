"""Reads delegations in the tenant they open: as rows to be changed under a lock, and as they are shown."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from app.access.decisions import can
from app.access.models import Delegation
from app.access.permissions import Permission
from app.access.policy.delegations import ANSWERED_WITHIN, DelegationMovedOn, DelegationStale, DelegationUnknown
from app.access.require import require
from app.access.rights import AtWork, staff_rights
from app.access.roles import CUSTOMER_ROLES
from app.access.schemas import DelegationOut, GroupGrant
from app.kernel.work import Work
from app.web.translations import mark

_UNKNOWN = mark("There is no such access in this workspace.")
_MOVED_ON = mark("This access has moved on since: load the page again to see how it stands.")
_SHOWN = 200  # of one tenant; the newest


def list_delegations(work: Work) -> list[DelegationOut]:
    """All access there is, was and is asked for, the newest first; staff see their own organisation's.

    Raises NotPermitted.
    """
    _require_reader(work)
    query = select(Delegation).order_by(Delegation.id.desc()).limit(_SHOWN)
    if not is_customer(work):
        query = query.where(Delegation.organisation_id == work.actor.organisation_id)
    return [show(row, work.database_now) for row in work.session.scalars(query)]


def get_delegation(work: Work, delegation_id: UUID) -> DelegationOut:
    """One of them. Raises NotPermitted, DelegationUnknown."""
    _require_reader(work)
    return show(_find(work, delegation_id, lock=False), work.database_now)


def lock_delegation(
    work: Work, delegation_id: UUID, *, states: frozenset[str], versions: frozenset[str] | None = None
) -> Delegation:
    """The row, held until the end of the transaction, if it is in one of the states and of a version that was read.

    Raises DelegationUnknown, DelegationStale, DelegationMovedOn.
    """
    row = _find(work, delegation_id, lock=True)
    if versions is not None and not versions & {"*", f'"{row.version or 0}"'}:
        raise DelegationStale(_MOVED_ON)
    if state_at(row, work.database_now) not in states:
        raise DelegationMovedOn(_MOVED_ON)
    return row


def show(row: Delegation, now: datetime) -> DelegationOut:
    """A delegation as its doors give it; what has run out by now is expired, though no job has said so yet."""
    asked = row.requested or {}
    return DelegationOut(
        id=row.id,
        organisation_id=row.organisation_id,
        kind=row.kind or ("standard" if row.approved_by else "default"),  # type: ignore[arg-type]  # holds no other words
        state=state_at(row, now),  # type: ignore[arg-type]  # likewise
        roles=list(row.roles),
        requested_roles=list(asked.get("roles", row.roles)),
        reason=row.reason,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        requested_by=row.requested_name,
        requested_at=row.requested_at,
        decided_by=row.decided_name,
        decided_at=row.decided_at,
        ended_by=row.ended_by,  # type: ignore[arg-type]  # likewise
        ended_at=row.ended_at,
        end_reason=row.end_reason,
        renewal_of=row.renewal_of,
        groups=[GroupGrant(UUID(each["group"]), each["name"], each["roles"]) for each in row.grants or ()],
        last_used_by=row.last_used_name,
        last_used_at=row.last_used_at,
        version=row.version or 0,
    )


def state_at(row: Delegation, now: datetime) -> str:
    """The state at this moment of the database's clock."""
    if row.state == "revoked":  # as an earlier build called it
        return "ended"
    void = row.state == "requested" and row.requested_at is not None and row.requested_at + ANSWERED_WITHIN <= now
    over = row.state == "active" and row.ends_at <= now
    return "expired" if void or over else row.state


def is_customer(work: Work) -> bool:
    """Whether the reader is one of the customer's own people, who see and decide everything about access."""
    return bool(work.rights & CUSTOMER_ROLES)


def at_home(work: Work) -> AtWork:
    """The actor's rights in the home of the organisation that the tenant is a customer of; none for anybody else's."""
    mine = work.tenant.kind != "home" and work.actor.organisation_id == work.tenant.organisation_id
    return AtWork(staff_rights(work.actor) if mine else frozenset(), work.actor)


def _require_reader(work: Work) -> None:
    """Staff who are not let in yet, no longer, or to less than this, still see what their organisation asked for."""
    if not can(work.rights, Permission.TENANT_READ):
        require(at_home(work), Permission.TENANT_READ)


def _find(work: Work, delegation_id: UUID, *, lock: bool) -> Delegation:
    query = select(Delegation).where(Delegation.id == delegation_id)
    row = work.session.scalars(query.with_for_update() if lock else query).one_or_none()
    theirs = row is not None and row.organisation_id != work.actor.organisation_id
    if row is None or (theirs and not is_customer(work)):
        raise DelegationUnknown(_UNKNOWN)
    return row
