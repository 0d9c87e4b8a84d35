"""Setting directories up. The home's or the tenant's trail hears of it first, in one command; `control` follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from app.access.permissions import Permission
from app.access.require import require
from app.identity.rules import Token, new_token
from app.identity.scim.effects import settle_behind
from app.identity.scim.events import DirectoryChanged
from app.identity.scim.groups import mark_members
from app.identity.scim.models import Directory, DirectoryUser, StaffGroup
from app.identity.scim.queries import Visitor, members_of
from app.identity.scim.rules import OVERLAP, grantable
from app.identity.scim.setup.queries import DirectoryView, Place, find_directory_row, list_directories
from app.identity.scim.setup.schemas import NewDirectory
from app.kernel.actor import Actor
from app.kernel.commands import Result, fingerprint, run_command
from app.kernel.errors import Forbidden, Missing
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.kernel.work import Work, open_work
from app.web.translations import mark
from tenants.sessions import partner_session


class DirectoryMissing(Missing):
    """There is no such directory here."""


class RoleBeyondYours(Forbidden):
    """A directory is to give a role that whoever sets it up does not hold."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Who sets a directory up where, by which form: sent twice, it is done once."""

    runtime: Runtime
    actor: Actor
    place: Place
    key: str
    trace_id: str

    def once(self, what: str, told: dict[str, object], record: DirectoryChanged, *roles: str) -> tuple[Result, bool]:
        """Ask for the permission, check the roles and tell the trail. Raises NotPermitted, RoleBeyondYours."""

        def operation(work: Work) -> Result:
            require(work, Permission.DIRECTORY_MANAGE)
            offered = grantable(work.rights, of_tenant=self.place.tenant_id is not None)
            if set(roles) - set(offered):
                raise RoleBeyondYours(_BEYOND)
            work.record(record)
            return {"id": str(record.subject_id)}

        return run_command(
            self.runtime,
            self.place.tenant,
            self.actor,
            key=self.key,
            mark=fingerprint(f"{what} {self.place.path}", told),
            trace_id=self.trace_id,
            operation=operation,
        )


def read_directories(
    runtime: Runtime, actor: Actor, place: Place, *, trace_id: str
) -> tuple[list[DirectoryView], tuple[str, ...]]:
    """The directories of the place, and the roles that this person may let one give. Raises NotPermitted."""
    with open_work(runtime, place.tenant, actor, trace_id=trace_id) as work:
        require(work, Permission.DIRECTORY_MANAGE)
        offered = grantable(work.rights, of_tenant=place.tenant_id is not None)
    with partner_session(runtime.databases, place.organisation_id, actor=actor.label) as (session, now):
        return list_directories(session, place, now), offered


def make_directory(asking: Asking, wanted: NewDirectory) -> Token | None:
    """Set a directory up; its token is shown by whoever gets it here, and never again. None where it was made before.

    Raises NotPermitted, RoleBeyondYours.
    """
    place, token, role = asking.place, new_token(), wanted.default_role
    record = DirectoryChanged(subject_id=new_id(), name=wanted.name, what="made", after=role)
    told: dict[str, object] = {"name": wanted.name, "role": role}
    result, _replayed = asking.once("make", told, record, *([role] if role else []))
    with partner_session(asking.runtime.databases, place.organisation_id, actor=asking.actor.label) as (session, now):
        row: dict[str, object] = {"id": UUID(str(result["id"])), "tenant_id": place.tenant_id}
        row |= {
            "organisation_id": place.organisation_id,
            "name": wanted.name,
            "state": "active",
            "default_role": role or None,
        }
        row |= {"token_hash": token.digest, "token_made_at": now, "made_at": now}
        row |= {"made_by": asking.actor.id, "made_by_name": asking.actor.name}
        fresh = insert(Directory).values(**row).on_conflict_do_nothing().returning(Directory.id)
        made = session.connection().execute(fresh).one_or_none()
    return token if made is not None else None


def renew_token(asking: Asking, directory_id: UUID, *, at_once: bool) -> Token | None:
    """Another token; the one before works until the overlap is over, or ends `at_once`. None where it was done before.

    Raises NotPermitted, DirectoryMissing.
    """
    name = _find(asking, directory_id).name
    record = DirectoryChanged(subject_id=directory_id, name=name, what="token", after="at once" if at_once else "")
    _result, replayed = asking.once(f"token {directory_id}", {"at_once": at_once}, record)
    if replayed:
        return None
    token, place = new_token(), asking.place
    with partner_session(asking.runtime.databases, place.organisation_id, actor=asking.actor.label) as (session, now):
        row = find_directory_row(session, place, directory_id, lock=True)
        if row is None:
            raise DirectoryMissing(_MISSING)
        row.old_token_hash = None if at_once else row.token_hash
        row.old_token_until = None if at_once else now + OVERLAP
        row.token_hash, row.token_made_at = token.digest, now
    return token


def map_roles(asking: Asking, directory_id: UUID, default: str, groups: Mapping[UUID, str]) -> None:
    """Say which role follows from which group, and from none; "" gives none. People follow at once, or soon if many.

    Raises NotPermitted, RoleBeyondYours for a role that is new to its group, DirectoryMissing.
    """
    found = _find(asking, directory_id)
    present = {group.id: group.role or "" for group in found.groups}
    changed = {group_id: role for group_id, role in groups.items() if present.get(group_id, role) != role}
    fresh = {role for role in changed.values() if role} | ({default} - {found.default_role or "", ""})
    names = {group.id: group.name for group in found.groups}
    record = DirectoryChanged(
        subject_id=directory_id,
        name=found.name,
        what="roles",
        before="; ".join([found.default_role or "", *(f"{names[each]}: {present[each]}" for each in changed)]),
        after="; ".join([default, *(f"{names[each]}: {role}" for each, role in changed.items())]),
    )
    told: dict[str, object] = {"default": default, "groups": {str(each): role for each, role in groups.items()}}
    asking.once(f"roles {directory_id}", told, record, *sorted(fresh))
    settle_behind(asking.runtime, _store_roles(asking, directory_id, default, changed), trace_id=asking.trace_id)


def set_state(asking: Asking, directory_id: UUID, state: str) -> None:
    """Disable a directory, or let it speak again; its people stay as they are.

    Raises NotPermitted, DirectoryMissing.
    """
    record = DirectoryChanged(subject_id=directory_id, name=_find(asking, directory_id).name, what="state", after=state)
    asking.once(f"state {directory_id}", {"state": state}, record)
    place = asking.place
    with partner_session(asking.runtime.databases, place.organisation_id, actor=asking.actor.label) as (session, _now):
        row = find_directory_row(session, place, directory_id, lock=True)
        if row is not None:
            row.state = state


def _find(asking: Asking, directory_id: UUID) -> DirectoryView:
    known, _offered = read_directories(asking.runtime, asking.actor, asking.place, trace_id=asking.trace_id)
    found = next((one for one in known if one.id == directory_id), None)
    if found is None:
        raise DirectoryMissing(_MISSING)
    return found


def _store_roles(asking: Asking, directory_id: UUID, default: str, changed: Mapping[UUID, str]) -> Visitor:
    place = asking.place
    with partner_session(asking.runtime.databases, place.organisation_id, actor=asking.actor.label) as (session, now):
        row = find_directory_row(session, place, directory_id, lock=True)
        if row is None:
            raise DirectoryMissing(_MISSING)
        for group_id, role in changed.items():
            group = session.get(StaffGroup, group_id, with_for_update=True)
            if group is None or group.directory_id != directory_id:
                continue
            group.role = role or None
            mark_members(session, members_of(session, [group_id]).get(group_id, ()), now, behind=True)
        if (row.default_role or "") != default:
            everybody = update(DirectoryUser).where(DirectoryUser.directory_id == directory_id)
            session.execute(everybody.values(behind=True, changed_at=now))
            row.default_role = default or None
        return Visitor(row.id, row.organisation_id, row.tenant_id, row.name, row.default_role, place.tenant)


_MISSING = mark("This directory is not there any more. Load the page again.")
_BEYOND = mark("A directory can give only roles that you hold yourself. Ask somebody who holds this one.")
