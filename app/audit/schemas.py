"""Shapes of the trail on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

Words = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[a-z_]+(\.[a-z_]+)*$")]

# A text, because a number would also be read as a time.
Moment = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})$")]


class TrailQuery(Struct, forbid_unknown_fields=True):
    """What is looked for; everything that is given must fit. `action` stands for all that begin with it."""

    person: UUID | UnsetType = UNSET
    subject: UUID | UnsetType = UNSET
    action: Words | UnsetType = UNSET
    since: Moment | UnsetType = UNSET
    until: Moment | UnsetType = UNSET
    cursor: Annotated[str, Meta(min_length=1, max_length=4096)] | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


class ActorOut(Struct):
    """Who acted; the name is empty where it was erased."""

    kind: str
    id: UUID
    name: str


class SubjectOut(Struct):
    """What was acted on."""

    kind: str
    id: UUID


class EntryOut(Struct):
    """One entry. `place` is its leaf in the tree; null for some seconds after it was written."""

    id: UUID
    at: datetime
    actor: ActorOut
    on_behalf_of: UUID | None
    action: str
    subject: SubjectOut
    onboarding_id: UUID | None
    reason: str | None
    trace_id: str
    body: dict[str, Any]
    leaf_hash: str
    place: int | None


class HeadOut(Struct):
    """How far the trail is in its tree, and how far that is signed; `checkpoint` is a signed note (C2SP)."""

    entries: int
    signed: int
    root: str
    checkpoint: str | None
    key: str | None


class TrailPage(Struct):
    """Entries, the newest first. `next` leads to older ones; null on the last page."""

    items: list[EntryOut]
    head: HeadOut
    next: str | None


class ExportQuery(Struct, forbid_unknown_fields=True):
    """`proof` proves itself (`slipway trail verify`); `ocsf` is for a SIEM, `csv` for a spreadsheet."""

    format: Annotated[str, Meta(pattern="^(proof|ocsf|csv)$")] = "proof"


class ErasureWanted(Struct, forbid_unknown_fields=True):
    """Whose personal values are to go, and why."""

    person_id: UUID
    reason: Annotated[str, Meta(min_length=1, max_length=500)]


class ErasedOut(Struct):
    """How many entries lost personal values."""

    entries: int


class KeepingForm(Struct):
    """What a workspace decides about its trail. Months are at least as long as anybody may ask for an answer."""

    months: Annotated[int, Meta(ge=1, le=600)] | None = None
    addresses: Annotated[str, Meta(max_length=2_000)] = ""
