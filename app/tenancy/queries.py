"""Reads of the directory in an organisation's scope: it sees its own tenants and those of all below it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.tenancy.rules import UNKNOWN, TenantUnknown
from tenants.models import TenantEntry


def find_entry(session: Session, tenant_id: UUID, *, lock: bool = False) -> TenantEntry:
    """The tenant's row as far as this organisation's scope sees it. Raises TenantUnknown."""
    query = select(TenantEntry).where(TenantEntry.id == tenant_id)
    entry = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if entry is None:
        raise TenantUnknown(UNKNOWN)
    return entry
