"""What a directory does with its users. Only the wish is written here, in `control`; `effects.py` lets it come true."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from unicodedata import normalize
from uuid import UUID

from scim2_models import InvalidValueException
from scim2_models.resources.resource import Resource
from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from app.identity.scim.models import DirectoryUser, StaffGroupMember
from app.identity.scim.queries import Visitor
from app.identity.scim.rules import address_of, comparable, locale_of, name_of
from app.kernel.ids import new_id

LONGEST = 320  # characters of a name that users are told apart by: the longest mail address
_OWN = ("schemas", "id", "meta", "userName", "externalId", "groups")
_TAKE = text("SELECT control.take_person(:user, :new, :email, :name, :locale, :own)")
_END = text("SELECT control.end_person_sessions(:person, :organisation, :tenant)")


def create_user(session: Session, directory: Visitor, said: Resource[Any], now: datetime) -> UUID:
    """A new user; active unless the directory says otherwise. Raises InvalidValueException, IntegrityError."""
    user = DirectoryUser(
        id=new_id(),
        directory_id=directory.id,
        organisation_id=directory.organisation_id,
        active=True,
        given=[],
        former=[],
        made_person=False,
        version=0,
        made_at=now,
    )
    session.add(user)
    write_user(session, directory, user, said, now, own=True)
    return user.id


def write_user(
    session: Session, directory: Visitor, user: DirectoryUser, said: Resource[Any], now: datetime, *, own: bool
) -> None:
    """Let the user be what the directory says. Who loses access is signed out in this very transaction.

    `own`: everything the person has in the directory's tenant came from it (`effects.is_ours`).
    Raises InvalidValueException, IntegrityError where another user has the name or the person.
    """
    document = _folded(said.model_dump())
    user.user_name, user.external_id = document["userName"], document.get("externalId")
    if not user.user_name.strip() or len(user.user_name) > LONGEST or len(user.external_id or "") > LONGEST:
        raise InvalidValueException(detail=f"userName has 1 to {LONGEST} characters, externalId at most as many.")
    user.user_key = comparable(user.user_name)
    user.active = document.get("active", user.active)
    user.document = {name: value for name, value in document.items() if name not in _OWN}
    user.version, user.changed_at, user.behind = user.version + 1, now, True
    session.flush()
    email = address_of(user.user_name, user.document.get("emails") or [])
    told = {"name": name_of(user.document, email or user.user_name), "locale": locale_of(user.document)}
    session.execute(_TAKE, told | {"user": user.id, "new": new_id(), "email": email, "own": own})
    session.refresh(user)
    _count_in_groups(session, user)
    if not user.active:
        _sign_out(session, directory, user.person_id)


def moves(user: DirectoryUser, said: Resource[Any]) -> bool:
    """Whether the user's mail would go somewhere else."""
    document = said.model_dump()
    after = address_of(str(document.get("userName") or ""), document.get("emails") or [])
    return after != address_of(user.user_name, user.document.get("emails") or [])


def delete_user(session: Session, directory: Visitor, user: DirectoryUser, now: datetime) -> None:
    """The user is gone for the directory, its name is free; its person loses what the directory gave."""
    _sign_out(session, directory, user.person_id)
    session.execute(delete(StaffGroupMember).where(StaffGroupMember.user_id == user.id))
    user.former = [*user.former, *([str(user.person_id)] if user.person_id else [])]
    user.person_id, user.user_key, user.active = None, None, False
    user.deleted_at, user.changed_at, user.behind = now, now, True


def find_half_deleted(session: Session, directory: Visitor, user_id: UUID) -> bool:
    """Whether the user was deleted and what follows from it has not been done yet."""
    query = select(DirectoryUser.id).where(DirectoryUser.id == user_id, DirectoryUser.directory_id == directory.id)
    return session.scalars(query.where(DirectoryUser.deleted_at.is_not(None))).first() is not None


def _count_in_groups(session: Session, user: DirectoryUser) -> None:
    """Groups count the person of an active user, and nobody for one that may not come in."""
    counted = user.person_id if user.active else None
    mine = update(StaffGroupMember).where(StaffGroupMember.user_id == user.id)
    session.execute(mine.where(StaffGroupMember.person_id.is_distinct_from(counted)).values(person_id=counted))


def _sign_out(session: Session, directory: Visitor, person_id: UUID | None) -> None:
    values = {"person": person_id, "organisation": directory.organisation_id, "tenant": directory.tenant_id}
    session.execute(_END, values)


def _folded(value: Any) -> Any:
    """Texts in one form (NFC), so that equal ones are found by equal bytes."""
    if isinstance(value, str):
        return normalize("NFC", value)
    if isinstance(value, dict):
        return {name: _folded(each) for name, each in value.items()}
    return [_folded(each) for each in value] if isinstance(value, list) else value
