"""Shapes of tenants on the wire. What they refuse, the OpenAPI document says: it is made from them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from app.tenancy.rules import MOST, WORD
from app.web.wire.problem import Problem

_PLAIN = r"^[^\s\u0000-\u001f\u007f]([^\u0000-\u001f\u007f]*[^\s\u0000-\u001f\u007f])?$"

Name = Annotated[
    str, Meta(min_length=1, max_length=200, pattern=_PLAIN, description="What people call it.", examples=["Acme Ltd"])
]
ExternalId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        pattern=_PLAIN,
        description="What your own systems call it; each once in an organisation.",
        examples=["crm-4711"],
    ),
]
Word = Annotated[str, Meta(min_length=1, max_length=63, pattern=WORD)]
ItemKey = Annotated[
    str,
    Meta(min_length=1, max_length=100, pattern=_PLAIN, description="Yours, each once in a list.", examples=["row-1"]),
]
Part = Annotated[
    str, Meta(min_length=1, max_length=100, pattern=_PLAIN, description="Part of the name.", examples=["acme"])
]
Cursor = Annotated[str, Meta(min_length=1, max_length=4096, description="`next` of the page before.")]
Number = Annotated[int, Meta(ge=0, le=MOST)]
Kind = Literal["customer", "sandbox", "home"]
State = Literal["requested", "seeding", "active", "suspended", "exporting", "shredded", "dropped"]


class Limits(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """How much a workspace may have. What is left out follows the plan; without a limit there, it has none."""

    onboardings: Annotated[Number | UnsetType, Meta(description="Onboardings that run at once.", examples=[50])] = UNSET
    members: Annotated[Number | UnsetType, Meta(description="People who belong to it.", examples=[20])] = UNSET
    files_mb: Annotated[Number | UnsetType, Meta(description="Megabytes of its files.", examples=[5000])] = UNSET
    jobs: Annotated[Number | UnsetType, Meta(description="Jobs at work at once; more wait.", examples=[32])] = UNSET


class LimitsPatch(Struct, forbid_unknown_fields=True):
    """Limits to change; null takes the workspace's own limit away, so that the plan's holds again."""

    onboardings: Number | UnsetType | None = UNSET
    members: Number | UnsetType | None = UNSET
    files_mb: Number | UnsetType | None = UNSET
    jobs: Number | UnsetType | None = UNSET


class TenantCreate(Struct, forbid_unknown_fields=True):
    """A workspace that is wanted."""

    name: Name
    kind: Annotated[
        Literal["customer", "sandbox"],
        Meta(description="A sandbox reaches nobody outside: no mail, no other system but a stand-in."),
    ] = "customer"
    organisation: Annotated[
        Word | None,
        Meta(description="Short name of a partner below yours; without it, your own.", examples=["contoso"]),
    ] = None
    external_id: ExternalId | None = None
    plan: Annotated[Word | None, Meta(description="Key of a plan of this installation.", examples=["standard"])] = None
    region: Annotated[Word | None, Meta(description="Where its data is kept.", examples=["eu"])] = None
    cell: Annotated[Word | None, Meta(description="A certain database; for the operator only.")] = None
    service_package: Annotated[Word | None, Meta(description="What you have sold.", examples=["gold"])] = None
    limits: Annotated[Limits | None, Meta(description="Narrower than the plan's; the operator may go beyond them.")] = (
        None
    )


class BulkItem(TenantCreate):
    """One of many; `key` ties it to itself when the list comes again in another order."""

    key: ItemKey | None = None


class BulkCreate(Struct, forbid_unknown_fields=True):
    """Up to 100 workspaces in one request. What one of them meets stops none of the others."""

    items: Annotated[list[BulkItem], Meta(min_length=1, max_length=100)]


class TenantPatch(Struct, forbid_unknown_fields=True):
    """What is to be another: a JSON merge patch, so null takes away."""

    name: Name | UnsetType = UNSET
    external_id: ExternalId | UnsetType | None = UNSET
    plan: Word | UnsetType | None = UNSET
    service_package: Word | UnsetType | None = UNSET
    limits: LimitsPatch | UnsetType | None = UNSET


class Reason(Struct, forbid_unknown_fields=True):
    """Why it is done; kept in the trails."""

    reason: Annotated[str, Meta(min_length=1, max_length=500, pattern=_PLAIN, examples=["Contract ended"])]


class TenantLinks(Struct):
    """Where it is reached."""

    portal: str
    api: str


class TenantOut(Struct):
    """A workspace. `limits` are its own, `effective_limits` those that hold: the plan's with its own over them."""

    id: UUID
    organisation: str
    name: str
    kind: Kind
    state: State
    external_id: str | None
    plan: str | None
    region: str | None
    service_package: str | None
    limits: dict[str, int]
    effective_limits: dict[str, int]
    requested_at: datetime
    active_at: datetime | None
    links: TenantLinks


class ErasureOut(Struct):
    """A wish to erase a workspace, and how far it has come.

    From `effective_at` on not even a backup of the keys can open what is left of it in backups of the databases.
    """

    id: UUID
    tenant_id: UUID
    state: Literal["requested", "approved", "shredded", "dropped", "withdrawn"]
    reason: str
    requested_by: str
    requested_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    effective_at: datetime | None
    dropped_at: datetime | None


BundleKey = Annotated[
    str,
    Meta(
        min_length=49,
        max_length=49,
        pattern=r"^slwb1-[A-Za-z0-9_-]{43}$",
        description="What `slipway tenants key` prints in the installation that is to import it.",
        examples=["slwb1-3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"],
    ),
]
Fingerprint = Annotated[
    str,
    Meta(
        min_length=50,
        max_length=50,
        pattern=r"^SHA256:[A-Za-z0-9+/]{43}$",
        description="Of the installation that must have signed it, as they told you by another way.",
        examples=["SHA256:0XxPzRkaPVwPy8Vp4xYl3mJAzxkTYkvCYw+K1zTfpVA"],
    ),
]
Why = Annotated[str, Meta(min_length=1, max_length=500, pattern=_PLAIN, examples=["Moves to its own installation"])]
Hash = Annotated[
    str,
    Meta(
        min_length=64,
        max_length=64,
        pattern=r"^[0-9a-f]{64}$",
        description="SHA-256 of the file, if you know it: another one is refused at once.",
    ),
]
TransferState = Literal["queued", "running", "done", "failed", "cancelled"]


class ExportWanted(Struct, forbid_unknown_fields=True):
    """A bundle of the workspace that is wanted, sealed for one installation."""

    recipient: BundleKey
    reason: Why
    secrets: Annotated[
        bool, Meta(description="With keys and secrets: only to installations that the operator has named.")
    ] = False
    stays: Annotated[
        bool, Meta(description="It moves: leave the workspace at rest here, also when the bundle is done.")
    ] = False


class ImportQuery(Struct, forbid_unknown_fields=True):
    """Whose workspace a bundle becomes, and who must have signed it."""

    sender: Fingerprint
    reason: Why
    organisation: Annotated[
        Word | UnsetType, Meta(description="Short name of a partner below yours; without it, your own.")
    ] = UNSET
    sha256: Hash | UnsetType = UNSET


class Stop(Struct):
    """Why it came to no end, by a stable name and for people: what happened, and what to do next."""

    type: str
    detail: str


class ExportLinks(Struct):
    """Where it is read, and where the bundle is fetched while there is one."""

    api: str
    bundle: str | None


class ExportOut(Struct):
    """A bundle of a workspace, and how far it has come. `sha256` is of the whole file."""

    id: UUID
    tenant_id: UUID
    state: TransferState
    recipient: str
    recipient_fingerprint: str
    secrets: bool
    stays: bool
    reason: str
    requested_by: str
    requested_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    expires_at: datetime | None
    rows: int
    parts: int
    bytes: int
    sha256: str | None
    signed_by: str | None
    trouble: Stop | None
    links: ExportLinks


class ImportLinks(Struct):
    """Where it is read, and the workspace once it is there."""

    api: str
    tenant: str | None


class ImportOut(Struct):
    """A bundle that was uploaded, and what became of it."""

    id: UUID
    tenant_id: UUID | None
    state: TransferState
    sender: str
    secrets: bool | None
    reason: str
    requested_by: str
    requested_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    rows: int
    parts: int
    bytes: int
    sha256: str
    trouble: Stop | None
    links: ImportLinks


class TenantPage(Struct):
    """A page of workspaces, the newest first; `next` is the cursor of the page behind it, null on the last."""

    items: list[TenantOut]
    next: str | None


class BulkResult(Struct):
    """What became of one item: a workspace, or a problem; `status` is what it would have been answered alone."""

    index: int
    key: str | None
    status: int
    tenant: TenantOut | None = None
    problem: Problem | None = None


class BulkOut(Struct):
    """What became of each item, in their order."""

    created: int
    failed: int
    results: list[BulkResult]


class TenantQuery(Struct, forbid_unknown_fields=True):
    """Which workspaces, and which page of them."""

    kind: Annotated[
        Kind | UnsetType,
        Meta(description="Without it, and without `external_id`: customers. Sandboxes only when asked for."),
    ] = UNSET
    state: Annotated[State | UnsetType, Meta(description="In this state.")] = UNSET
    plan: Annotated[Word | UnsetType, Meta(description="Of this plan.")] = UNSET
    region: Annotated[Word | UnsetType, Meta(description="In this region.")] = UNSET
    service_package: Annotated[Word | UnsetType, Meta(description="Of this service package.")] = UNSET
    organisation: Annotated[Word | UnsetType, Meta(description="Of this partner: yours or one below it.")] = UNSET
    external_id: ExternalId | UnsetType = UNSET
    q: Part | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=200, description="Workspaces of a page.")] = 50
    cursor: Cursor | UnsetType = UNSET
