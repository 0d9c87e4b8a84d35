"""People of a tenant that came from another installation: made known here, by their mail address."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from app.identity.models import Member
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.kernel.work import Work
from tenants.sessions import lookup_session

SYSTEM_ONLY = {
    "list_people": "part of the import of a tenant, which has checked its own permission",
    "find_people": "part of the import of a tenant, before its rows name these people",
    "repoint_members": "part of the import of a tenant, in its last transaction",
}
_ENSURE = text("SELECT control.ensure_person(:id, :email, :name, :locale)")


@dataclass(frozen=True, slots=True)
class ArrivedPerson:
    """A member as the tenant's own row has it."""

    person_id: UUID
    email: str
    name: str
    locale: str


def list_people(work: Work) -> list[ArrivedPerson]:
    """Everybody who is a member and not removed; software is nobody."""
    people = select(Member).where(Member.state != "removed", Member.kind.is_distinct_from("service"))
    rows = work.session.scalars(people.order_by(Member.person_id))
    return [ArrivedPerson(row.person_id, row.email, row.name, row.locale) for row in rows]


def find_people(runtime: Runtime, people: list[ArrivedPerson]) -> dict[UUID, UUID]:
    """Who they are here, by who they were: the person of that mail address, made where there is none. Repeatable."""
    return {person.person_id: _ensure(runtime, person) for person in people}


def repoint_members(work: Work, known: dict[UUID, UUID]) -> None:
    """Let the tenant's member rows name the people of this installation; entries of the past keep their names.

    By way of ids that nobody has, since one person's new id may be another's old one. Of two members with one address
    the first is that person; the other's row stays as it came, and nobody signs in by it.
    """
    first = {after: before for before, after in reversed(known.items())}
    moved = [(before, after, new_id()) for after, before in first.items() if before != after]
    taken = set(known) - {before for before, _after, _free in moved}
    moved = [each for each in moved if each[1] not in taken]
    for before, _after, free in moved:
        work.session.execute(update(Member).where(Member.person_id == before).values(person_id=free))
    for _before, after, free in moved:
        work.session.execute(update(Member).where(Member.person_id == free).values(person_id=after))


def _ensure(runtime: Runtime, person: ArrivedPerson) -> UUID:
    """Keep the id where it is free: what the tenant's history says of the person stays readable."""
    values = {"email": person.email, "name": person.name, "locale": person.locale}
    try:
        with lookup_session(runtime.databases) as (session, _now):
            found: UUID = session.execute(_ENSURE, values | {"id": person.person_id}).scalar_one()
    except IntegrityError:  # somebody of another address has that id here
        with lookup_session(runtime.databases) as (session, _now):
            found = session.execute(_ENSURE, values | {"id": new_id()}).scalar_one()
    return found
