"""What the OpenAPI document says of the doors of drifts."""

from __future__ import annotations

from typing import Any

from app.access.permissions import Permission
from app.access.require import NotPermitted
from app.connectors.drift.doors.wire import DriftOut, DriftsOut, LookOut, SettlementWanted
from app.connectors.drift.operations import DriftUnknown, NothingOpen, SettlementUnexplained
from app.kernel.commands import CommandKeyReused
from app.kernel.errors import SlipwayError
from app.kernel.work import TenantNotActive
from app.web.begin import NothingHere, NotSignedIn, TokenUnusable
from app.web.security import NotFromHere
from app.web.wire.openapi import Described, Told
from app.web.wire.reading import (
    BodyUnfit,
    BodyUnreadable,
    IdempotencyKeyMissing,
    IdempotencyKeyUnfit,
    MediaTypeUnknown,
)

_DIFFERENCE: dict[str, Any] = {
    "field": "seats",
    "ours": "40",
    "theirs": "60",
    "since": "2026-11-23T06:10:00Z",
    "state": "open",
    "answer": "",
    "by": "",
    "at": None,
    "reason": "",
}
_DRIFT: dict[str, Any] = {
    "id": "0b0cbe4e-6f55-5d0e-9a53-6a3d0d2f6c11",
    "connection": "01969c1e-5f0a-7c3e-9d5b-2f6a8e4b1c07",
    "connector": "product_admin",
    "source": "written",
    "title": "acme-1",
    "onboarding": "01969c3b-7a10-7b52-b1de-0c9a8f7e6d5c",
    "state": "open",
    "found_at": "2026-11-23T06:10:00Z",
    "seen_at": "2026-11-23T06:10:00Z",
    "waiting": 1,
    "differences": [_DIFFERENCE],
}
_SETTLED = {"state": "accepted", "answer": "theirs", "by": "Tom Okafor", "at": "2026-11-23T08:00:00Z"}
_DECIDED = _DRIFT | {
    "state": "accepted",
    "waiting": 0,
    "differences": [_DIFFERENCE | _SETTLED | {"reason": "Sold twenty more by phone"}],
}
_HERE: tuple[type[SlipwayError], ...] = (NotSignedIn, TokenUnusable, NotPermitted, NothingHere, TenantNotActive)
_SENT = (BodyUnreadable, BodyUnfit, MediaTypeUnknown)
_ONCE = (IdempotencyKeyMissing, IdempotencyKeyUnfit, CommandKeyReused)
_WRITES = (Permission.CONNECTION_READ, Permission.CONNECTION_WRITE)

LIST = Described(
    {200: Told("What differs.", DriftsOut, ("ETag",), {"drifts": [_DRIFT], "held": []})},
    problems=_HERE,
    scopes=(Permission.CONNECTION_READ,),
)
READ = Described(
    {200: Told("The record.", DriftOut, ("ETag",), _DRIFT)},
    problems=(*_HERE, DriftUnknown),
    scopes=(Permission.CONNECTION_READ,),
)
LOOK = Described(
    {202: Told("It is on its way.", LookOut, ("Idempotency-Replayed",), {"asked": True})},
    headers=("Idempotency-Key",),
    problems=(*_HERE, NotFromHere, *_ONCE),
    scopes=_WRITES,
)
SETTLE = Described(
    {200: Told("The record as it was decided.", DriftOut, ("Idempotency-Replayed",), _DECIDED)},
    takes=SettlementWanted,
    example={"answer": "theirs", "reason": "Sold twenty more by phone"},
    headers=("Idempotency-Key",),
    problems=(*_HERE, DriftUnknown, NotFromHere, *_SENT, *_ONCE, NothingOpen, SettlementUnexplained),
    scopes=_WRITES,
)
