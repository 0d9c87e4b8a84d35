"""What the partner does about access to a customer's tenant. Its people are asked for their right in their own home.

They may have no right in the tenant yet: that is why they ask. So these run in the tenant, whose trail tells of it,
and the right comes from the roles that are assigned to them, read in this very request.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, select, text

from app.access.duties import require_person
from app.access.events import DelegationMapped, DelegationRequested, DelegationWithdrawn, GlassBroken
from app.access.models import Delegation
from app.access.operations.looking_after import watch
from app.access.permissions import Permission
from app.access.policy.delegations import (
    GLASS_LONGEST,
    GLASS_ROLES,
    MOST_GROUPS,
    MOST_REQUESTS,
    DelegationMovedOn,
    DelegationUnknown,
    GlassTooSoon,
    GroupUnknown,
    RolesUnusable,
    TooManyRequests,
    check_granted,
    check_reason,
    check_roles,
    check_window,
    covers,
    glass_again,
)
from app.access.queries.delegations import at_home, lock_delegation, show, state_at
from app.access.require import require
from app.access.rights import BREAK_GLASS, shared_roles
from app.access.schemas import DelegationOut, DelegationWish, GlassWish, GroupGrants
from app.kernel.ids import new_id
from app.kernel.work import Work
from app.web.translations import mark


def request_delegation(work: Work, wish: DelegationWish) -> DelegationOut:
    """Ask the customer for access. It is void after 90 days without an answer.

    Raises NotPermitted, RolesUnusable, BeyondGranted, WindowUnusable, ReasonNeeded, TooManyRequests, and for a renewal
    DelegationUnknown, DelegationMovedOn.
    """
    require(at_home(work), Permission.DELEGATION_REQUEST)
    _take_turns(work)
    roles, reason, now = check_roles(wish.roles), check_reason(wish.reason), work.database_now
    check_granted(work.actor.roles, roles)
    starts = _start_of_renewal(work, wish.renewal_of) if wish.renewal_of else max(wish.starts_at or now, now)
    check_window(starts, wish.ends_at, now)
    _leave_room(work)
    row = _new(work, "standard", roles=roles, reason=reason, window=(starts, wish.ends_at))
    row.state, row.renewal_of = "requested", wish.renewal_of
    work.session.add(row)
    work.announce(
        DelegationRequested(
            **_subject(row),
            reason=reason,
            roles=roles,
            starts_at=row.starts_at.isoformat(),
            ends_at=row.ends_at.isoformat(),
            renewal_of=wish.renewal_of,
        ),
        on_behalf_of=row.organisation_id,
    )
    watch(work, row)
    return show(row, now)


def withdraw_delegation(work: Work, delegation_id: UUID, *, reason: str) -> DelegationOut:
    """Take a request back before it is answered. Raises NotPermitted, DelegationUnknown, DelegationMovedOn."""
    require(at_home(work), Permission.DELEGATION_REQUEST)
    said = check_reason(reason)
    row = lock_delegation(work, delegation_id, states=frozenset({"requested"}))
    row.state, row.changed_at, row.version = "withdrawn", work.now, (row.version or 0) + 1
    row.ended_by, row.ended_name = "partner", work.actor.name
    row.ended_at, row.end_reason = work.database_now, said
    work.announce(DelegationWithdrawn(**_subject(row), reason=said), on_behalf_of=row.organisation_id)
    return show(row, work.database_now)


def break_glass(work: Work, wish: GlassWish) -> DelegationOut:
    """Let oneself in without having been agreed to: alone, for a reason, for a few hours. The customer is told at once.

    Raises NotPermitted, StepUpNeeded, PersonNeeded, RolesUnusable, BeyondGranted, ReasonNeeded, GlassTooSoon.
    """
    require(at_home(work), Permission.DELEGATION_BREAK_GLASS)
    require_person(work.actor)
    _take_turns(work)
    roles, reason, now = check_roles(wish.roles), check_reason(wish.reason), work.database_now
    if not covers(GLASS_ROLES, roles) or not shared_roles(work.actor.roles, frozenset(roles)):
        sentence = mark(
            "In an emergency there are the roles csm, implementation and technical, if you have them yourself."
        )
        raise RolesUnusable(sentence, errors=[("/roles", sentence)])
    check_granted(work.actor.roles, roles)
    ends = now + timedelta(hours=wish.hours)
    check_window(now, ends, now, longest=GLASS_LONGEST)
    _wait_for_glass(work, now)
    row = _new(work, BREAK_GLASS, roles=roles, reason=reason, window=(now, ends))
    row.state = "active"
    work.session.add(row)
    told = GlassBroken(**_subject(row), reason=reason, roles=roles, ends_at=ends.isoformat())
    work.announce(told, on_behalf_of=row.organisation_id)
    watch(work, row)
    return show(row, now)


def map_groups(
    work: Work, delegation_id: UUID, wanted: GroupGrants, *, known: Mapping[UUID, str], versions: frozenset[str]
) -> DelegationOut:
    """Say which of the partner's groups have which of the roles; without any, all staff by their own roles.

    Nobody gets a role by a group that they were not assigned: a group chooses people, their roles stay what they are.
    `known` are the organisation's groups by what its directories call them, asked before the tenant is entered: the
    customer reads these names. A group that had roles here may stay when it is gone from there.
    Raises NotPermitted, DelegationUnknown, DelegationStale, DelegationMovedOn, RolesUnusable, GroupUnknown.
    """
    require(at_home(work), Permission.DELEGATION_REQUEST)
    row = lock_delegation(work, delegation_id, states=frozenset({"active"}), versions=versions)
    if row.kind == BREAK_GLASS:
        raise DelegationMovedOn(mark("This access is one person's alone. It cannot be given to groups."))
    before = list(row.grants or [])
    after = _mapped(wanted, {UUID(each["group"]): each["name"] for each in before} | dict(known))
    if not all(covers(row.roles, each["roles"]) for each in after):
        told = mark("Name each group once, with roles that this access includes.")
        raise RolesUnusable(told, errors=[("/groups", told)])
    row.grants = msgspec.to_builtins(after) or None
    row.changed_at, row.version = work.now, (row.version or 0) + 1
    work.announce(DelegationMapped(**_subject(row), before=before, after=after), on_behalf_of=row.organisation_id)
    return show(row, work.database_now)


def _mapped(wanted: GroupGrants, names: Mapping[UUID, str]) -> list[dict[str, Any]]:
    """The groups as the row holds them. Raises RolesUnusable, GroupUnknown."""
    if len({each.id for each in wanted.groups}) < len(wanted.groups):
        told = mark("Name each group once, with roles that this access includes.")
        raise RolesUnusable(told, errors=[("/groups", told)])
    if len(wanted.groups) > MOST_GROUPS:
        told = mark("Choose 50 groups at most.")
        raise RolesUnusable(told, errors=[("/groups", told)])
    if any(each.id not in names for each in wanted.groups):
        told = mark("One of these groups is none of your organisation's. Choose among those that your directory sends.")
        raise GroupUnknown(told, errors=[("/groups", told)])
    return [
        {"group": str(each.id), "name": names[each.id], "roles": check_roles(each.roles)}
        for each in sorted(wanted.groups, key=lambda each: str(each.id))
    ]


def _new(work: Work, kind: str, *, roles: list[str], reason: str, window: tuple[datetime, datetime]) -> Delegation:
    starts, ends = window
    return Delegation(
        id=new_id(),
        organisation_id=work.tenant.organisation_id,
        kind=kind,
        version=1,
        roles=roles,
        reason=reason,
        starts_at=starts,
        ends_at=ends,
        requested_by=work.actor.id,
        requested_name=work.actor.name,
        requested_at=work.database_now,
        requested={"roles": roles, "starts_at": starts.isoformat(), "ends_at": ends.isoformat()},
        changed_at=work.now,
    )


def _subject(row: Delegation) -> dict[str, Any]:
    return {"subject_id": row.id, "organisation_id": row.organisation_id}


def _start_of_renewal(work: Work, delegation_id: UUID) -> datetime:
    """A renewal begins where the access that it goes on with ends; that one stays as it is until then."""
    old = lock_delegation(work, delegation_id, states=frozenset({"active"}))
    if old.kind == BREAK_GLASS:
        raise DelegationUnknown(mark("Access in an emergency is not renewed. Ask for access in the ordinary way."))
    renewals = work.session.scalars(select(Delegation).where(Delegation.renewal_of == delegation_id))
    if any(state_at(each, work.database_now) in {"requested", "active"} for each in renewals):
        raise DelegationMovedOn(mark("Its renewal was asked for already."))
    return old.ends_at


def _leave_room(work: Work) -> None:
    """A customer is not flooded: a handful of a partner's requests may be open."""
    mine = Delegation.organisation_id == work.tenant.organisation_id
    query = select(func.count()).where(mine, Delegation.state == "requested")
    if (work.session.scalar(query) or 0) >= MOST_REQUESTS:
        raise TooManyRequests(mark("The customer has not answered your earlier requests. Withdraw one of them first."))


def _wait_for_glass(work: Work, now: datetime) -> None:
    mine = (Delegation.organisation_id == work.tenant.organisation_id, Delegation.kind == BREAK_GLASS)
    refused = func.max(Delegation.ended_at).filter(Delegation.ended_by == "customer")
    began, ended = work.session.execute(select(func.max(Delegation.starts_at), refused).where(*mine)).one()
    if began is not None and now < (again := glass_again(began, ended_by_customer=ended)):
        error = GlassTooSoon(mark("The glass was broken here a short while ago. Ask the customer for access."))
        error.extensions = {"again_at": again.isoformat()}
        raise error


def _take_turns(work: Work) -> None:
    """Two at once of one tenant are looked at one after the other: what is counted is counted right."""
    work.session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('access.ask' || current_schema(), 0))"))
