"""A partner's time-bound access into a tenant, stored in the tenant it opens (DESIGN 5)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from tenants.metadata import TenantRecord


class Delegation(TenantRecord):
    """Which partner may act here with which roles, from when to when, and who said so."""

    __tablename__ = "delegation"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID]
    roles: Mapped[list[Any]]
    state: Mapped[str]  # active | revoked
    reason: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    approved_by: Mapped[UUID | None]
    changed_at: Mapped[datetime]
