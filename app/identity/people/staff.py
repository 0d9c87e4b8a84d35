"""Staff of a partner: invited, given other roles, removed. The home's row and trail first, assignments follow."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, text

from app.access.permissions import Permission
from app.access.require import require
from app.access.roles import Role
from app.identity.models import Member
from app.identity.people import rules
from app.identity.people.events import StaffChanged, StaffInvited, StaffRemoved
from app.kernel.work import Work

FOLLOW = "identity.follow_staff"
SYSTEM_ONLY = {"write_staff": "part of what a directory says, or of an operation that has checked its own permission"}


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody of the staff, or to be. `held` are the roles that control has assigned them in this organisation."""

    person_id: UUID
    email: str
    name: str
    locale: str
    held: frozenset[str]


def invite_staff(
    work: Work, colleague: Colleague, *, roles: frozenset[str], reason: str | None, own: rules.Own = rules.NONE_OWN
) -> None:
    """Let somebody work for the partner; a mail with a way in follows.

    `own` are the partner's own roles. Raises NotPermitted, StepUpNeeded, RoleUnknown, RoleBeyondYours, AlreadyHere.
    """
    require(work, Permission.STAFF_MANAGE)
    wanted = rules.known_staff_roles(roles, platform=_is_platform(work), own=own)
    rules.require_within(work.rights, wanted, own)
    if _held(work, colleague):
        raise rules.AlreadyHere(rules.ALREADY, errors=[("email", rules.ALREADY)])
    write_staff(work, colleague, wanted)
    work.announce(
        StaffInvited(
            subject_id=colleague.person_id,
            name=colleague.name,
            email=colleague.email,
            locale=colleague.locale,
            by=work.actor.name,
            before=[],
            after=sorted(wanted),
            reason=reason,
        )
    )


def change_staff(
    work: Work,
    colleague: Colleague,
    *,
    roles: frozenset[str],
    reason: str | None,
    owners: frozenset[UUID],
    own: rules.Own = rules.NONE_OWN,
) -> None:
    """Give somebody of the staff other roles, or none: then they do not work here any more and their sessions end.

    `owners` are the organisation's by control, `own` the partner's own roles. Raises NotPermitted, StepUpNeeded,
    RoleUnknown, RoleBeyondYours, OwnRole, LastOwner, PersonUnknown.
    """
    require(work, Permission.STAFF_MANAGE)
    if colleague.person_id == work.actor.id:
        raise rules.OwnRole(rules.OWN_ROLE)
    wanted = rules.known_staff_roles(roles, platform=_is_platform(work), own=own) if roles else frozenset()
    before = _held(work, colleague)
    if not before:
        raise rules.PersonUnknown(rules.NOBODY)
    if before == wanted:
        return
    rules.require_within(work.rights, before ^ wanted, own)
    if Role.PARTNER_OWNER in before - wanted:
        _keep_an_owner(work, colleague.person_id, owners)
    write_staff(work, colleague, wanted)
    kind = StaffChanged if wanted else StaffRemoved
    work.announce(
        kind(
            subject_id=colleague.person_id,
            name=colleague.name,
            email=colleague.email,
            before=sorted(before),
            after=sorted(wanted),
            reason=reason,
        )
    )


def write_staff(work: Work, colleague: Colleague, roles: frozenset[str]) -> None:
    """Write what somebody is to be into the home's member row; assignments follow it (`following.py`)."""
    member = work.session.get(Member, colleague.person_id, with_for_update=True)
    member = member or Member(person_id=colleague.person_id, invited_at=work.now)
    member.email, member.name, member.locale = colleague.email, colleague.name, colleague.locale
    member.role, member.roles, member.state = rules.STAFF, sorted(roles), "active" if roles else "removed"
    work.session.add(member)
    work.session.flush()
    work.enqueue(FOLLOW, args={"person_id": colleague.person_id})


def _held(work: Work, colleague: Colleague) -> frozenset[str]:
    """What the home's row says; where there is none yet, what control has assigned. Two changes wait for each other."""
    work.session.execute(_LOCK, {"person": str(colleague.person_id)})
    member = work.session.get(Member, colleague.person_id, with_for_update=True)
    if member is None or member.roles is None:
        return colleague.held
    return frozenset(str(role) for role in member.roles)


def _keep_an_owner(work: Work, leaving: UUID, owners: frozenset[UUID]) -> None:
    """By the home's rows where there are any, which may be ahead of control. The lock lets two changes wait."""
    work.session.execute(_OWNERS_LOCK)
    rows = work.session.execute(select(Member.person_id, Member.roles).where(Member.role == rules.STAFF)).all()
    written = {row.person_id: Role.PARTNER_OWNER in (row.roles or ()) for row in rows}
    left = {person for person in owners if written.get(person, True)} | {
        one for one, is_owner in written.items() if is_owner
    }
    if not left - {leaving}:
        raise rules.LastOwner(rules.LAST_OWNER)


def _is_platform(work: Work) -> bool:
    return Role.OPERATOR in work.rights


_OWNERS_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('owners:' || current_schema(), 0))")
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('staff:' || :person || current_schema(), 0))")
