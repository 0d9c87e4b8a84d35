"""What the customer says to a partner's access: yes, yes to less, no, and at any time: enough."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from app.access.duties import require_another, require_person
from app.access.events import DelegationApproved, DelegationDeclined, DelegationEnded, DelegationNarrowed
from app.access.models import Delegation
from app.access.operations.looking_after import watch
from app.access.permissions import Permission
from app.access.policy.delegations import WiderThanAsked, WindowUnusable, check_reason, check_roles, covers, share
from app.access.queries.delegations import at_home, is_customer, lock_delegation, show
from app.access.require import require
from app.access.schemas import DelegationAnswer, DelegationOut
from app.kernel.work import Work
from app.web.translations import mark

_REQUESTED = frozenset({"requested"})
_ACTIVE = frozenset({"active"})


def approve_delegation(
    work: Work, delegation_id: UUID, answer: DelegationAnswer, *, versions: frozenset[str]
) -> DelegationOut:
    """Agree to a request, or to less of it; it counts from the partner's next request on.

    Raises NotPermitted, StepUpNeeded, PersonNeeded, SecondPersonNeeded, DelegationUnknown, DelegationStale,
    DelegationMovedOn, RolesUnusable, WiderThanAsked, WindowUnusable.
    """
    require(work, Permission.DELEGATION_APPROVE)
    require_person(work.actor)
    row = lock_delegation(work, delegation_id, states=_REQUESTED, versions=versions)
    if row.requested_by is not None:
        require_another(row.requested_by, work.actor)
    before = _facts(row)
    _narrow(work, row, answer)
    row.state, row.starts_at = "active", max(row.starts_at, work.database_now)
    row.approved_by = row.decided_by = work.actor.id
    row.decided_name, row.decided_at = work.actor.name, work.database_now
    _touch(work, row)
    reason = answer.reason.strip() or None
    work.announce(DelegationApproved(**_subject(row), before=before, after=_facts(row), reason=reason))
    watch(work, row)
    return show(row, work.database_now)


def narrow_delegation(
    work: Work, delegation_id: UUID, answer: DelegationAnswer, *, versions: frozenset[str]
) -> DelegationOut:
    """Take roles, permissions or time away from access that was given. Raises as `approve_delegation`, no step-up."""
    require(work, Permission.DELEGATION_REVOKE)
    _require_customer(work)
    row = lock_delegation(work, delegation_id, states=_ACTIVE, versions=versions)
    before = _facts(row)
    _narrow(work, row, answer)
    # Where nothing is left for any group they stay as they were, and give nothing: no group at all means all staff.
    row.grants = [kept for each in row.grants or () if (kept := _kept(each, row.roles))] or row.grants
    _touch(work, row)
    reason = answer.reason.strip() or None
    work.announce(DelegationNarrowed(**_subject(row), before=before, after=_facts(row), reason=reason))
    watch(work, row)
    return show(row, work.database_now)


def decline_delegation(work: Work, delegation_id: UUID, *, reason: str, versions: frozenset[str]) -> DelegationOut:
    """Do not agree. Raises NotPermitted, DelegationUnknown, DelegationStale, DelegationMovedOn, ReasonNeeded."""
    require(work, Permission.DELEGATION_REVOKE)
    _require_customer(work)
    said = check_reason(reason)
    row = lock_delegation(work, delegation_id, states=_REQUESTED, versions=versions)
    row.state = "declined"
    row.decided_by, row.decided_name, row.decided_at = work.actor.id, work.actor.name, work.database_now
    row.end_reason = said
    _touch(work, row)
    work.announce(DelegationDeclined(**_subject(row), reason=said))
    return show(row, work.database_now)


def end_delegation(work: Work, delegation_id: UUID, *, reason: str) -> DelegationOut:
    """End access at once, by either side: the partner's next request is turned away. It needs no version.

    Raises NotPermitted, DelegationUnknown, DelegationMovedOn, ReasonNeeded.
    """
    customer = is_customer(work)
    require(work if customer else at_home(work), Permission.DELEGATION_REVOKE)
    said = check_reason(reason)
    row = lock_delegation(work, delegation_id, states=_ACTIVE)
    row.state = "ended"
    row.ended_by, row.ended_name = "customer" if customer else "partner", work.actor.name
    row.ended_at, row.end_reason = work.database_now, said
    _touch(work, row)
    behalf = None if customer else row.organisation_id
    work.announce(DelegationEnded(**_subject(row), by=row.ended_by, reason=said), on_behalf_of=behalf)
    return show(row, work.database_now)


def _narrow(work: Work, row: Delegation, answer: DelegationAnswer) -> None:
    """Put the answer into the row. Raises RolesUnusable, WiderThanAsked, WindowUnusable."""
    roles = list(row.roles) if answer.roles is None else check_roles(answer.roles)
    ends = answer.ends_at or row.ends_at
    if not covers(row.roles, roles):
        told = mark("Leave roles and permissions out as you like; what was not asked for cannot be added.")
        raise WiderThanAsked(told, errors=[("/roles", told)])
    if ends > row.ends_at:
        told = mark("The end can be earlier than what was asked for, and not later.")
        raise WiderThanAsked(told, errors=[("/ends_at", told)])
    if ends <= work.database_now or ends <= row.starts_at:
        told = mark("That time has passed already. Choose a later end, or say no.")
        raise WindowUnusable(told, errors=[("/ends_at", told)])
    row.roles, row.ends_at = roles, ends


def _kept(grant: dict[str, Any], roles: list[str]) -> dict[str, Any] | None:
    """A group's line after narrowing, in the words of decisions, which take what both name in any case."""
    left = share(grant["roles"], roles)
    return grant | {"roles": left} if left else None


def _require_customer(work: Work) -> None:
    """A partner's administrator may end their own access; taking away from it is the customer's to do."""
    if not is_customer(work):
        require(work, Permission.DELEGATION_APPROVE)  # never delegated: says whom to ask


def _facts(row: Delegation) -> dict[str, object]:
    return {"roles": list(row.roles), "starts_at": _iso(row.starts_at), "ends_at": _iso(row.ends_at)}


def _iso(at: datetime) -> str:
    return at.isoformat()


def _touch(work: Work, row: Delegation) -> None:
    row.changed_at, row.version = work.now, (row.version or 0) + 1


def _subject(row: Delegation) -> dict[str, Any]:
    return {"subject_id": row.id, "organisation_id": row.organisation_id}
