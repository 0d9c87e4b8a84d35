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


@dataclass(frozen=True, kw_only=True)
class ExportBegan(Event):
    """The tenant is held still while a bundle of it is written. The subject is the bundle."""

    type: ClassVar[str] = "tenancy.export.began"
    subject_kind: ClassVar[str] = "bundle"

    to: str  # the public key that opens it
    secrets: bool
    was: str  # the state that the tenant comes back to
    stays: bool  # still afterwards, because it moves


@dataclass(frozen=True, kw_only=True)
class ExportEnded(Event):
    """The bundle is whole (`outcome` is `written`), or was given up."""

    type: ClassVar[str] = "tenancy.export.ended"
    subject_kind: ClassVar[str] = "bundle"

    outcome: str  # written | cancelled
    was: str
    stays: bool
    rows: int = 0
    manifest_sha256: str | None = None


@dataclass(frozen=True, kw_only=True)
class TenantImported(Event):
    """The first entry that this installation adds to a trail that began in another."""

    type: ClassVar[str] = "tenancy.tenant.imported"
    subject_kind: ClassVar[str] = "tenant"

    bundle_id: UUID
    sender: str  # fingerprint of the key that signed the bundle
    organisation_id: UUID
    secrets: bool
    manifest_sha256: str
