"""Reads a partner's groups of staff, as its directories send them. In the organisation's scope of `control`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text

from app.access.permissions import Permission
from app.access.require import require
from app.access.rights import AtWork, staff_rights
from app.kernel.actor import Actor
from app.kernel.runtime import Runtime
from tenants.sessions import partner_session

MOST_SHOWN: Final = 200  # of one page
# Groups and who is in them are identity's rows; by name, since identity stands above. The organisation's own, as
# decisions take them: neither a customer's nor those of an organisation below. Who is deactivated is not counted.
_OWN = "FROM control.staff_group g WHERE g.organisation_id = :organisation AND g.tenant_id IS NULL"
_NAMES = text(f"SELECT g.id, g.name {_OWN} AND g.id = ANY(CAST(:ids AS uuid[])) LIMIT {MOST_SHOWN}")
_LISTED = text(f"""
    SELECT g.id, g.name, (SELECT count(m.person_id) FROM control.staff_group_member m WHERE m.group_id = g.id) AS people
    {_OWN} ORDER BY g.id = ANY(CAST(:ids AS uuid[])) DESC, g.name_key, g.id LIMIT {MOST_SHOWN}""")  # noqa: S608 - constants above


@dataclass(frozen=True, slots=True)
class StaffGroupView:
    """A group of the partner's staff and how many people are in it."""

    id: UUID
    name: str
    people: int


def name_groups(runtime: Runtime, actor: Actor, ids: Collection[UUID]) -> dict[UUID, str]:
    """What those of the groups are called that are the actor's organisation's own; asked before a tenant is entered."""
    if actor.organisation_id is None or not ids:
        return {}
    with partner_session(runtime.databases, actor.organisation_id, actor=actor.label) as (session, _now):
        values = {"organisation": actor.organisation_id, "ids": sorted(set(ids))}
        return {row.id: row.name for row in session.execute(_NAMES, values)}


def list_groups(runtime: Runtime, actor: Actor, first: Collection[UUID]) -> list[StaffGroupView]:
    """The organisation's groups of staff by name, those of `first` before all others. Raises NotPermitted."""
    require(AtWork(staff_rights(actor), actor), Permission.DELEGATION_REQUEST)
    organisation = actor.organisation_id or UUID(int=0)
    with partner_session(runtime.databases, organisation, actor=actor.label) as (session, _now):
        values = {"organisation": organisation, "ids": sorted(set(first))}
        return [StaffGroupView(row.id, row.name, row.people) for row in session.execute(_LISTED, values)]
