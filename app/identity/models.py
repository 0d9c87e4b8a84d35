"""People and how they are signed in: rows of `control`. A tenant's own members: rows of the tenant."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tenants.metadata import ControlRecord, Document, TenantRecord


class Person(ControlRecord):
    """A human being, known to the installation once."""

    __tablename__ = "person"
    __table_args__ = {
        "info": {
            "scope": "EXISTS (SELECT FROM control.assignment a WHERE a.person_id = person.id)"
            " OR EXISTS (SELECT FROM control.membership m WHERE m.person_id = person.id)",
            "rights": "SELECT",
        }
    }

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    locale: Mapped[str]
    made_at: Mapped[datetime]


class Membership(ControlRecord):
    """Index of the tenants a person belongs to; for lists only, the tenant's member row decides."""

    __tablename__ = "membership"
    __table_args__ = {"info": {"rights": "SELECT, INSERT, UPDATE, DELETE"}}

    person_id: Mapped[UUID] = mapped_column(ForeignKey("control.person.id"), primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("control.tenant.id"), primary_key=True, index=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"))
    made_at: Mapped[datetime]


class Assignment(ControlRecord):
    """A role a person holds in an organisation; read in each request, so taking it away acts at once."""

    __tablename__ = "assignment"
    __table_args__ = (
        UniqueConstraint("person_id", "organisation_id", "role"),
        {"info": {"rights": "SELECT, INSERT, UPDATE, DELETE"}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("control.person.id"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"), index=True)
    role: Mapped[str]
    made_at: Mapped[datetime]


class SignInLink(ControlRecord):
    """A mailed link: GET and HEAD never consume it, a POST with its nonce does, once."""

    __tablename__ = "sign_in_link"
    __table_args__ = (
        Index(None, "person_id", "made_at"),
        Index(None, "organisation_id", "made_at"),
        {"info": {"scope": "functions"}},
    )

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("control.person.id"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"))
    next_path: Mapped[str]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    consumed_at: Mapped[datetime | None]


class SignedIn(ControlRecord):
    """A server-side session: revocable, bound to one brand host's organisation. Only the token's hash is kept.

    `connection_id`: the identity provider that opened it, with its own names for person and session, by which it ends
    them. Such a session reaches what that provider may speak for: `reach_tenant_id` alone, or the organisation's roles.
    """

    __tablename__ = "session"
    __table_args__ = (
        Index(None, "person_id"),
        Index("uq_session_id", "id", unique=True),
        Index("ix_session_provider", "connection_id", "subject", postgresql_where="connection_id IS NOT NULL"),
        {"info": {"scope": "functions"}},
    )

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("control.person.id"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"))
    made_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    id: Mapped[UUID | None]  # how the person's own list names it; null in sessions of an earlier build
    agent: Mapped[str | None]  # `Firefox, Windows`
    stepped_up_at: Mapped[datetime | None]
    stepped_up_by: Mapped[str | None]  # authenticator | mailbox
    connection_id: Mapped[UUID | None] = mapped_column(ForeignKey("control.sso_connection.id"))
    reach_tenant_id: Mapped[UUID | None] = mapped_column(ForeignKey("control.tenant.id"))
    subject: Mapped[str | None]
    sid: Mapped[str | None]


class Member(TenantRecord):
    """A person in this tenant: all that its pages, exports and erasure need to know. Or a service account of it.

    `service` is what there is to know of a service account (`app.identity.machines`): roles, scopes, credentials.
    """

    __tablename__ = "member"

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str]
    name: Mapped[str]
    role: Mapped[str]
    locale: Mapped[str]
    state: Mapped[str]  # invited | active | removed; of a service account also: disabled
    invited_at: Mapped[datetime]
    roles: Mapped[list[Any] | None]  # of a home's staff: what control's assignments follow
    kind: Mapped[str | None]  # service; null: a person
    service: Mapped[Document | None]
