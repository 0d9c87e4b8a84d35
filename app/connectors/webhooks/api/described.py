"""What the OpenAPI document says of the doors of webhooks."""

from __future__ import annotations

from typing import Any

from app.access.permissions import Permission
from app.access.require import NotPermitted
from app.connectors.webhooks.operations.care import CodeWrong, NotInUse
from app.connectors.webhooks.operations.endpoints import (
    AddressUnfit,
    EndpointStale,
    NoCustomers,
    TooManyEndpoints,
    TypesUnfit,
)
from app.connectors.webhooks.operations.keys import RotationUnderWay
from app.connectors.webhooks.queries import DeliveryUnknown, EndpointUnknown
from app.connectors.webhooks.schemas import (
    CodeSaid,
    DeliveryOut,
    DeliveryPage,
    DeliveryQuery,
    EndpointCreate,
    EndpointList,
    EndpointMade,
    EndpointOut,
    EndpointPatch,
    Repeated,
    RepetitionWanted,
    RotationWanted,
    Tried,
)
from app.kernel.commands import CommandKeyReused
from app.kernel.errors import SlipwayError
from app.kernel.paging import CursorExpired, CursorForeign
from app.kernel.work import TenantNotActive
from app.vault.queries import KeysMissing
from app.web.begin import NothingHere, NotSignedIn, TokenUnusable
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
_EVENT = "01969c2a-11c3-7d20-8a44-5b0f1e2d3c4b"
_ENDPOINT: dict[str, Any] = {
    "id": _ID,
    "url": "https://partner.example.com/hooks",
    "host": "partner.example.com",
    "description": "Our ticket system",
    "types": ["onboarding.*"],
    "ordered": False,
    "thin": False,
    "customers": False,
    "health": "healthy",
    "reason": "",
    "made_at": "2026-11-21T09:00:00Z",
    "delivered_at": "2026-11-21T09:05:00Z",
    "keys": [
        {
            "number": 1,
            "hint": "x7Q=",
            "public_key": "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
            "made_at": "2026-11-21T09:00:00Z",
            "until": None,
        }
    ],
    "trouble": None,
}
_FRESH = _ENDPOINT | {"health": "unverified", "delivered_at": None}
_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105  an example
_DELIVERY: dict[str, Any] = {
    "event_id": _EVENT,
    "type": "onboarding.task.completed",
    "at": "2026-11-21T09:04:59Z",
    "state": "delivered",
    "customer": None,
    "tries": 1,
    "next_at": None,
    "attempts": [{"at": "2026-11-21T09:05:00Z", "code": "delivered", "status": 204, "milliseconds": 87, "excerpt": ""}],
}
_ANYWHERE: tuple[type[SlipwayError], ...] = (NotSignedIn, TokenUnusable, NotPermitted, NothingHere, TenantNotActive)
_HERE = (*_ANYWHERE, EndpointUnknown)
_SENT = (BodyUnreadable, BodyUnfit, MediaTypeUnknown)
_ONCE = (IdempotencyKeyMissing, IdempotencyKeyUnfit, CommandKeyReused)
_UNFIT = (AddressUnfit, TypesUnfit, NoCustomers)
_READS = (Permission.CONNECTION_READ,)
_WRITES = (Permission.CONNECTION_READ, Permission.CONNECTION_WRITE)
_HEARS = (*_WRITES, Permission.TRAIL_READ)  # whoever hears of everything could as well read it
_REPLAYED = ("ETag", "Idempotency-Replayed")


def _care(means: str, shown: dict[str, Any], *more: type[SlipwayError]) -> Described:
    """Something that is done to an endpoint once, without a body."""
    return Described(
        {200: Told(means, EndpointOut, _REPLAYED, shown)},
        headers=("Idempotency-Key",),
        problems=(*_HERE, NotFromHere, *_ONCE, *more),
        scopes=_WRITES,
    )


LIST = Described(
    {200: Told("All of them.", EndpointList, ("ETag",), {"items": [_ENDPOINT]})}, problems=_ANYWHERE, scopes=_READS
)
CREATE = Described(
    {
        201: Told(
            "The endpoint. Keep the secret now: it is not shown again.",
            EndpointMade,
            ("Location", *_REPLAYED),
            {"endpoint": _FRESH, "secret": _SECRET},
        )
    },
    takes=EndpointCreate,
    example={"url": _ENDPOINT["url"], "types": ["onboarding.*"], "description": "Our ticket system"},
    headers=("Idempotency-Key",),
    problems=(*_ANYWHERE, NotFromHere, *_SENT, *_ONCE, *_UNFIT, TooManyEndpoints, KeysMissing),
    scopes=_HEARS,
)
READ = Described({200: Told("The endpoint.", EndpointOut, ("ETag",), _ENDPOINT)}, problems=_HERE, scopes=_READS)
UPDATE = Described(
    {200: Told("The endpoint as it is now.", EndpointOut, ("ETag",), _ENDPOINT)},
    takes=EndpointPatch,
    media=(MERGE_PATCH, JSON),
    example={"types": ["onboarding.*", "intake.deal.admitted"]},
    headers=("If-Match",),
    problems=(*_HERE, NotFromHere, *_SENT, *_UNFIT, PreconditionMissing, PreconditionUnfit, EndpointStale),
    scopes=_HEARS,
)
REMOVE = Described(
    {200: Told("It is gone.", EndpointOut, example=_ENDPOINT)}, problems=(*_HERE, NotFromHere), scopes=_WRITES
)
ROTATE = Described(
    {
        200: Told(
            "The endpoint with its new key. Keep the secret now: it is not shown again.",
            EndpointMade,
            _REPLAYED,
            {"endpoint": _ENDPOINT, "secret": _SECRET},
        )
    },
    takes=RotationWanted,
    example={"overlap_hours": 24},
    headers=("Idempotency-Key",),
    problems=(*_HERE, NotFromHere, *_SENT, *_ONCE, RotationUnderWay, KeysMissing),
    scopes=_WRITES,
)
CONFIRM = Described(
    {200: Told("It hears events.", EndpointOut, _REPLAYED, _ENDPOINT)},
    takes=CodeSaid,
    example={"code": "K7QW2MXR"},
    headers=("Idempotency-Key",),
    problems=(*_HERE, NotFromHere, *_SENT, *_ONCE, CodeWrong),
    scopes=_WRITES,
)
CHALLENGE = _care("Another code is on its way.", _FRESH)
DISABLE = _care("It hears nothing any more.", _ENDPOINT | {"health": "disabled"}, NotInUse)
ENABLE = _care("It hears events again.", _ENDPOINT, NotInUse)
TEST = Described(
    {202: Told("The event is on its way.", Tried, ("Idempotency-Replayed",), {"event_id": _EVENT})},
    headers=("Idempotency-Key",),
    problems=(*_HERE, NotFromHere, *_ONCE, NotInUse),
    scopes=_WRITES,
)
REPEAT = Described(
    {202: Told("They are on their way.", Repeated, ("Idempotency-Replayed",), {"number": 12})},
    takes=RepetitionWanted,
    example={"since": "2026-11-20T00:00:00Z"},
    headers=("Idempotency-Key",),
    problems=(*_HERE, NotFromHere, *_SENT, *_ONCE, NotInUse),
    scopes=_WRITES,
)
DELIVERIES = Described(
    {200: Told("A page of them.", DeliveryPage, ("ETag", "Link"), {"items": [_DELIVERY], "next": None})},
    query=DeliveryQuery,
    problems=(*_HERE, QueryUnfit, CursorForeign, CursorExpired),
    scopes=_READS,
)
DELIVERY = Described(
    {200: Told("The delivery with its tries.", DeliveryOut, ("ETag",), _DELIVERY)},
    problems=(*_HERE, DeliveryUnknown),
    scopes=_READS,
)
REPEAT_DELIVERY = Described(
    {202: Told("It is on its way.", Repeated, ("Idempotency-Replayed",), {"number": 1})},
    headers=("Idempotency-Key",),
    problems=(*_HERE, NotFromHere, *_ONCE, DeliveryUnknown, NotInUse),
    scopes=_WRITES,
)
