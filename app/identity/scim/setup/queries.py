"""What the page of directories shows: each with its groups, how far it has come, and what it sent last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.identity.scim.models import Directory, DirectoryRequest, DirectoryUser, StaffGroup, StaffGroupMember
from app.web.translations import mark
from tenants.tenant import Tenant

MOST_GROUPS = 200  # of one page; the others keep their roles


@dataclass(frozen=True, slots=True)
class Place:
    """Whose directories these are: an organisation's (`tenant` is its home), or one customer's."""

    tenant: Tenant
    path: str

    @property
    def organisation_id(self) -> UUID:
        """Whose rows they are in `control`."""
        return self.tenant.organisation_id

    @property
    def tenant_id(self) -> UUID | None:
        """The customer's tenant; None for the organisation's own staff."""
        return None if self.tenant.kind == "home" else self.tenant.id


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group that the directory has sent, and the role its members get."""

    id: UUID
    name: str
    role: str | None
    members: int


@dataclass(frozen=True, slots=True)
class RequestView:
    """One of the last requests and what our answer means."""

    at: datetime
    method: str
    place: str
    status: int
    means: str


@dataclass(frozen=True, slots=True)
class DirectoryView:
    """A directory as its page shows it."""

    id: UUID
    name: str
    state: str
    default_role: str | None
    made_by: str
    made_at: datetime
    used_at: datetime | None
    old_token_until: datetime | None
    users: int
    behind: int
    groups: tuple[GroupView, ...]
    requests: tuple[RequestView, ...]


def find_directory_row(session: Session, place: Place, directory_id: UUID, *, lock: bool = False) -> Directory | None:
    """A directory of this place; of another one it does not exist."""
    query = _of(place).where(Directory.id == directory_id)
    return session.scalars(query.with_for_update() if lock else query).one_or_none()


def list_directories(session: Session, place: Place, now: datetime) -> list[DirectoryView]:
    """Every directory of the place, the oldest first; `now` is the database's clock."""
    return [_view(session, row, now) for row in session.scalars(_of(place).order_by(Directory.id))]


def explain(method: str, status: int, scim_type: str | None) -> str:
    """What an answer means and what to do about it: a message id."""
    if scim_type in _MEANS_BY_TYPE:
        return _MEANS_BY_TYPE[scim_type]
    if status == 404 and method == "DELETE":  # noqa: PLR2004 - as HTTP says it
        return mark("It was deleted before. Nothing is left to do.")
    return _MEANS.get(status, _DONE if status < 400 else _OTHER)  # noqa: PLR2004 - where HTTP's errors begin


def _of(place: Place) -> Select[Directory]:
    mine = (
        Directory.organisation_id == place.organisation_id,
        Directory.tenant_id.is_not_distinct_from(place.tenant_id),
    )
    return select(Directory).where(*mine)


def _view(session: Session, row: Directory, now: datetime) -> DirectoryView:
    users = select(func.count(), func.count().filter(DirectoryUser.behind)).where(DirectoryUser.directory_id == row.id)
    known, behind = session.execute(users.where(DirectoryUser.deleted_at.is_(None))).one()
    old = row.old_token_until
    return DirectoryView(
        id=row.id,
        name=row.name,
        state=row.state,
        default_role=row.default_role,
        made_by=row.made_by_name,
        made_at=row.made_at,
        used_at=row.used_at,
        old_token_until=old if old and old > now else None,
        users=known,
        behind=behind,
        groups=_groups(session, row),
        requests=_requests(session, row),
    )


def _groups(session: Session, row: Directory) -> tuple[GroupView, ...]:
    members = select(func.count()).where(StaffGroupMember.group_id == StaffGroup.id).scalar_subquery()
    query = select(StaffGroup.id, StaffGroup.name, StaffGroup.role, members).where(StaffGroup.directory_id == row.id)
    rows = session.execute(query.order_by(StaffGroup.role.is_(None), StaffGroup.name_key).limit(MOST_GROUPS))
    return tuple(GroupView(*found) for found in rows)


def _requests(session: Session, row: Directory) -> tuple[RequestView, ...]:
    query = select(DirectoryRequest).where(DirectoryRequest.directory_id == row.id).order_by(DirectoryRequest.id.desc())
    return tuple(
        RequestView(one.at, one.method, one.place, one.status, explain(one.method, one.status, one.scim_type))
        for one in session.scalars(query)
    )


_DONE = mark("Done.")
_OTHER = mark("This was refused. Look at your directory's own log for our answer.")
_MEANS = {
    304: mark("Your directory has this already."),
    401: mark("The token was not accepted. Give your directory the newest one."),
    404: mark("This user or group is not known here. Let your directory start over, and it sends it again."),
    405: mark("This cannot be done at that address."),
    409: mark("This workspace's plan allows no more people."),
    412: mark("Somebody else changed it meanwhile. Your directory reads it again and repeats its change."),
    413: mark("The request was too large. Let your directory send smaller parts."),
    415: mark("The request was not sent as SCIM. Check the kind of application in your directory."),
    500: mark("Something unexpected happened on our side."),
    503: mark("A part of this service could not be reached. Your directory tries again; what was sent is not lost."),
}
_MEANS_BY_TYPE = {
    "uniqueness": mark("Another user of this directory has the same name or mail address. Each needs its own."),
    "invalidFilter": mark("The question could not be understood. Check the attribute your directory matches users by."),
    "invalidPath": mark("It names an attribute that is not kept here. Take it out of your directory's mapping."),
    "noTarget": mark("It changes a value that is not there. Let your directory start over."),
    "invalidSyntax": mark("The request could not be read. Check the kind of application in your directory."),
    "invalidValue": mark("A value cannot be used: a name is missing or too long, or a member is not a known user."),
    "mutability": mark("It changes something that only this service sets. Take it out of your directory's mapping."),
    "tooMany": mark("The question fits too many users. Match users by their user name or external id."),
}
