"""Who somebody is that a provider vouches for, and what they become here. The one place that writes memberships.

Found by the provider's own name for them first, then by a mail address that the provider may speak for. Nobody comes in
by a provider who may do more here than whoever set the connection up: owners keep the mailed link.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from app.access.decisions import permissions_of
from app.identity.models import Member
from app.identity.operations import NewMember, add_member, ensure_person, index_membership
from app.identity.people.following import follow_person
from app.identity.people.staff import Colleague, write_staff
from app.identity.sso.events import AdmittedByProvider
from app.identity.sso.queries import Connection
from app.identity.sso.rules import Claimed, may_give, proves_address, wanted_roles
from app.kernel.actor import Actor
from app.kernel.errors import Forbidden
from app.kernel.runtime import Runtime
from app.kernel.work import open_work
from app.web.translations import LOCALES, mark
from tenants.sessions import lookup_session
from tenants.tenant import Tenant

REMOVED = "removed"
_FIND = text("SELECT * FROM control.find_sso_person(:connection, :subject, :email)")
_LINK = text("SELECT control.link_sso_identity(:connection, :subject, :person, CAST(:granted AS jsonb))")


class NotAdmitted(Forbidden):
    """The provider vouches for somebody whom this connection does not let in."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known here of somebody. `held`: their roles in this tenant or organisation."""

    person_id: UUID
    email: str
    name: str
    locale: str
    granted: frozenset[str]
    held: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Change:
    """The roles that somebody gets and loses by coming in, and those that they then owe to the provider."""

    given: frozenset[str]
    taken: frozenset[str]
    granted: frozenset[str]


def admit(runtime: Runtime, connection: Connection, tenant: Tenant, claimed: Claimed, *, trace_id: str) -> UUID:
    """Let this person in: find or make them, and bring their roles to what the connection says now. Returns their id.

    The tenant's own row and trail come first, `control` follows; each step is repeatable, so that the next sign-in
    finishes what a killed one began. Raises NotAdmitted, LimitReached, TenantNotActive.
    """
    known = _known(runtime, connection, tenant, claimed, trace_id=trace_id)
    if known is None and not connection.settings.joins:
        raise NotAdmitted(_UNKNOWN)
    change = _change(connection, claimed, known)
    if known is None:
        person_id = ensure_person(
            runtime.databases, email=claimed.email, name=claimed.name, locale=_locale(claimed.locale)
        )
        known = _Known(person_id, claimed.email, claimed.name or claimed.email, _locale(claimed.locale), *_NO_ROLES)
    _write(runtime, connection, tenant, known, change, trace_id=trace_id)
    _follow(runtime, connection, tenant, known, trace_id=trace_id)
    _link(runtime, connection, claimed.subject, known.person_id, change.granted)
    if not (known.held | change.given) - change.taken:
        raise NotAdmitted(_NO_GROUP)
    return known.person_id


def _known(
    runtime: Runtime, connection: Connection, tenant: Tenant, claimed: Claimed, *, trace_id: str
) -> _Known | None:
    """Who it is, if they are known. Raises NotAdmitted for an address that this provider may not speak for."""
    proven = proves_address(claimed, connection.settings, connection.domains)
    values = {"connection": connection.id, "subject": claimed.subject, "email": claimed.email if proven else ""}
    with lookup_session(runtime.databases) as (session, _now):
        row = session.execute(_FIND, values).one_or_none()
    if row is None:
        if not proven:
            raise NotAdmitted(_ADDRESS)
        return None
    with open_work(runtime, tenant, _actor(connection), trace_id=trace_id) as work:
        member = work.session.get(Member, row.person_id)
        state, role = (member.state, member.role) if member else ("", "")
    if state == REMOVED:
        raise NotAdmitted(_REMOVED)
    held = frozenset(row.held) if connection.staff else frozenset({role} - {""})
    return _Known(row.person_id, row.email, row.name, row.locale, frozenset(row.granted), held)


def _change(connection: Connection, claimed: Claimed, known: _Known | None) -> _Change:
    """What this sign-in changes. Raises NotAdmitted for who holds more than the connection may speak for."""
    held, granted = (known.held, known.granted) if known else _NO_ROLES
    settings = connection.settings
    if not permissions_of(held) <= permissions_of(connection.ceiling):
        raise NotAdmitted(_ABOVE)
    wanted = frozenset(wanted_roles(claimed, settings, connection.ceiling)[: None if connection.staff else 1])
    if not held and not wanted and settings.joins and may_give(settings.default_role, connection.ceiling):
        wanted = frozenset({settings.default_role})
    if not held and not settings.joins:
        raise NotAdmitted(_UNKNOWN)
    if not held and not wanted:
        raise NotAdmitted(_NO_GROUP)
    if held and not settings.group_roles:
        return _Change(frozenset(), frozenset(), granted)
    if not connection.staff and held and not wanted:
        return _left(connection, held, granted)
    taken = (held - wanted) if not connection.staff else (held & granted) - wanted
    return _Change(wanted - held, taken, (granted & wanted) | (wanted - held))


def _left(connection: Connection, held: frozenset[str], granted: frozenset[str]) -> _Change:
    """A customer's member whose groups give nothing any more: what a group gave falls back to the usual role.

    A role that somebody gave by hand stays.
    """
    if not held & granted:
        return _Change(frozenset(), frozenset(), frozenset())
    usual = connection.settings.default_role
    back = frozenset({usual}) if may_give(usual, connection.ceiling) else frozenset[str]()
    if not back:
        raise NotAdmitted(_NO_GROUP)
    return _Change(back - held, held - back, back)


def _write(
    runtime: Runtime, connection: Connection, tenant: Tenant, known: _Known, change: _Change, *, trace_id: str
) -> None:
    """The tenant's own row and its trail, in one transaction."""
    with open_work(runtime, tenant, _actor(connection), trace_id=trace_id) as work:
        work.session.execute(_LOCK, {"place": f"member:{tenant.id}:{known.person_id}"})
        if not connection.staff:
            for role in change.given:
                add_member(work, NewMember(known.person_id, known.email, known.name, role, known.locale))
                member = work.session.get_one(Member, known.person_id, with_for_update=True)
                if member.state == REMOVED:
                    raise NotAdmitted(_REMOVED)
                member.role = role
        elif change.given or change.taken:
            colleague = Colleague(known.person_id, known.email, known.name, known.locale, known.held)
            write_staff(work, colleague, (known.held | change.given) - change.taken)
        work.record(
            AdmittedByProvider(
                subject_id=known.person_id,
                connection_id=connection.id,
                name=known.name,
                email=known.email,
                given=sorted(change.given),
                taken=sorted(change.taken),
            )
        )


def _follow(runtime: Runtime, connection: Connection, tenant: Tenant, known: _Known, *, trace_id: str) -> None:
    """What `control` has to know: the index of memberships, or the organisation's assignments."""
    if not connection.staff:
        index_membership(runtime, known.person_id, tenant)
        return
    follow_person(runtime, tenant, known.person_id, trace_id=trace_id)


def _link(runtime: Runtime, connection: Connection, subject: str, person_id: UUID, granted: Iterable[str]) -> None:
    values = {"connection": connection.id, "subject": subject, "person": person_id}
    with lookup_session(runtime.databases, actor="identity.sso") as (session, _now):
        linked = session.execute(_LINK, values | {"granted": json.dumps(sorted(granted))}).scalar_one_or_none()
    if linked is None:
        raise NotAdmitted(_ADDRESS)


def _actor(connection: Connection) -> Actor:
    return Actor(kind="service", id=connection.id, name=connection.name)


def _locale(said: str) -> str:
    return said if said in LOCALES else "en"


# Two who come in at once as one person come one after the other: the second finds the row that the first made.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:place, 0))")
_NO_ROLES: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())
_UNKNOWN = mark("You are signed in at your provider, but nobody has invited you here. Ask an administrator to do so.")
_NO_GROUP = mark("None of your groups at your provider gives you a role here. Ask an administrator of this workspace.")
_REMOVED = mark("Your access here was taken away. Ask an administrator to invite you again.")
_ABOVE = mark("Your role here is more than this provider may vouch for. Sign in with a link to your e-mail instead.")
_ADDRESS = mark("Your provider did not confirm a mail address that it may speak for here. Ask its administrator.")
