"""What `control` knows of service accounts: a copy of the tenants' own rows, and the tokens that were issued."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tenants.metadata import ControlRecord, Document


class ServiceAccount(ControlRecord):
    """A copy of a tenant's service account; `version` orders the copies: an older one never replaces a newer one."""

    __tablename__ = "service_account"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"))
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("control.tenant.id"), index=True)
    name: Mapped[str]
    roles: Mapped[list[Any]]
    scopes: Mapped[list[Any]]
    state: Mapped[str]  # active | disabled | removed
    version: Mapped[int]
    changed_at: Mapped[datetime]
    used_at: Mapped[datetime | None]  # written at most once a minute


class ServiceCredential(ControlRecord):
    """What an account proves itself by: the digest of a secret, or a public key."""

    __tablename__ = "service_credential"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("control.service_account.id"), index=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"))
    kind: Mapped[str]  # secret | key
    digest: Mapped[bytes | None]
    jwk: Mapped[Document | None]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]  # written at most once a minute


class AccessToken(ControlRecord):
    """An issued token, by its hash; it works on one host's organisation and dies with its credential and account."""

    __tablename__ = "access_token"
    __table_args__ = {"info": {"scope": "functions"}}

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("control.service_account.id"), index=True)
    credential_id: Mapped[UUID] = mapped_column(ForeignKey("control.service_credential.id"), index=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"))
    scopes: Mapped[list[Any]]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]


class UsedAssertion(ControlRecord):
    """A signed assertion that was used, by the digest of its `jti`, until it would have expired anyway."""

    __tablename__ = "used_jti"
    __table_args__ = (PrimaryKeyConstraint("account_id", "digest"), {"info": {"scope": "functions"}})

    account_id: Mapped[UUID] = mapped_column(ForeignKey("control.service_account.id"))
    digest: Mapped[bytes]
    expires_at: Mapped[datetime] = mapped_column(index=True)
