"""Connections to identity providers and what hangs on them: rows of `control`, since sign-in knows no tenant yet.

A connection's authority is the trail of its own tenant (a partner's home or a customer's tenant), where its client
secret lies sealed too; `control` follows from the event.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from tenants.metadata import ControlRecord, Document


class SsoConnection(ControlRecord):
    """One identity provider of one organisation's staff or of one customer's people."""

    __tablename__ = "sso_connection"
    __table_args__ = (Index(None, "organisation_id"), Index(None, "tenant_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"))
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("control.tenant.id"))
    staff: Mapped[bool]  # of the organisation's own people; otherwise of the tenant's
    name: Mapped[str]
    issuer: Mapped[str]
    client_id: Mapped[str]
    has_secret: Mapped[bool]
    state: Mapped[str]  # active | off
    required: Mapped[bool]
    settings: Mapped[Document]  # app.identity.sso.rules.Settings
    ceiling: Mapped[list[Any]]  # the roles of who saved it: nobody gets in by it who has more
    revision: Mapped[UUID]  # the trail entry that it follows from
    changed_at: Mapped[datetime]
    tested: Mapped[Document | None]


class SsoDomain(ControlRecord):
    """A mail domain that a connection claims. A customer's claim waits until the partner has confirmed it."""

    __tablename__ = "sso_domain"
    __table_args__ = (
        Index("ix_sso_domain_confirmed", "organisation_id", "domain", postgresql_where="confirmed_at IS NOT NULL"),
        {"info": {"rights": "SELECT, INSERT, UPDATE, DELETE"}},
    )

    connection_id: Mapped[UUID] = mapped_column(
        ForeignKey("control.sso_connection.id", ondelete="CASCADE"), primary_key=True
    )
    domain: Mapped[str] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"))
    confirmed_at: Mapped[datetime | None]


class SsoAttempt(ControlRecord):
    """A sign-in under way: bound to a browser by the hash of its cookie, used once. Nonce and verifier are not kept."""

    __tablename__ = "sso_attempt"
    __table_args__ = (Index(None, "expires_at"), {"info": {"scope": "functions"}})

    state_hash: Mapped[bytes] = mapped_column(primary_key=True)
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("control.sso_connection.id", ondelete="CASCADE"))
    browser_hash: Mapped[bytes]
    next_path: Mapped[str]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SsoIdentity(ControlRecord):
    """Who a provider's subject is. `granted` are the roles that its groups gave and may take back."""

    __tablename__ = "sso_identity"
    __table_args__ = (Index(None, "person_id"), {"info": {"scope": "functions"}})

    connection_id: Mapped[UUID] = mapped_column(
        ForeignKey("control.sso_connection.id", ondelete="CASCADE"), primary_key=True
    )
    subject: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("control.person.id"))
    granted: Mapped[list[Any]]
    made_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class SsoLogout(ControlRecord):
    """A logout token that was obeyed: its `jti` counts once until it expires."""

    __tablename__ = "sso_logout"
    __table_args__ = (Index(None, "expires_at"), {"info": {"scope": "functions"}})

    connection_id: Mapped[UUID] = mapped_column(
        ForeignKey("control.sso_connection.id", ondelete="CASCADE"), primary_key=True
    )
    jti_hash: Mapped[bytes] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime]
