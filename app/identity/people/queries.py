"""Reads about people: a workspace's own, and a partner's staff; who somebody is before they are asked in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, tuple_

from app.access.permissions import Permission
from app.access.require import require
from app.access.roles import Role
from app.identity.models import Assignment, Member, Person
from app.identity.people.rules import STAFF
from app.identity.people.staff import Colleague
from app.identity.queries import list_assignments
from app.kernel.paging import Listing, Position, make_cursor, page_limit, read_cursor
from app.kernel.runtime import Runtime
from app.kernel.work import Work
from tenants.sessions import lookup_session, partner_session


@dataclass(frozen=True, slots=True)
class Someone:
    """One line of a list of people. `roles` of a member is the one role they have."""

    id: UUID
    name: str
    email: str
    roles: tuple[str, ...]
    since: datetime


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """A page of people by name; `older` is the next page's cursor, or ""."""

    people: list[Someone]
    total: int
    older: str


def list_members(work: Work, *, key: bytes, after: str = "") -> PeoplePage:
    """One page of the workspace's people. Raises NotPermitted, and what a wrong cursor raises."""
    require(work, Permission.TENANT_READ)
    listing, most = Listing("members", tenant_id=work.tenant.id), page_limit(None)
    belonging = select(Member).where(Member.state != "removed", Member.role != STAFF, Member.kind.is_(None))
    total = work.session.scalar(select(func.count()).select_from(belonging.subquery())) or 0
    if after:
        place = read_cursor(key, listing, after, now=work.database_now)
        belonging = belonging.where(tuple_(Member.name, Member.person_id) > tuple_(str(place.sort[0]), place.id))
    rows = list(work.session.scalars(belonging.order_by(Member.name, Member.person_id).limit(most + 1)))
    people = [Someone(row.person_id, row.name, row.email, (row.role,), row.invited_at) for row in rows[:most]]
    return PeoplePage(people, total, _older(key, listing, people, len(rows) > most, work.database_now))


def get_member(work: Work, person_id: UUID) -> Someone | None:
    """One of the workspace's people, if they belong to it. Raises NotPermitted."""
    require(work, Permission.TENANT_READ)
    row = work.session.get(Member, person_id)
    if row is None or row.state == "removed" or row.role == STAFF or row.kind is not None:
        return None
    return Someone(row.person_id, row.name, row.email, (row.role,), row.invited_at)


def list_staff(runtime: Runtime, organisation_id: UUID, *, key: bytes, after: str = "") -> PeoplePage:
    """One page of the organisation's staff with their roles there. The door has asked for the permission."""
    listing, most = Listing("staff", filters=(("organisation", str(organisation_id)),)), page_limit(None)
    roles = func.array_agg(Assignment.role).label("roles")
    since = func.min(Assignment.made_at).label("since")
    staff = (
        select(Person.id, Person.name, Person.email, roles, since)
        .join(Assignment, Assignment.person_id == Person.id)
        .where(Assignment.organisation_id == organisation_id)
        .group_by(Person.id, Person.name, Person.email)
    )
    counted = select(func.count(func.distinct(Assignment.person_id)))
    with partner_session(runtime.databases, organisation_id, actor="identity.staff") as (session, now):
        total = session.scalar(counted.where(Assignment.organisation_id == organisation_id)) or 0
        if after:
            place = read_cursor(key, listing, after, now=now)
            staff = staff.where(tuple_(Person.name, Person.id) > tuple_(str(place.sort[0]), place.id))
        rows = session.execute(staff.order_by(Person.name, Person.id).limit(most + 1)).all()
    people = [Someone(row.id, row.name, row.email, tuple(sorted(row.roles)), row.since) for row in rows[:most]]
    return PeoplePage(people, total, _older(key, listing, people, len(rows) > most, now))


def find_colleague(runtime: Runtime, organisation_id: UUID, person_id: UUID) -> Colleague | None:
    """Somebody who has a role in this very organisation, as control knows them."""
    query = select(Person, Assignment.role).join(Assignment, Assignment.person_id == Person.id)
    mine = query.where(Assignment.organisation_id == organisation_id, Person.id == person_id)
    with partner_session(runtime.databases, organisation_id, actor="identity.staff") as (session, _now):
        rows = session.execute(mine).all()
        if not rows:
            return None
        person = rows[0][0]
        held = frozenset(role for _person, role in rows)
        return Colleague(person.id, person.email, person.name, person.locale, held)


def list_owners(runtime: Runtime, organisation_id: UUID) -> frozenset[UUID]:
    """The organisation's owners, by control."""
    query = select(Assignment.person_id).where(
        Assignment.organisation_id == organisation_id, Assignment.role == Role.PARTNER_OWNER
    )
    with partner_session(runtime.databases, organisation_id, actor="identity.staff") as (session, _now):
        return frozenset(session.scalars(query))


def works_in(runtime: Runtime, person_id: UUID, organisation_id: UUID) -> bool:
    """Whether somebody has a role in the organisation or in one above it."""
    with lookup_session(runtime.databases) as (session, _now):
        return bool(list_assignments(session, person_id, organisation_id))


def _older(key: bytes, listing: Listing, people: list[Someone], more: bool, now: Any) -> str:  # noqa: FBT001 - one private question
    if not more:
        return ""
    return make_cursor(key, listing, Position((people[-1].name,), people[-1].id), now=now)
