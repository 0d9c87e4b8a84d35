"""What the OpenAPI document says of the doors of tenants: answers, examples, and every trouble by its stable name."""

from __future__ import annotations

from typing import Any

from app.access.duties import SecondPersonNeeded
from app.access.permissions import Permission
from app.access.require import NotPermitted
from app.kernel.commands import CommandKeyReused
from app.kernel.errors import SlipwayError
from app.kernel.paging import CursorExpired, CursorForeign
from app.tenancy.operations.creation import ExternalIdTaken, PlanUnknown, QuotaReached, RequestDiffers
from app.tenancy.operations.erasure import NoErasure
from app.tenancy.operations.provisioning import (
    CellsBusy,
    ItemKeyTwice,
    LimitWider,
    OperatorOnly,
    PartnerNeeded,
    RegionUnknown,
)
from app.tenancy.operations.update import Stale
from app.tenancy.queries import OrganisationUnknown
from app.tenancy.rules import OwnHome, ReasonMissing, TenantUnknown, WrongState
from app.tenancy.schemas import (
    BulkCreate,
    BulkOut,
    ErasureOut,
    Reason,
    TenantCreate,
    TenantOut,
    TenantPage,
    TenantPatch,
    TenantQuery,
)
from app.web.begin import NotSignedIn
from app.web.guard.backlog import QueueTooOld
from app.web.security import NotFromHere
from app.web.wire.openapi import Described, Told
from app.web.wire.reading import (
    JSON,
    MERGE_PATCH,
    BodyUnfit,
    BodyUnreadable,
    IdempotencyKeyMissing,
    IdempotencyKeyUnfit,
    MediaTypeUnknown,
    PreconditionMissing,
    PreconditionUnfit,
    QueryUnfit,
)

_ID = "01969c1e-5f0a-7c3e-9d5b-2f6a8e4b1c07"
_TENANT: dict[str, Any] = {
    "id": _ID,
    "organisation": "northwind",
    "name": "Acme Ltd",
    "kind": "customer",
    "state": "active",
    "external_id": "crm-4711",
    "plan": "standard",
    "region": "eu",
    "service_package": "gold",
    "limits": {"members": 20},
    "effective_limits": {"members": 20, "onboardings": 50},
    "requested_at": "2026-11-21T09:00:00Z",
    "active_at": "2026-11-21T09:00:00Z",
    "links": {"portal": f"https://onboarding.example.com/t/{_ID}", "api": f"/api/v1/tenants/{_ID}"},
}
_WANTED = {
    "name": "Acme Ltd",
    "external_id": "crm-4711",
    "plan": "standard",
    "region": "eu",
    "service_package": "gold",
    "limits": {"members": 20},
}
_TAKEN: dict[str, Any] = {
    "type": "https://onboarding.example.com/problems/external-id-taken",
    "title": "Things have moved on",
    "status": 409,
    "detail": "Another workspace already has the external id crm-4711.",
    "trace_id": "3f1c0a5e9b7d4c2e8a6f1b3d5c7e9a0b",
    "errors": [],
}
_MANY = {
    "created": 1,
    "failed": 1,
    "results": [
        {"index": 0, "key": "row-1", "status": 201, "tenant": _TENANT, "problem": None},
        {"index": 1, "key": "row-2", "status": 409, "tenant": None, "problem": _TAKEN},
    ],
}

_ANYWHERE: tuple[type[SlipwayError], ...] = (NotSignedIn, NotPermitted)
_CHANGING = (*_ANYWHERE, NotFromHere)
_SENT = (BodyUnreadable, BodyUnfit, MediaTypeUnknown)
_ONCE = (IdempotencyKeyMissing, IdempotencyKeyUnfit, CommandKeyReused)
_PLACED = (OperatorOnly, PartnerNeeded, OrganisationUnknown, PlanUnknown, RegionUnknown, LimitWider)
_READ = {"read": ("tenants.read", "$response.body#/id"), "update": ("tenants.update", "$response.body#/id")}

CREATE = Described(
    answers={
        201: Told(
            "The workspace, usable at once.",
            TenantOut,
            headers=("Location", "ETag", "Idempotency-Replayed"),
            example=_TENANT,
            links=_READ,
        ),
        202: Told(
            "It is asked for, and finished without you as soon as its place can be reached.",
            TenantOut,
            headers=("Location", "ETag", "Idempotency-Replayed"),
            example=_TENANT | {"state": "requested", "active_at": None},
            links=_READ,
        ),
    },
    takes=TenantCreate,
    example=_WANTED,
    headers=("Idempotency-Key",),
    problems=(
        *(_CHANGING + _SENT + _ONCE + _PLACED),
        *(ExternalIdTaken, QuotaReached, RequestDiffers, CellsBusy, QueueTooOld),
    ),
    scopes=(Permission.TENANT_CREATE,),
)
BULK = Described(
    answers={200: Told("What became of each.", BulkOut, headers=("Idempotency-Replayed",), example=_MANY)},
    takes=BulkCreate,
    example={"items": [_WANTED | {"key": "row-1"}, {"name": "Umbrella", "external_id": "crm-4711", "key": "row-2"}]},
    headers=("Idempotency-Key",),
    problems=(*_CHANGING, *_SENT, *_ONCE, ItemKeyTwice, QueueTooOld),
    scopes=(Permission.TENANT_CREATE,),
)
LIST = Described(
    answers={
        200: Told("A page.", TenantPage, headers=("ETag", "Link"), example={"items": [_TENANT], "next": None}),
        304: Told("Nothing has changed.", headers=("ETag",)),
    },
    query=TenantQuery,
    headers=("If-None-Match",),
    problems=(*_ANYWHERE, QueryUnfit, CursorForeign, CursorExpired),
    scopes=(Permission.TENANT_READ,),
)
READ = Described(
    answers={
        200: Told("The workspace.", TenantOut, headers=("ETag",), example=_TENANT),
        304: Told("Nothing has changed.", headers=("ETag",)),
    },
    headers=("If-None-Match",),
    problems=(*_ANYWHERE, TenantUnknown),
    scopes=(Permission.TENANT_READ,),
)
UPDATE = Described(
    answers={200: Told("The workspace as it is now.", TenantOut, headers=("ETag",), example=_TENANT)},
    takes=TenantPatch,
    media=(MERGE_PATCH, JSON),
    example={"plan": "large", "limits": {"members": None}},
    headers=("If-Match",),
    problems=(
        *(_CHANGING + _SENT),
        *(
            PreconditionMissing,
            PreconditionUnfit,
            Stale,
            TenantUnknown,
            WrongState,
            OwnHome,
            PlanUnknown,
            LimitWider,
            ExternalIdTaken,
        ),
    ),
    scopes=(Permission.TENANT_UPDATE, Permission.TENANT_READ),
)

_WHY = {"reason": "Contract ended"}
_ERASURE: dict[str, Any] = {
    "id": "01969c2a-11c3-7d20-8a44-5b0f1e2d3c4b",
    "tenant_id": _ID,
    "state": "dropped",
    "reason": "Contract ended",
    "requested_by": "Ada Northwind",
    "requested_at": "2026-11-21T09:00:00Z",
    "decided_by": "Ben Northwind",
    "decided_at": "2026-11-21T10:00:00Z",
    "effective_at": "2026-12-21T10:00:00Z",
    "dropped_at": "2026-11-21T10:00:01Z",
}
_STATED = (*_CHANGING, *_SENT, *_ONCE, TenantUnknown, WrongState, OwnHome, ReasonMissing)
_FOLLOWED = {"erasure": ("tenants.erasure", "$response.body#/tenant_id")}


def _stated(means: str, state: str) -> Described:
    """A change of the workspace's state, for a reason."""
    told = Told(means, TenantOut, headers=("ETag", "Idempotency-Replayed"), example=_TENANT | {"state": state})
    once, scopes = ("Idempotency-Key",), (Permission.TENANT_SUSPEND, Permission.TENANT_READ)
    return Described({200: told}, takes=Reason, example=_WHY, headers=once, problems=_STATED, scopes=scopes)


def _erasing(means: str, example: dict[str, Any], *more: type[SlipwayError]) -> Described:
    """A step of an erasure, for a reason."""
    told = Told(means, ErasureOut, headers=("ETag", "Idempotency-Replayed"), example=example, links=_FOLLOWED)
    problems, once = (*_STATED, *more), ("Idempotency-Key",)
    by_people = SecondPersonNeeded in more
    scopes = () if by_people else (Permission.TENANT_ERASE, Permission.TENANT_READ)
    return Described({200: told}, takes=Reason, example=_WHY, headers=once, problems=problems, scopes=scopes)


SUSPEND = _stated("The workspace; nobody gets in and nothing runs.", "suspended")
RESUME = _stated("The workspace; work goes on.", "active")
ERASE = _erasing(
    "Asked for; nothing has happened to the workspace yet.",
    _ERASURE | dict.fromkeys(("decided_by", "decided_at", "effective_at", "dropped_at")) | {"state": "requested"},
)
APPROVE = _erasing(
    "Agreed; the key is destroyed, and `effective_at` is known.", _ERASURE, NoErasure, SecondPersonNeeded
)
WITHDRAW = _erasing(
    "Taken back.",
    _ERASURE | dict.fromkeys(("effective_at", "dropped_at")) | {"state": "withdrawn"},
    NoErasure,
)
ERASURE = Described(
    answers={
        200: Told("How far it has come.", ErasureOut, headers=("ETag",), example=_ERASURE),
        304: Told("Nothing has changed.", headers=("ETag",)),
    },
    headers=("If-None-Match",),
    problems=(*_ANYWHERE, TenantUnknown, NoErasure),
    scopes=(Permission.TENANT_READ,),
)
