"""People of one workspace: invited, given another role, removed. The member row and the trail; control follows."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, text

from app.access.limits import Limit
from app.access.permissions import Permission
from app.access.queries import ensure_room
from app.access.require import require
from app.access.roles import Role
from app.identity.models import Member
from app.identity.people import rules
from app.identity.people.events import MemberChanged, MemberInvited, MemberRemoved
from app.kernel.work import Work

FOLLOW = "identity.follow_member"


@dataclass(frozen=True, slots=True)
class Invited:
    """Who is asked in. `person_id` is the one of control; `works_here` says that they are staff of the partner."""

    person_id: UUID
    email: str
    name: str
    locale: str
    role: str
    works_here: bool = False
    reason: str | None = None


def invite_member(work: Work, invited: Invited) -> None:
    """Let somebody belong to the workspace; a mail with a way in follows. Who was removed may come again.

    Raises NotPermitted, RoleUnknown, RoleBeyondYours, WorksForPartner, AlreadyHere, LimitReached.
    """
    role = rules.known_customer_role(invited.role)
    _require_may_give(work, role)
    if invited.works_here:
        raise rules.WorksForPartner(rules.WORKS_HERE, errors=[("email", rules.WORKS_HERE)])
    member = work.session.get(Member, invited.person_id, with_for_update=True)
    if member is not None and member.state != "removed":
        raise rules.AlreadyHere(rules.ALREADY, errors=[("email", rules.ALREADY)])
    belonging = select(func.count()).select_from(Member).where(Member.state != "removed")
    ensure_room(work, Limit.MEMBERS, lambda: work.session.scalar(belonging) or 0)
    member = member or Member(person_id=invited.person_id)
    member.email, member.name, member.locale = invited.email, invited.name, invited.locale
    member.role, member.state, member.invited_at = role, "active", work.now
    work.session.add(member)
    work.session.flush()
    work.announce(
        MemberInvited(
            subject_id=invited.person_id,
            name=invited.name,
            email=invited.email,
            locale=invited.locale,
            by=work.actor.name,
            before=[],
            after=[role],
            reason=invited.reason,
        )
    )
    _follow_later(work, invited.person_id)


def change_member(work: Work, person_id: UUID, *, role: str, reason: str | None) -> None:
    """Give a member another role; it counts from their next request on.

    Raises NotPermitted, RoleUnknown, RoleBeyondYours, OwnRole, LastOwner, PersonUnknown.
    """
    wanted, member = rules.known_customer_role(role), _belonging(work, person_id)
    _require_may_give(work, member.role, wanted)
    if member.role == wanted:
        return
    _keep_an_owner(work, member)
    before, member.role = member.role, wanted
    work.announce(
        MemberChanged(
            subject_id=person_id, name=member.name, email=member.email, before=[before], after=[wanted], reason=reason
        )
    )


def remove_member(work: Work, person_id: UUID, *, reason: str | None) -> None:
    """End somebody's belonging to the workspace: their next request finds nothing, their sessions end.

    Raises NotPermitted, RoleBeyondYours, OwnRole, LastOwner, PersonUnknown.
    """
    member = _belonging(work, person_id)
    _require_may_give(work, member.role)
    _keep_an_owner(work, member)
    member.state = "removed"
    work.announce(
        MemberRemoved(
            subject_id=person_id, name=member.name, email=member.email, before=[member.role], after=[], reason=reason
        )
    )
    _follow_later(work, person_id)


def _require_may_give(work: Work, *roles: str) -> None:
    """Whoever makes, changes or removes an owner or an administrator needs more, and a fresh proof."""
    require(work, Permission.MEMBER_INVITE)
    if set(roles) & {Role.OWNER, Role.ADMIN}:
        require(work, Permission.MEMBER_PROMOTE)
    rules.require_within(work.rights, roles)


def _belonging(work: Work, person_id: UUID) -> Member:
    require(work, Permission.MEMBER_INVITE)
    if person_id == work.actor.id:
        raise rules.OwnRole(rules.OWN_ROLE)
    member = work.session.get(Member, person_id, with_for_update=True)
    if member is None or member.state == "removed" or member.role == rules.STAFF:
        raise rules.PersonUnknown(rules.NOBODY)
    return member


def _keep_an_owner(work: Work, member: Member) -> None:
    """The lock makes two who take away the last two owners wait for each other."""
    if member.role != Role.OWNER:
        return
    work.session.execute(_OWNERS_LOCK)
    owners = select(func.count()).select_from(Member).where(Member.role == Role.OWNER, Member.state != "removed")
    if (work.session.scalar(owners) or 0) <= 1:
        raise rules.LastOwner(rules.LAST_OWNER)


def _follow_later(work: Work, person_id: UUID) -> None:
    """The net under what the door does right after the commit; without a dedupe key, since each change is its own."""
    work.enqueue(FOLLOW, args={"person_id": person_id})


_OWNERS_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('owners:' || current_schema(), 0))")
