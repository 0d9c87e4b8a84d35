"""What the OpenAPI document says of the doors of exports and imports."""

from __future__ import annotations

from typing import Any

from app.access.permissions import Permission
from app.access.require import NotPermitted
from app.kernel.commands import CommandKeyReused
from app.kernel.errors import SlipwayError
from app.tenancy.bundles.errors import BundleBroken, HomeStays
from app.tenancy.folder import BundlesAway
from app.tenancy.operations.transferring.exports import BundleGone, BundleNotReady, ExportRunning, RecipientNotNamed
from app.tenancy.operations.transferring.imports import BundleDamaged, BundleTooLarge, ImportsWaiting, UploadCut
from app.tenancy.operations.transferring.transfers import TransferUnknown
from app.tenancy.queries import OrganisationUnknown
from app.tenancy.rules import OwnHome, ReasonMissing, TenantUnknown, WrongState
from app.tenancy.schemas import ExportOut, ExportWanted, ImportOut, ImportQuery
from app.vault.bundle_keys import BundleKeyUnreadable
from app.web.begin import NotSignedIn
from app.web.guard.backlog import QueueTooOld
from app.web.security import NotFromHere
from app.web.wire.openapi import Described, Told
from app.web.wire.reading import (
    BodyUnfit,
    BodyUnreadable,
    IdempotencyKeyMissing,
    IdempotencyKeyUnfit,
    MediaTypeUnknown,
    QueryUnfit,
)

_TENANT = "01969c1e-5f0a-7c3e-9d5b-2f6a8e4b1c07"
_ID = "01969c40-2b11-7a54-8c1f-6d2e9b0a4f13"
_KEY = "slwb1-3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"
_SENDER = "SHA256:0XxPzRkaPVwPy8Vp4xYl3mJAzxkTYkvCYw+K1zTfpVA"
_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_WHEN: dict[str, Any] = {
    "requested_by": "Ada Northwind",
    "requested_at": "2026-11-21T09:00:00Z",
    "started_at": "2026-11-21T09:00:01Z",
    "ended_at": "2026-11-21T09:00:09Z",
}
_EXPORT: dict[str, Any] = {
    "id": _ID,
    "tenant_id": _TENANT,
    "state": "done",
    "recipient": _KEY,
    "recipient_fingerprint": "SHA256:PjGdz5cVRxBvdFLyGQ0Qv2vJ3v0FzTq2m0x2f1bXk8M",
    "secrets": False,
    "stays": False,
    "reason": "Moves to its own installation",
    **_WHEN,
    "expires_at": "2026-11-24T09:00:09Z",
    "rows": 48211,
    "parts": 61,
    "bytes": 9123840,
    "sha256": _HASH,
    "signed_by": _SENDER,
    "trouble": None,
    "links": {
        "api": f"/api/v1/tenants/{_TENANT}/exports/{_ID}",
        "bundle": f"/api/v1/tenants/{_TENANT}/exports/{_ID}/bundle",
    },
}
_NOTHING_YET = dict.fromkeys(("started_at", "ended_at", "expires_at", "sha256", "signed_by"))
_QUEUED = _EXPORT | {"state": "queued", **_NOTHING_YET, "rows": 0, "parts": 0, "bytes": 0}
_QUEUED |= {"links": {"api": _EXPORT["links"]["api"], "bundle": None}}
_IMPORT: dict[str, Any] = {
    "id": _ID,
    "tenant_id": _TENANT,
    "state": "done",
    "sender": _SENDER,
    "secrets": False,
    "reason": "Moves here",
    **_WHEN,
    "rows": 48211,
    "parts": 61,
    "bytes": 9123840,
    "sha256": _HASH,
    "trouble": None,
    "links": {"api": f"/api/v1/tenants/imports/{_ID}", "tenant": f"/api/v1/tenants/{_TENANT}"},
}
_RECEIVED = _IMPORT | dict.fromkeys(("tenant_id", "secrets", "started_at", "ended_at"))
_RECEIVED |= {"state": "queued", "rows": 0, "parts": 0, "links": _IMPORT["links"] | {"tenant": None}}

_ANYWHERE: tuple[type[SlipwayError], ...] = (NotSignedIn, NotPermitted)
_CHANGING = (*_ANYWHERE, NotFromHere)
_ONCE = (IdempotencyKeyMissing, IdempotencyKeyUnfit, CommandKeyReused)
_MADE = ("Location", "ETag", "Idempotency-Replayed")

EXPORT = Described(
    answers={202: Told("It is asked for; `Location` says how far it is.", ExportOut, headers=_MADE, example=_QUEUED)},
    takes=ExportWanted,
    example={"recipient": _KEY, "reason": "Moves to its own installation"},
    headers=("Idempotency-Key",),
    problems=(
        *(*_CHANGING, *_ONCE, BodyUnreadable, BodyUnfit, MediaTypeUnknown, BundleKeyUnreadable, ReasonMissing),
        *(RecipientNotNamed, TenantUnknown, OwnHome, HomeStays, WrongState, ExportRunning),
    ),
    scopes=(Permission.TENANT_EXPORT,),
)
READ_EXPORT = Described(
    answers={
        200: Told("How far it is.", ExportOut, headers=("ETag",), example=_EXPORT),
        304: Told("Nothing has changed.", headers=("ETag",)),
    },
    headers=("If-None-Match",),
    problems=(*_ANYWHERE, TransferUnknown),
    scopes=(Permission.TENANT_READ,),
)
BUNDLE = Described(
    answers={
        200: Told("The file.", headers=("ETag",), binary=True),
        206: Told("The bytes of it that were asked for.", headers=("ETag", "Content-Range"), binary=True),
        304: Told("You have it.", headers=("ETag",)),
    },
    headers=("If-None-Match", "Range", "If-Range"),
    problems=(*_ANYWHERE, TransferUnknown, BundleNotReady, BundleGone),
    scopes=(Permission.TENANT_EXPORT,),
)
DISCARD = Described(
    answers={200: Told("As it stands now.", ExportOut, headers=("ETag",), example=_EXPORT | {"state": "cancelled"})},
    problems=(*_CHANGING, TransferUnknown),
    scopes=(Permission.TENANT_EXPORT, Permission.TENANT_READ),
)
IMPORT = Described(
    answers={202: Told("It is here and will be imported.", ImportOut, headers=_MADE, example=_RECEIVED)},
    binary="The bundle, as `…/bundle` or `slipway tenants export` gave it.",
    query=ImportQuery,
    headers=("Idempotency-Key",),
    problems=(
        *(*_CHANGING, *_ONCE, QueryUnfit, MediaTypeUnknown, ReasonMissing, OrganisationUnknown),
        *(BundleBroken, BundleDamaged, BundleTooLarge, UploadCut, ImportsWaiting, BundlesAway, QueueTooOld),
    ),
    scopes=(Permission.TENANT_IMPORT,),
)
READ_IMPORT = Described(
    answers={
        200: Told("How far it is.", ImportOut, headers=("ETag",), example=_IMPORT),
        304: Told("Nothing has changed.", headers=("ETag",)),
    },
    headers=("If-None-Match",),
    problems=(*_ANYWHERE, TransferUnknown),
    scopes=(Permission.TENANT_READ,),
)
