"""What a directory does with its groups.

Members are a set of ours, not entries of the library's model: that copies and compares all of them for each operation
of a PATCH, which is quadratic where a directory adds its people one by one. Everything else of a group is the model's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from scim2_models import (
    InvalidPathException,
    InvalidValueException,
    MutabilityException,
    PatchOp,
    PatchOperation,
)
from scim2_models.path import Comparison, ValuePath
from scim2_models.resources.resource import Resource
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from app.identity.scim.models import DirectoryUser, StaffGroup, StaffGroupMember
from app.identity.scim.queries import Visitor, resource_of_group
from app.identity.scim.resources import Group
from app.identity.scim.rules import comparable
from app.kernel.ids import new_id

LONGEST = 320  # characters of a group's name
_CHUNK = 1_000  # rows of one statement


def create_group(session: Session, directory: Visitor, said: Resource[Any], now: datetime) -> UUID:
    """A new group with the members it came with. Raises InvalidValueException."""
    group = StaffGroup(
        id=new_id(),
        organisation_id=directory.organisation_id,
        tenant_id=directory.tenant_id,
        directory_id=directory.id,
        version=0,
        made_at=now,
    )
    session.add(group)
    replace_group(session, directory, group, said, now)
    return group.id


def replace_group(session: Session, directory: Visitor, group: StaffGroup, said: Resource[Any], now: datetime) -> None:
    """The group is what the directory says, with these members and no others. Raises InvalidValueException."""
    written = said.model_dump()
    _write(session, group, written, now)
    _set_members(session, directory, group, set(), _ids(written.get("members")), now)


def patch_group(session: Session, directory: Visitor, group: StaffGroup, patch: PatchOp[Any], now: datetime) -> None:
    """Apply the operations in their order, all or none. Raises SCIMException."""
    before = _members(session, group)
    after: set[UUID] = set(before)
    resource: Any = resource_of_group(group, (), lambda _kind, _id: "")
    for operation in patch.operations or []:
        for word, ids in _of_members(operation):
            after = {"add": after | ids, "remove": after - ids, "replace": ids, "empty": set()}[word]
        if (rest := _without_members(operation)) is not None:
            PatchOp[Group](Operations=[rest]).patch(resource)
    _write(session, group, resource.model_dump(), now)
    _set_members(session, directory, group, before, after, now)


def delete_group(session: Session, directory: Visitor, group: StaffGroup, now: datetime) -> None:
    """The group is gone, and its role with it."""
    _set_members(session, directory, group, _members(session, group), set(), now)
    session.delete(group)


def mark_members(session: Session, users: Iterable[UUID], now: datetime, *, behind: bool) -> None:
    """What these users are has changed with a group; `behind` where their access has to follow."""
    follow = {"behind": True} if behind else {}
    for chunk in _chunks(sorted(users)):
        values = {"version": DirectoryUser.version + 1, "changed_at": now, **follow}
        session.execute(update(DirectoryUser).where(DirectoryUser.id.in_(chunk)).values(**values))


def _write(session: Session, group: StaffGroup, written: dict[str, Any], now: datetime) -> None:
    group.name, group.external_id = written.get("displayName") or "", written.get("externalId")
    if not group.name.strip() or len(group.name) > LONGEST or len(group.external_id or "") > LONGEST:
        raise InvalidValueException(detail=f"displayName has 1 to {LONGEST} characters, externalId at most as many.")
    group.name_key, group.version, group.changed_at = comparable(group.name), group.version + 1, now
    session.flush()


def _members(session: Session, group: StaffGroup) -> set[UUID]:
    query = select(StaffGroupMember.user_id).where(StaffGroupMember.group_id == group.id)
    return {user_id for user_id in session.scalars(query) if user_id}


def _set_members(
    session: Session, directory: Visitor, group: StaffGroup, before: set[UUID], after: set[UUID], now: datetime
) -> None:
    """Bring the rows to `after`. `before` empty stands for whatever is there. Raises InvalidValueException."""
    before = before or _members(session, group)
    for chunk in _chunks(sorted(before - after)):
        gone = (StaffGroupMember.group_id == group.id, StaffGroupMember.user_id.in_(chunk))
        session.execute(delete(StaffGroupMember).where(*gone))
    for chunk in _chunks(sorted(after - before)):
        query = select(DirectoryUser.id, DirectoryUser.person_id, DirectoryUser.active).where(
            DirectoryUser.directory_id == directory.id,
            DirectoryUser.deleted_at.is_(None),
            DirectoryUser.id.in_(chunk),
        )
        known = session.execute(query.order_by(DirectoryUser.id).with_for_update()).all()
        if len(known) < len(chunk):
            raise InvalidValueException(detail="members names a user that this directory does not have.")
        shared = {"group_id": group.id, "organisation_id": directory.organisation_id, "made_at": now}
        rows = [
            shared | {"id": new_id(), "user_id": one.id, "person_id": one.person_id if one.active else None}
            for one in known
        ]
        session.execute(insert(StaffGroupMember), rows)
    mark_members(session, before ^ after, now, behind=group.role is not None)


def _of_members(operation: PatchOperation[Any]) -> Iterator[tuple[str, set[UUID]]]:
    """What an operation does to the members, if anything: add, remove or replace these, or empty the group."""
    word, path = str(operation.op.value), operation.path
    if path is None:
        if isinstance(operation.value, dict):
            yield from ((word, _ids(value)) for name, value in operation.value.items() if _is_members(name))
        return
    bound = path.resolve()
    if bound is None or bound.field_name != "members":
        return
    if isinstance(path.ast, ValuePath):
        yield word, {_selected(path.ast, word)}
    elif bound.sub_field_name is not None:
        raise MutabilityException(detail="A member is added or removed, not changed.")
    elif word == "remove" and operation.value is None:
        yield "empty", set()
    else:
        yield word, _ids(operation.value)


def _without_members(operation: PatchOperation[Any]) -> PatchOperation[Any] | None:
    """The operation as the model gets it; None where all of it was about members."""
    path = operation.path
    if path is not None:
        bound = path.resolve()
        return None if bound is not None and bound.field_name == "members" else operation
    if not isinstance(operation.value, dict):
        return operation
    rest = {name: value for name, value in operation.value.items() if not _is_members(name)}
    return PatchOperation[Group](op=operation.op, value=rest) if rest else None


def _is_members(name: str) -> bool:
    return name.lower().rpartition(":")[2] == "members"


def _selected(path: ValuePath, word: str) -> UUID:
    """The member of `members[value eq "…"]`."""
    asked = path.val_filter
    if word != "remove" or path.sub_attr is not None:
        raise MutabilityException(detail="A member is added or removed, not changed.")
    if not (isinstance(asked, Comparison) and asked.op.value == "eq" and asked.attr_path.attr.lower() == "value"):
        raise InvalidPathException(detail='Members are selected by their value: members[value eq "…"].')
    return _id(asked.value)


def _ids(value: Any) -> set[UUID]:
    """The users that a list of members names. Raises InvalidValueException."""
    entries = value if isinstance(value, list) else [] if value is None else [value]
    return {_id(_value_of(entry)) for entry in entries}


def _value_of(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    named = {str(name).lower(): value for name, value in entry.items()}
    if str(named.get("type") or "user").lower() != "user":
        raise InvalidValueException(detail="Only users are members of a group here; groups do not hold groups.")
    return named.get("value")


def _id(value: Any) -> UUID:
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError):
        raise InvalidValueException(detail="A member's value is the id of a user of this directory.") from None


def _chunks(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    return (ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK))
