"""Directories and what they said: rows of `control`. What follows from it for people is in `effects.py`."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from tenants.metadata import ControlRecord, Document


class Directory(ControlRecord):
    """A directory that provisions people: of an organisation's staff, or of one tenant where `tenant_id` says so.

    Two tokens live at once while one is being replaced; only their hashes are kept.
    """

    __tablename__ = "directory"
    __table_args__ = (
        Index("uq_directory_token", "token_hash", unique=True),
        Index("uq_directory_old_token", "old_token_hash", unique=True),
        {"info": {"rights": "SELECT, INSERT, UPDATE, DELETE"}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"), index=True)
    tenant_id: Mapped[UUID | None] = mapped_column(ForeignKey("control.tenant.id"), index=True)
    name: Mapped[str]
    state: Mapped[str]  # active | disabled
    token_hash: Mapped[bytes]
    token_made_at: Mapped[datetime]
    old_token_hash: Mapped[bytes | None]
    old_token_until: Mapped[datetime | None]
    default_role: Mapped[str | None]  # of who is in no group that has a role
    made_by: Mapped[UUID]
    made_by_name: Mapped[str]
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class DirectoryUser(ControlRecord):
    """A user as the directory describes it, and how far that has come true.

    `behind` until tenant and assignments have followed. `given` are the roles that the directory gave: only these it
    takes back when a group changes. `former` are people that this user was, or is no more, and who must lose them.
    """

    __tablename__ = "directory_user"
    __table_args__ = (
        Index("uq_directory_user_name", "directory_id", "user_key", unique=True),
        Index("uq_directory_user_person", "directory_id", "person_id", unique=True),
        Index("ix_directory_user_listed", "directory_id", "id"),
        Index("ix_directory_user_external", "directory_id", "external_id"),
        Index("ix_directory_user_behind", "directory_id", postgresql_where="behind"),
        {"info": {"rights": "SELECT, INSERT, UPDATE, DELETE"}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    directory_id: Mapped[UUID] = mapped_column(ForeignKey("control.directory.id"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("control.person.id"), index=True)
    user_name: Mapped[str]
    user_key: Mapped[str | None]  # the name as it is compared; null once deleted, so that it is free again
    external_id: Mapped[str | None]
    active: Mapped[bool]
    document: Mapped[Document]
    given: Mapped[list[Any]]
    former: Mapped[list[Any]]
    made_person: Mapped[bool]  # the person was not known before this user: only then its address may follow
    version: Mapped[int]
    behind: Mapped[bool]
    made_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class StaffGroup(ControlRecord):
    """A group of people: of an organisation's staff, or of one tenant. Made by hand, or by a directory."""

    __tablename__ = "staff_group"
    __table_args__ = (
        Index("ix_staff_group_listed", "directory_id", "id"),
        Index("ix_staff_group_named", "directory_id", "name_key"),
        Index("ix_staff_group_external", "directory_id", "external_id"),
        {"info": {"rights": "SELECT, INSERT, UPDATE, DELETE"}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"), index=True)
    tenant_id: Mapped[UUID | None] = mapped_column(ForeignKey("control.tenant.id"), index=True)
    directory_id: Mapped[UUID | None] = mapped_column(ForeignKey("control.directory.id"))
    name: Mapped[str]
    name_key: Mapped[str]  # the name as it is compared
    external_id: Mapped[str | None]
    role: Mapped[str | None]  # what its members get from their directory
    version: Mapped[int]
    made_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class StaffGroupMember(ControlRecord):
    """Who is in a group. `person_id` counts: it is null while a directory's user is deactivated or no person yet."""

    __tablename__ = "staff_group_member"
    __table_args__ = (
        Index("uq_staff_group_member_user", "group_id", "user_id", unique=True),
        Index("uq_staff_group_member_person", "group_id", "person_id", unique=True),
        {"info": {"rights": "SELECT, INSERT, UPDATE, DELETE"}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    group_id: Mapped[UUID] = mapped_column(ForeignKey("control.staff_group.id"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("control.person.id"), index=True)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("control.directory_user.id"), index=True)
    made_at: Mapped[datetime]


class DirectoryRequest(ControlRecord):
    """One of a directory's last requests, without a personal value: for the page that explains what goes wrong."""

    __tablename__ = "directory_request"
    __table_args__ = (Index(None, "directory_id", "id"), {"info": {"rights": "SELECT, DELETE"}})

    id: Mapped[UUID] = mapped_column(primary_key=True)
    directory_id: Mapped[UUID] = mapped_column(ForeignKey("control.directory.id"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"))
    at: Mapped[datetime]
    method: Mapped[str]
    place: Mapped[str]
    status: Mapped[int]
    scim_type: Mapped[str | None]
