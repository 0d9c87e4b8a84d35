"""What the OpenAPI document says of the doors of hooks."""

from __future__ import annotations

from typing import Any

from app.access.permissions import Permission
from app.access.require import NotPermitted
from app.connectors.inbound.operations.addresses import AddressChanging, ConnectionInactive
from app.connectors.inbound.operations.replaying import NotReplayable, SeenBefore, StillUnproven, StillUnreadable
from app.connectors.inbound.operations.secrets import SecretChanging, SecretUnfit
from app.connectors.inbound.queries import DeliveryUnknown, HookUnknown
from app.connectors.inbound.schemas import (
    AddressMade,
    AddressWanted,
    ArrivalOut,
    ArrivalPage,
    ArrivalQuery,
    HookList,
    HookOut,
    Replayed,
    SecretWanted,
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
    BodyUnfit,
    BodyUnreadable,
    IdempotencyKeyMissing,
    IdempotencyKeyUnfit,
    MediaTypeUnknown,
    QueryUnfit,
)

_ID = "01969c1e-5f0a-7c3e-9d5b-2f6a8e4b1c07"
_DELIVERY_ID = "01969c2a-11c3-7d20-8a44-5b0f1e2d3c4b"
_AT = "2026-11-21T09:00:00Z"
_HOOK: dict[str, Any] = {
    "id": _ID,
    "connector": "hubspot",
    "name": "HubSpot",
    "state": "active",
    "scheme": "hubspot_v3",
    "types": ["deal.*"],
    "addresses": [{"hint": "Qm9keS", "made_at": _AT, "until": None}],
    "secrets": [{"number": 1, "set_at": _AT, "until": None}],
}
_DELIVERY: dict[str, Any] = {
    "id": _DELIVERY_ID,
    "at": _AT,
    "state": "announced",
    "held": False,
    "reason": "",
    "said": "",
    "size": 412,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "headers": [{"name": "content-type", "value": "application/json"}],
    "messages": [{"id": "62515:25:3816279340", "type": "deal.propertyChange", "object": "5100000003"}],
    "asked": 0,
    "replayable": True,
}
_ANYWHERE: tuple[type[SlipwayError], ...] = (NotSignedIn, TokenUnusable, NotPermitted, NothingHere, TenantNotActive)
_HERE = (*_ANYWHERE, HookUnknown)
_SENT = (BodyUnreadable, BodyUnfit, MediaTypeUnknown)
_ONCE = (IdempotencyKeyMissing, IdempotencyKeyUnfit, CommandKeyReused)
_READS = (Permission.CONNECTION_READ,)
_WRITES = (Permission.CONNECTION_READ, Permission.CONNECTION_WRITE)
_REPLAYED = ("Idempotency-Replayed",)

LIST = Described(
    {200: Told("All of them.", HookList, ("ETag",), {"items": [_HOOK]})}, problems=_ANYWHERE, scopes=_READS
)
READ = Described({200: Told("The hook.", HookOut, ("ETag",), _HOOK)}, problems=_HERE, scopes=_READS)
OPEN = Described(
    {
        201: Told(
            "The hook with its new address. Keep the address now: it is not shown again.",
            AddressMade,
            _REPLAYED,
            {"hook": _HOOK, "url": "https://portal.partner.example/hooks/Qm9keSBrbm93cyB0aGlzIG9uZQ"},
        )
    },
    takes=AddressWanted,
    example={"overlap_hours": 24},
    headers=("Idempotency-Key",),
    problems=(*_HERE, NotFromHere, *_SENT, *_ONCE, ConnectionInactive, AddressChanging),
    scopes=_WRITES,
)
SET_SECRET = Described(
    {200: Told("The hook as it is now.", HookOut, _REPLAYED, _HOOK)},
    takes=SecretWanted,
    example={"value": "the client secret of the app", "overlap_hours": 24},
    headers=("Idempotency-Key",),
    problems=(*_HERE, NotFromHere, *_SENT, *_ONCE, SecretUnfit, SecretChanging, KeysMissing),
    scopes=_WRITES,
)
CLOSE = Described(
    {200: Told("It is closed.", HookOut, example=_HOOK | {"addresses": [], "secrets": []})},
    problems=(*_HERE, NotFromHere),
    scopes=_WRITES,
)
DELIVERIES = Described(
    {200: Told("A page of them.", ArrivalPage, ("ETag", "Link"), {"items": [_DELIVERY], "next": None})},
    query=ArrivalQuery,
    problems=(*_HERE, QueryUnfit, CursorForeign, CursorExpired),
    scopes=_READS,
)
DELIVERY = Described(
    {200: Told("The delivery.", ArrivalOut, ("ETag",), _DELIVERY)},
    problems=(*_HERE, DeliveryUnknown),
    scopes=_READS,
)
REPLAY = Described(
    {202: Told("It is worked on again.", Replayed, _REPLAYED, {"delivery_id": _DELIVERY_ID})},
    headers=("Idempotency-Key",),
    problems=(
        *(*_HERE, NotFromHere, *_ONCE, DeliveryUnknown, KeysMissing),
        *(NotReplayable, StillUnproven, StillUnreadable, SeenBefore),
    ),
    scopes=_WRITES,
)
