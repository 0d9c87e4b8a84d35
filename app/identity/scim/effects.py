"""What follows for people from what a directory says: roles or membership, sessions, the trail. All of it repeatable.

The wish is in `control` already (`behind`). The home's or the tenant's own transaction comes first, with the trail and
the member row; assignments and membership follow in the transaction that then calls the user settled. The user's row
is locked meanwhile, so that of two wishes the last one wins. Killed anywhere, the next request or the dispatcher
does it again and finds nothing to do twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.access.decisions import limiting_roles
from app.access.limits import Limit
from app.access.queries import ensure_room
from app.identity.models import Assignment, Member, Membership, Person
from app.identity.people.staff import Colleague, write_staff
from app.identity.scim.events import AccessFollowed
from app.identity.scim.models import DirectoryUser, StaffGroup, StaffGroupMember
from app.identity.scim.queries import Visitor, list_behind
from app.identity.scim.rules import (
    AT_ONCE,
    OWNERS,
    SET_ASIDE,
    address_of,
    locale_of,
    name_of,
    roles_wanted,
    set_aside_in,
)
from app.kernel.actor import Actor
from app.kernel.errors import SlipwayError, Unavailable
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.kernel.work import Work, open_work
from tenants.sessions import DatabaseAway, partner_session

_log = structlog.get_logger()
_END = text("SELECT control.end_person_sessions(:person, :organisation, :tenant)")


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose access follows: a person, what the directory calls them, and the roles it gave them before."""

    id: UUID
    name: str
    email: str
    locale: str
    given: frozenset[str]
    active: bool
    once: str  # names this wish, so that a home's trail tells of it once


@dataclass(frozen=True, slots=True)
class Settling:
    """One user being settled: everything its steps need."""

    runtime: Runtime
    session: Session  # of `control`, in the organisation's scope
    directory: Visitor
    now: datetime
    trace_id: str

    @contextmanager
    def work(self) -> Iterator[Work]:
        """The transaction in the home or the tenant, as the directory."""
        actor = Actor("service", self.directory.id, self.directory.name, self.directory.organisation_id)
        with open_work(self.runtime, self.directory.tenant, actor, trace_id=self.trace_id) as work:
            yield work


def settle_user(runtime: Runtime, directory: Visitor, user_id: UUID, *, trace_id: str) -> None:
    """Let everything follow from what this user is now. Raises what the tenant's transaction raises."""
    with partner_session(runtime.databases, directory.organisation_id, actor=directory.label) as (session, now):
        query = select(DirectoryUser).where(DirectoryUser.id == user_id, DirectoryUser.directory_id == directory.id)
        user = session.scalars(query.with_for_update()).one_or_none()
        if user is None or not user.behind:
            return
        settling = Settling(runtime, session, directory, now, trace_id)
        for person_id in user.former:
            _leave(settling, user, UUID(person_id))
        if user.person_id is not None:
            _follow(settling, user, user.person_id)
        user.former, user.behind = [], False
        if user.deleted_at is not None:
            session.execute(delete(StaffGroupMember).where(StaffGroupMember.user_id == user.id))
            session.delete(user)


def settle_behind(runtime: Runtime, directory: Visitor, *, trace_id: str, most: int = AT_ONCE) -> int:
    """Settle users of this directory that are behind, up to `most`; returns how many it looked at.

    Raises what `settle_user` does; one user who is refused, such as by a full plan, keeps none of the others waiting.
    """
    with partner_session(runtime.databases, directory.organisation_id, actor=directory.label) as (session, _now):
        query = select(DirectoryUser.id).where(DirectoryUser.directory_id == directory.id, DirectoryUser.behind)
        waiting = session.scalars(query.order_by(func.random()).limit(most)).all()
    refused = None
    for user_id in waiting:
        try:
            settle_user(runtime, directory, user_id, trace_id=trace_id)
        except Unavailable:
            raise
        except SlipwayError as error:
            refused = error
    if refused is not None:
        raise refused
    return len(waiting)


def settle_all(runtime: Runtime) -> bool:
    """Go on where requests left off, in every directory; what one meets stops no other. True: there is more."""
    more = False
    for directory in list_behind(runtime.databases):
        try:
            more |= settle_behind(runtime, directory, trace_id=new_id().hex) == AT_ONCE
        except (SlipwayError, DatabaseAway) as error:
            _log.warning("identity.directory.behind", directory_id=str(directory.id), reason=type(error).__name__)
    return more


def is_ours(runtime: Runtime, directory: Visitor, user: DirectoryUser, *, trace_id: str) -> bool:
    """Whether all that the person is in the tenant came from the directory: only then may it move their address."""
    if directory.tenant_id is None or user.person_id is None:
        return True  # a partner's assignments are in `control`, where `take_person` looks itself
    actor = Actor("service", directory.id, directory.name, directory.organisation_id)
    with open_work(runtime, directory.tenant, actor, trace_id=trace_id) as work:
        member = work.session.get(Member, user.person_id)
        return member is None or member.state == "removed" or member.role in user.given


def _leave(settling: Settling, user: DirectoryUser, person_id: UUID) -> None:
    """Take away what a person had, who is this user no more; unless another user of the directory is that person."""
    query = select(DirectoryUser.id).where(
        DirectoryUser.directory_id == settling.directory.id, DirectoryUser.person_id == person_id
    )
    if settling.session.scalars(query).first() is None:
        _apply(settling, _subject(settling, user, person_id, active=False), ())


def _follow(settling: Settling, user: DirectoryUser, person_id: UUID) -> None:
    query = select(StaffGroup.role).join(StaffGroupMember, StaffGroupMember.group_id == StaffGroup.id)
    groups = query.where(StaffGroupMember.user_id == user.id, StaffGroup.role.is_not(None)).distinct()
    of_groups = [role for role in settling.session.scalars(groups) if role]
    directory = settling.directory
    wanted = roles_wanted(directory.default_role, of_groups, of_tenant=directory.tenant_id is not None)
    subject = _subject(settling, user, person_id, active=user.active)
    user.given = sorted(_apply(settling, subject, wanted if user.active else ()))


def _subject(settling: Settling, user: DirectoryUser, person_id: UUID, *, active: bool) -> Subject:
    """In the directory's own words, where it still speaks of that person; else as the person is known here."""
    email = address_of(user.user_name, user.document.get("emails") or [])
    name = name_of(user.document, email or user.user_name)
    given = frozenset(str(role) for role in user.given)
    if person_id != user.person_id:
        known = settling.session.get(Person, person_id)
        email, name, given = (known.email, known.name, frozenset()) if known else ("", "", frozenset())
    once = f"{user.id}:{user.version}:{person_id}"
    return Subject(person_id, name, email or "", locale_of(user.document), given, active, once)


def _apply(settling: Settling, subject: Subject, wanted: tuple[str, ...]) -> frozenset[str]:
    """Bring a person's access to what is wanted; returns the roles that the directory has given them now."""
    if settling.directory.tenant_id is None:
        return _apply_to_staff(settling, subject, frozenset(wanted))
    return _apply_to_member(settling, subject, wanted[0] if wanted else None)


def _apply_to_staff(settling: Settling, subject: Subject, wanted: frozenset[str]) -> frozenset[str]:
    """The home's member row and trail first, then the assignments."""
    session, organisation_id = settling.session, settling.directory.organisation_id
    mine = (Assignment.person_id == subject.id, Assignment.organisation_id == organisation_id)
    before = frozenset(session.scalars(select(Assignment.role).where(*mine)))
    lost = (subject.given - wanted if subject.active else before) - OWNERS
    # What only takes away is remembered: a deactivation must not be a way to shed it.
    set_aside = frozenset(f"{SET_ASIDE}{role}" for role in lost & limiting_roles()) | set_aside_in(subject.given)
    restored = frozenset(role.removeprefix(SET_ASIDE) for role in set_aside) if subject.active else frozenset()
    fresh = (wanted | restored) - before
    after = (before - lost) | fresh
    if after != before:
        with settling.work() as work:
            write_staff(work, Colleague(subject.id, subject.email, subject.name, subject.locale, before), after)
            if work.admit_once("scim", subject.once):
                _tell(work, settling, subject, before, after)
    if lost:
        session.execute(delete(Assignment).where(*mine, Assignment.role.in_(lost)))
    for role in sorted(fresh):
        row = {"id": new_id(), "person_id": subject.id, "organisation_id": organisation_id, "role": role}
        session.execute(insert(Assignment).values(**row, made_at=settling.now).on_conflict_do_nothing())
    if not subject.active or not after:
        session.execute(_END, {"person": subject.id, "organisation": organisation_id, "tenant": None})
    return wanted if subject.active else set_aside


def _apply_to_member(settling: Settling, subject: Subject, wanted: str | None) -> frozenset[str]:
    """The tenant's member row and its trail first, then the index of memberships."""
    session, directory = settling.session, settling.directory
    with settling.work() as work:
        role = _write_member(work, settling, subject, wanted)
    if role is None:
        gone = (Membership.person_id == subject.id, Membership.tenant_id == directory.tenant_id)
        session.execute(delete(Membership).where(*gone))
    else:
        row = {"person_id": subject.id, "tenant_id": directory.tenant_id, "organisation_id": directory.organisation_id}
        session.execute(insert(Membership).values(**row, made_at=settling.now).on_conflict_do_nothing())
    if not subject.active or role is None:
        values = {"person": subject.id, "organisation": directory.organisation_id, "tenant": directory.tenant_id}
        session.execute(_END, values)
    return frozenset({role} if role is not None and role == wanted else ())


def _write_member(work: Work, settling: Settling, subject: Subject, wanted: str | None) -> str | None:
    """The member row as it is to be; returns the role that the person has in the tenant afterwards.

    A role that somebody gave by hand stays while the user is active; an owner stays whatever the directory says.
    Raises LimitReached when the tenant's plan allows no more people.
    """
    member = work.session.get(Member, subject.id, with_for_update=True)
    before = member.role if member is not None and member.state != "removed" else None
    by_hand = before is not None and before != wanted and before not in subject.given
    if before in OWNERS or (by_hand and subject.active):
        return before
    if wanted is None:
        if member is not None:
            member.state = "removed"
    else:
        if before is None:
            belonging = select(func.count()).select_from(Member).where(Member.state != "removed")
            ensure_room(work, Limit.MEMBERS, lambda: work.session.scalar(belonging) or 0)
        member = member or Member(person_id=subject.id, invited_at=work.now)
        member.email, member.name, member.locale = subject.email, subject.name, subject.locale
        member.role, member.state = wanted, "active"
        work.session.add(member)
    if before != wanted:
        _tell(work, settling, subject, frozenset({before} if before else ()), frozenset({wanted} if wanted else ()))
    return wanted


def _tell(work: Work, settling: Settling, subject: Subject, before: frozenset[str], after: frozenset[str]) -> None:
    """Write into the trail whose access followed the directory, and how."""
    work.record(
        AccessFollowed(
            subject_id=subject.id,
            directory=str(settling.directory.id),
            name=subject.name,
            email=subject.email,
            before=sorted(before),
            after=sorted(after),
        )
    )
