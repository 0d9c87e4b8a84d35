"""What happens to a tenant as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from app.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class TenantCreated(Event):
    """The first entry of a tenant's trail. `cause_*` join it to the entry of the home that led to it (DESIGN 4)."""

    type: ClassVar[str] = "tenancy.tenant.created"
    subject_kind: ClassVar[str] = "tenant"

    name: str
    kind: str
    organisation_id: UUID
    cause_tenant_id: UUID | None = None
    cause_entry_id: UUID | None = None
    cause_leaf_hash: str | None = None
