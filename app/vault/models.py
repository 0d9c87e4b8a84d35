"""Sealed secrets, and the tenant's wrapped keys that open them: never anything in the clear."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tenants.metadata import TenantRecord


class SecretRecord(TenantRecord):
    """One sealed value. `kind` says who opens it: connection (a worker), door (its door), keys (the wrapped DEK)."""

    __tablename__ = "secret"
    __table_args__ = (UniqueConstraint("kind", "purpose", "field", "key_version"), {"info": {"sealed": True}})

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    purpose: Mapped[str]
    field: Mapped[str]
    key_version: Mapped[int]
    sealed: Mapped[bytes]
    set_by: Mapped[UUID]
    set_at: Mapped[datetime]
