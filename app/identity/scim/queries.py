"""Reads of directories: who holds a token, users and groups as their resources, one page of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from scim2_models import ResponseParameters, ScimFilter, SearchRequest, TooManyException
from scim2_models.resources.resource import Resource
from sqlalchemy import Select, func, select, text, true
from sqlalchemy.orm import Session

from app.identity.rules import is_token, token_digest
from app.identity.scim.filters import GROUPS, USERS, Columns, Compiled, compile_filter
from app.identity.scim.models import DirectoryUser, StaffGroup, StaffGroupMember
from app.identity.scim.resources import KINDS, MOST, POLICY
from app.web.hosts import Site
from tenants.engines import Databases
from tenants.sessions import lookup_session
from tenants.tenant import Tenant

USUAL = 100  # resources of a page whose size nobody named
LOOKED_AT = 2_000  # rows that one filter may make us look at, where no column decides it
_FURTHEST = 2**31
_FIND = text("SELECT * FROM control.find_directory(:token, :organisation)")
_BEHIND = text("SELECT * FROM control.directories_behind()")
Locate = Callable[[str, UUID], str]  # kind and id to the address of the resource


@dataclass(frozen=True, slots=True)
class Visitor:
    """A directory at work: who it is, for whom it speaks, and the home or tenant in which that is written down."""

    id: UUID
    organisation_id: UUID
    tenant_id: UUID | None
    name: str
    default_role: str | None
    tenant: Tenant

    @property
    def label(self) -> str:
        """Who acts, for the database and for logs."""
        return f"service:{self.id}"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of resources and how many there are in all."""

    total: int
    start: int
    resources: tuple[Resource[Any], ...]


def find_directory(databases: Databases, site: Site, token: str) -> Visitor | None:
    """The directory whose token this is, on the host of its organisation and nowhere else."""
    if not is_token(token):
        return None
    values = {"token": token_digest(token), "organisation": site.organisation_id}
    with lookup_session(databases, actor="identity.find_directory") as (session, _now):
        row = session.execute(_FIND, values).first()
    return _visitor(row) if row is not None else None


def list_behind(databases: Databases) -> list[Visitor]:
    """Directories with users whose access has not followed yet, some of them at a time."""
    with lookup_session(databases, actor="identity.directories_behind") as (session, _now):
        return [_visitor(row) for row in session.execute(_BEHIND)]


def find_user(session: Session, directory: Visitor, user_id: UUID, *, lock: bool = False) -> DirectoryUser | None:
    """A user of the directory that is not deleted."""
    mine = (DirectoryUser.directory_id == directory.id, DirectoryUser.deleted_at.is_(None))
    query = select(DirectoryUser).where(DirectoryUser.id == user_id, *mine)
    return session.scalars(query.with_for_update() if lock else query).one_or_none()


def find_group(session: Session, directory: Visitor, group_id: UUID, *, lock: bool = False) -> StaffGroup | None:
    """A group of the directory."""
    query = select(StaffGroup).where(StaffGroup.id == group_id, StaffGroup.directory_id == directory.id)
    return session.scalars(query.with_for_update() if lock else query).one_or_none()


def resource_of_user(user: DirectoryUser, groups: Iterable[tuple[UUID, str]], locate: Locate) -> Resource[Any]:
    """A user as SCIM says it."""
    belongs = [
        {"value": str(group_id), "$ref": locate("Groups", group_id), "display": name, "type": "direct"}
        for group_id, name in groups
    ]
    own = {"id": str(user.id), "userName": user.user_name, "externalId": user.external_id}
    said = user.document | own | {"groups": belongs or None, "meta": _meta("Users", user, locate)}
    return KINDS["Users"].model_validate(said, scim_policy=POLICY)


def resource_of_group(group: StaffGroup, members: Iterable[UUID], locate: Locate) -> Resource[Any]:
    """A group as SCIM says it; without its members where they are not wanted."""
    within = [{"value": str(each), "$ref": locate("Users", each), "type": "User"} for each in members]
    own = {"id": str(group.id), "displayName": group.name, "externalId": group.external_id}
    said = own | {"members": within or None, "meta": _meta("Groups", group, locate)}
    return KINDS["Groups"].model_validate(said, scim_policy=POLICY)


def groups_of(session: Session, users: Sequence[UUID]) -> dict[UUID, list[tuple[UUID, str]]]:
    """The groups of each of these users, by name."""
    query = select(StaffGroupMember.user_id, StaffGroup.id, StaffGroup.name)
    joined = query.join(StaffGroup, StaffGroup.id == StaffGroupMember.group_id)
    found: dict[UUID, list[tuple[UUID, str]]] = {user_id: [] for user_id in users}
    rows = joined.where(StaffGroupMember.user_id.in_(users)).order_by(StaffGroup.name, StaffGroup.id)
    for user_id, group_id, name in session.execute(rows):
        found[cast("UUID", user_id)].append((group_id, name))
    return found


def members_of(session: Session, groups: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """The users of each of these groups, in the order in which they were made."""
    query = select(StaffGroupMember.group_id, StaffGroupMember.user_id)
    mine = (StaffGroupMember.group_id.in_(groups), StaffGroupMember.user_id.is_not(None))
    found: dict[UUID, list[UUID]] = {}
    for group_id, user_id in session.execute(query.where(*mine).order_by(StaffGroupMember.user_id)):
        found.setdefault(group_id, []).append(cast("UUID", user_id))
    return found


def wants(asked: ResponseParameters[Any], name: str) -> bool:
    """Whether an answer holds this attribute: costly ones are not read for nothing."""
    if asked.attributes:
        return any(_head(str(path)) == name.lower() for path in asked.attributes)
    return all(str(path).lower().rpartition(":")[2] != name.lower() for path in asked.excluded_attributes or ())


def list_resources(
    session: Session, directory: Visitor, kinds: Sequence[str], asked: SearchRequest[Any], locate: Locate
) -> Page:
    """One page over the resources of these kinds, users first, oldest first. Raises TooManyException."""
    start = min(asked.start_index or 1, _FURTHEST)
    room = min(USUAL if asked.count is None else asked.count, MOST)
    skip, total, found = start - 1, 0, list[Resource[Any]]()
    for kind in kinds:
        listing = _Listing(session, directory, kind, asked, locate)
        here, resources = listing.read(max(0, skip - total), room - len(found))
        total += here
        found += resources
    return Page(total, start, tuple(found))


@dataclass(frozen=True, slots=True)
class _Listing:
    """One kind of resource being listed."""

    session: Session
    directory: Visitor
    kind: str
    asked: SearchRequest[Any]
    locate: Locate

    def read(self, skip: int, room: int) -> tuple[int, list[Resource[Any]]]:
        """How many fit in all, and those of the page."""
        compiled = Compiled(true(), exact=True)
        if self.asked.filter is not None:
            compiled = compile_filter(self._filter(), self._columns)
        query = self._query().where(compiled.condition)
        if not compiled.exact:
            return self._look(query, skip, room)
        total = self.session.scalar(select(func.count()).select_from(query.subquery())) or 0
        if room < 1 or skip >= total:
            return total, []
        return total, self._resources(list(self.session.scalars(query.offset(skip).limit(room))), every=False)

    def _look(self, query: Select[Any], skip: int, room: int) -> tuple[int, list[Resource[Any]]]:
        """Where columns do not decide: look at each row that may fit, and at no more than we promise."""
        rows = list(self.session.scalars(query.limit(LOOKED_AT + 1)))
        if len(rows) > LOOKED_AT:
            raise TooManyException
        asked = self._filter()
        fitting = [resource for resource in self._resources(rows, every=True) if asked.match(resource)]
        return len(fitting), fitting[skip : skip + max(room, 0)]

    def _resources(self, rows: list[Any], *, every: bool) -> list[Resource[Any]]:
        ids = [row.id for row in rows]
        if self.kind == "Users":
            groups = groups_of(self.session, ids) if every or wants(self.asked, "groups") else {}
            return [resource_of_user(row, groups.get(row.id, ()), self.locate) for row in rows]
        members = members_of(self.session, ids) if every or wants(self.asked, "members") else {}
        return [resource_of_group(row, members.get(row.id, ()), self.locate) for row in rows]

    def _query(self) -> Select[Any]:
        if self.kind == "Users":
            mine = (DirectoryUser.directory_id == self.directory.id, DirectoryUser.deleted_at.is_(None))
            return select(DirectoryUser).where(*mine).order_by(DirectoryUser.id)
        return select(StaffGroup).where(StaffGroup.directory_id == self.directory.id).order_by(StaffGroup.id)

    def _filter(self) -> ScimFilter[Any]:
        bound: Any = ScimFilter.__class_getitem__(KINDS[self.kind])
        with POLICY:
            filter_: ScimFilter[Any] = bound(str(self.asked.filter))
        return filter_

    @property
    def _columns(self) -> Columns:
        return USERS if self.kind == "Users" else GROUPS


def _visitor(row: Any) -> Visitor:
    tenant = Tenant(
        id=row.work_id,
        organisation_id=row.work_organisation,
        kind=row.work_kind,
        name=row.work_name,
        cell=row.cell_name,
        schema=row.schema_name,
        role=row.role_name,
        gateway=row.gateway,
        state=row.work_state,
    )
    return Visitor(row.directory_id, row.organisation_id, row.tenant_id, row.name, row.default_role, tenant)


def _meta(kind: str, row: DirectoryUser | StaffGroup, locate: Locate) -> dict[str, Any]:
    return {
        "resourceType": kind.removesuffix("s"),
        "created": row.made_at,
        "lastModified": row.changed_at,
        "location": locate(kind, row.id),
        "version": f'W/"{row.version}"',
    }


def _head(path: str) -> str:
    return path.lower().rpartition(":")[2].partition(".")[0]
