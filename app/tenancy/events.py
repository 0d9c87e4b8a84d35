"""What happens to a tenant as a whole."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from app.kernel.events import Event


class TenantCreated(Event, frozen=True, kw_only=True):
    """The first entry of a tenant's trail. `cause_*` join it to the entry of the home that led to it (DESIGN 4).

    `template_digest`: the version that a sandbox was made to try.
    """

    type: ClassVar[str] = "tenancy.tenant.created"
    subject_kind: ClassVar[str] = "tenant"

    name: str
    kind: str
    organisation_id: UUID
    cause_tenant_id: UUID | None = None
    cause_entry_id: UUID | None = None
    cause_leaf_hash: str | None = None
    template_digest: str | None = None


class ExportBegan(Event, frozen=True, kw_only=True):
    """The tenant is held still while a bundle of it is written. The subject is the bundle."""

    type: ClassVar[str] = "tenancy.export.began"
    subject_kind: ClassVar[str] = "bundle"

    to: str  # the public key that opens it
    secrets: bool
    was: str  # the state that the tenant comes back to
    stays: bool  # still afterwards, because it moves


class ExportEnded(Event, frozen=True, kw_only=True):
    """The bundle is whole (`outcome` is `written`), or was given up."""

    type: ClassVar[str] = "tenancy.export.ended"
    subject_kind: ClassVar[str] = "bundle"

    outcome: str  # written | cancelled
    was: str
    stays: bool
    rows: int = 0
    manifest_sha256: str | None = None


class TenantImported(Event, frozen=True, kw_only=True):
    """The first entry that this installation adds to a trail that began in another."""

    type: ClassVar[str] = "tenancy.tenant.imported"
    subject_kind: ClassVar[str] = "tenant"

    bundle_id: UUID
    sender: str  # fingerprint of the key that signed the bundle
    organisation_id: UUID
    secrets: bool
    manifest_sha256: str


class ImportRequested(Event, frozen=True, kw_only=True):
    """Somebody has uploaded a bundle by API. The subject is the transfer; in the partner's trail."""

    type: ClassVar[str] = "tenancy.import.requested"
    subject_kind: ClassVar[str] = "transfer"

    sender: str  # the fingerprint that must have signed it
    sha256: str


class TransferEnded(Event, frozen=True, kw_only=True):
    """An export or import that was asked for by API has come to its end; in the partner's trail."""

    type: ClassVar[str] = "tenancy.transfer.ended"
    subject_kind: ClassVar[str] = "transfer"

    direction: str  # out | in
    outcome: str  # done | failed | cancelled
    tenant_id: UUID | None
    rows: int
    sha256: str | None
    trouble: str | None


class TenantEvent(Event, frozen=True, kw_only=True):
    """Something done to a tenant as a whole: in its own trail and in its partner's. `change_id` is that of control."""

    subject_kind: ClassVar[str] = "tenant"

    change_id: UUID


class TenantSuspended(TenantEvent, frozen=True, kw_only=True):
    """No work is done and nobody gets in until it is resumed; nothing is lost."""

    type: ClassVar[str] = "tenancy.tenant.suspended"


class TenantResumed(TenantEvent, frozen=True, kw_only=True):
    """Work goes on."""

    type: ClassVar[str] = "tenancy.tenant.resumed"


class TenantChanged(TenantEvent, frozen=True, kw_only=True):
    """Its name, plan, limits or package are others now."""

    type: ClassVar[str] = "tenancy.tenant.changed"

    changed: list[str]
    before: dict[str, Any] = msgspec.field(default_factory=dict)
    after: dict[str, Any] = msgspec.field(default_factory=dict)


class ExportRequested(TenantEvent, frozen=True, kw_only=True):
    """Somebody wants a bundle of it, by API. `change_id` is also the transfer's id."""

    type: ClassVar[str] = "tenancy.export.requested"

    to: str  # the public key that opens the bundle
    fingerprint: str  # the same, short
    secrets: bool
    stays: bool


class ErasureRequested(TenantEvent, frozen=True, kw_only=True):
    """Somebody wants it erased; a second person has to agree."""

    type: ClassVar[str] = "tenancy.erasure.requested"


class ErasureWithdrawn(TenantEvent, frozen=True, kw_only=True):
    """It stays."""

    type: ClassVar[str] = "tenancy.erasure.withdrawn"


class ErasureApproved(TenantEvent, frozen=True, kw_only=True):
    """A second person has agreed: from here on there is no way back."""

    type: ClassVar[str] = "tenancy.erasure.approved"


class TenantErased(TenantEvent, frozen=True, kw_only=True):
    """Its key is destroyed and its data dropped; in the partner's trail only, since its own is gone."""

    type: ClassVar[str] = "tenancy.tenant.erased"

    effective_at: datetime


EVENTS: dict[str, type[TenantEvent]] = {
    kind.type: kind
    for kind in (
        TenantSuspended,
        TenantResumed,
        TenantChanged,
        ExportRequested,
        ErasureRequested,
        ErasureWithdrawn,
        ErasureApproved,
        TenantErased,
    )
}


class JobsRetried(Event, frozen=True, kw_only=True):
    """The operator had jobs done again that had ended for good; `reason` says why. The subject is the tenant."""

    type: ClassVar[str] = "tenancy.jobs.retried"
    subject_kind: ClassVar[str] = "tenant"

    jobs: list[str]
    kinds: list[str]


class JobsCancelled(Event, frozen=True, kw_only=True):
    """The operator ended jobs that no worker had begun; `reason` says why. The subject is the tenant."""

    type: ClassVar[str] = "tenancy.jobs.cancelled"
    subject_kind: ClassVar[str] = "tenant"

    jobs: list[str]
    kinds: list[str]
