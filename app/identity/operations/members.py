"""People inside a tenant: its own member rows, and the index of them in `control` that lists are made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from app.access.limits import Limit
from app.access.queries import ensure_room
from app.identity.models import Member, Membership
from app.kernel.events import Event
from app.kernel.runtime import Runtime
from app.kernel.work import Work
from tenants.sessions import partner_session
from tenants.tenant import Tenant

SYSTEM_ONLY = {
    "add_member": "part of an admission or an invitation, which has checked its own permission",
    "index_membership": "follows the tenant's commit; the member row decides, this is for lists",
}


@dataclass(frozen=True, slots=True)
class NewMember:
    """A person who is to belong to a tenant; `person_id` is the one of `control`."""

    person_id: UUID
    email: str
    name: str
    role: str
    locale: str


class MemberAdded(Event, frozen=True, kw_only=True):
    """A person belongs to this tenant."""

    type: ClassVar[str] = "identity.member.added"
    subject_kind: ClassVar[str] = "person"
    personal: ClassVar[frozenset[str]] = frozenset({"name", "email"})

    name: str
    email: str
    role: str


def add_member(work: Work, member: NewMember) -> None:
    """Write the tenant's own row of the person. Repeatable: whoever is in stays as they are.

    Raises LimitReached when the tenant's plan allows no more people.
    """
    if work.session.get(Member, member.person_id) is not None:
        return
    people = (Member.state != "removed", Member.kind.is_distinct_from("service"))
    belonging = select(func.count()).select_from(Member).where(*people)
    ensure_room(work, Limit.MEMBERS, lambda: work.session.scalar(belonging) or 0)
    work.session.add(
        Member(
            person_id=member.person_id,
            email=member.email,
            name=member.name,
            role=member.role,
            locale=member.locale,
            state="active",
            invited_at=work.now,
        )
    )
    work.session.flush()
    work.record(MemberAdded(subject_id=member.person_id, name=member.name, email=member.email, role=member.role))


def index_membership(runtime: Runtime, person_id: UUID, tenant: Tenant) -> None:
    """Tell `control` after the tenant's commit, so that the person finds the tenant. Repeatable."""
    with partner_session(runtime.databases, tenant.organisation_id, actor="identity.members") as (session, now):
        row = {
            "person_id": person_id,
            "tenant_id": tenant.id,
            "organisation_id": tenant.organisation_id,
            "made_at": now,
        }
        session.connection().execute(insert(Membership).values(**row).on_conflict_do_nothing())
