"""Reads, in the tenant's own transaction, which roles an actor has there: revocation acts at once (DESIGN 5)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.access.events import DelegationEntered
from app.access.rights import (
    BREAK_GLASS,
    DelegationView,
    Grant,
    GroupRoles,
    StaffRoles,
    limited,
    list_grants,
    list_home_grants,
    names,
    staff_rights,
)
from app.kernel.actor import Actor, Rights
from app.kernel.work import Work
from tenants.tenant import Tenant

# One round trip: the member row, if there is one, beside every delegation of the actor's organisation. The member
# table is identity's; a join by name keeps this at one query without borrowing its model. That a use was noted stands
# in `command`, whose keys count once: here under a name that no door's key can have.
_ASKED = """
    SELECT m.role AS member_role, d.id, d.roles, d.starts_at, d.ends_at, d.state, d.kind, d.requested_by, d.grants,
        c.key IS NOT NULL AS noted
    FROM (SELECT CAST(:person AS uuid) AS person_id, CAST(:hour AS text) AS hour) who
    LEFT JOIN member m ON m.person_id = who.person_id AND m.state NOT IN ('removed', 'disabled')
    LEFT JOIN delegation d ON d.organisation_id = CAST(:organisation AS uuid) AND d.state = 'active'
    LEFT JOIN command c ON c.key = 'entered:' || d.id || ':' || who.person_id || ':' || who.hour
"""
_GRANTS = text(_ASKED)
_GRANTS_BARE = re.sub(r":(person|hour|organisation)\b", r"%(\1)s", _ASKED).encode()
# Two at once: the second waits for the first and finds it noted. Who used it last is a convenience of pages, and waits
# for nobody.
_NOTE = text("""
    WITH noted AS (
        INSERT INTO command (key, fingerprint, result, at)
        SELECT 'entered:' || id || ':' || CAST(:person AS uuid) || ':' || :hour, '', '{}', :now
        FROM unnest(CAST(:ids AS uuid[])) AS id ON CONFLICT DO NOTHING RETURNING key),
    used AS (
        UPDATE delegation SET last_used_at = :now, last_used_by = :person, last_used_name = :name
        WHERE id IN (SELECT id FROM delegation WHERE id = ANY(CAST(:ids AS uuid[])) FOR UPDATE SKIP LOCKED))
    SELECT CAST(split_part(key, ':', 2) AS uuid) FROM noted
""")


def load_rights(session: Session, tenant: Tenant, actor: Actor, now: datetime) -> Rights:
    """The names of the roles this actor has in this tenant now; none for one who has no business here.

    In a home: what is assigned in its organisation. In a customer's tenant: the member row's role, and those of the
    partner's assigned roles that an open delegation shares. `now` is the database's clock. Jobs have no rights of their
    own: what they call is listed as system-only. The first use of a delegation by a person in an hour is noted here.
    """
    if (known := _without_asking(tenant, actor)) is not None:
        return known
    rows = session.execute(_GRANTS, _values(actor, now)).all()
    found = _decide([tuple(row) for row in rows], actor, now)
    if not found.unnoted:
        return found
    values = {"person": actor.id, "name": actor.name, "hour": _hour(now), "now": now, "ids": list(found.unnoted)}
    news = [
        DelegationEntered(subject_id=each, organisation_id=actor.organisation_id or actor.id)
        for each in session.execute(_NOTE, values).scalars()
    ]
    return Rights(found, on_behalf_of=found.on_behalf_of, delegations=found.delegations, entered=tuple(news))


def read_rights(cursor: psycopg.Cursor[Any], tenant: Tenant, actor: Actor, now: datetime) -> Rights:
    """The same on a bare cursor in the tenant's scope, for budgeted reads; `unnoted` is then the caller's to note."""
    if (known := _without_asking(tenant, actor)) is not None:
        return known
    rows = cursor.execute(_GRANTS_BARE, _values(actor, now)).fetchall()
    return _decide(rows, actor, now)


def read_grants(work: Work, actor: Actor) -> tuple[Grant, ...]:
    """Each role that the actor has in the tenant and what gives it: for the explanation, not for decisions."""
    if work.tenant.kind == "home":
        mine = actor.organisation_id == work.tenant.organisation_id
        return list_home_grants(actor.roles) if mine else ()
    rows = work.session.execute(_GRANTS, _values(actor, work.database_now)).all()
    views = [_view(tuple(row)) for row in rows if row.id]
    return list_grants(rows[0].member_role, StaffRoles.of(actor), views, work.database_now)


def _without_asking(tenant: Tenant, actor: Actor) -> Rights | None:
    """The roles where no row of the tenant has a say; None where one has."""
    if actor.kind == "job":
        return Rights()
    if tenant.kind == "home":
        return Rights(staff_rights(actor) if actor.organisation_id == tenant.organisation_id else ())
    return None


def _values(actor: Actor, now: datetime) -> dict[str, object]:
    staff = actor.organisation_id if actor.roles else None
    return {"person": actor.id, "organisation": staff, "hour": _hour(now)}


def _hour(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H")


def _decide(rows: Sequence[tuple[Any, ...]], actor: Actor, now: datetime) -> Rights:
    views = [_view(row) for row in rows if row[1]]
    grants = list_grants(rows[0][0], StaffRoles.of(actor), views, now)
    used = dict.fromkeys(grant.delegation_id for grant in grants if grant.delegation_id is not None)
    noted = {row[1] for row in rows if row[-1]}
    return Rights(
        limited(names(grants), actor),
        on_behalf_of=actor.organisation_id if used else None,
        delegations=tuple(used),
        unnoted=tuple(each for each in used if each not in noted),
    )


def _view(row: tuple[Any, ...]) -> DelegationView:
    _member, id_, roles, starts, ends, state, kind, person, groups, _noted = row
    mapped = tuple(GroupRoles(UUID(each["group"]), frozenset(each["roles"])) for each in groups or ())
    alone = person if kind == BREAK_GLASS else None
    return DelegationView(frozenset(roles), starts, ends, state, id_, groups=mapped, person=alone)
