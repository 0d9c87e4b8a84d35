"""What the OpenAPI document says of the doors of a trail."""

from __future__ import annotations

from app.audit.operations.erasure import ErasureReasonMissing
from app.audit.queries.search import PeriodUnfit
from app.audit.queries.signed import NothingSigned
from app.audit.schemas import ErasedOut, ErasureWanted, ExportQuery, TrailPage, TrailQuery
from app.kernel.commands import CommandKeyReused
from app.kernel.errors import Forbidden
from app.kernel.paging import CursorExpired, CursorForeign
from app.kernel.work import TenantNotActive
from app.web.begin import NothingHere, NotSignedIn
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


class NotPermitted(Forbidden):
    """The actor's roles in this workspace do not include the permission (the same as `app.access` raises)."""


_ENTRY = {
    "id": "01969c3b-7a10-7b52-b1de-0c9a8f7e6d5c",
    "at": "2026-11-21T09:00:00Z",
    "actor": {"kind": "person", "id": "01969c3b-7a10-7b52-b1de-0c9a8f7e6d00", "name": "Maria Lopez"},
    "on_behalf_of": None,
    "action": "onboarding.task.completed",
    "subject": {"kind": "task", "id": "01969c3b-7a10-7b52-b1de-0c9a8f7e6d01"},
    "onboarding_id": None,
    "reason": None,
    "trace_id": "3f1c0a5e9b7d4c2e8a6f1b3d5c7e9a0b",
    "body": {"task": "kickoff"},
    "leaf_hash": "4c9f0f6f1f7d2a3b5c8e9d0a1b2c3d4e5f60718293a4b5c6d7e8f90123456789",
    "place": 41,
}
_PAGE = {
    "items": [_ENTRY],
    "head": {
        "entries": 42,
        "signed": 42,
        "root": "9c9f0f6f1f7d2a3b5c8e9d0a1b2c3d4e5f60718293a4b5c6d7e8f90123456780",
        "checkpoint": "onboarding.example.com/trail/…\n42\nnJ8P…=\n\n— onboarding.example.com/trail/… zLEy…\n",
        "key": "onboarding.example.com/trail/01969c1e…+ccb1326d+ARVK4sZZ…",
    },
    "next": None,
}
_HERE = (NotSignedIn, NotPermitted, NothingHere, TenantNotActive)
LIST = Described(
    answers={200: Told("A page of the trail.", TrailPage, headers=("ETag", "Link"), example=_PAGE)},
    query=TrailQuery,
    problems=(*_HERE, QueryUnfit, PeriodUnfit, CursorForeign, CursorExpired),
)
EXPORT = Described(
    answers={200: Told("The file, as it is written.", binary=True)},
    query=ExportQuery,
    problems=(*_HERE, QueryUnfit, NothingSigned),
)
ERASE = Described(
    answers={200: Told("What was erased.", ErasedOut, example={"entries": 3})},
    takes=ErasureWanted,
    example={"person_id": _ENTRY["id"], "reason": "Left the company and asked for it"},
    headers=("Idempotency-Key",),
    problems=(
        *_HERE,
        NotFromHere,
        BodyUnreadable,
        BodyUnfit,
        MediaTypeUnknown,
        IdempotencyKeyMissing,
        IdempotencyKeyUnfit,
        CommandKeyReused,
        ErasureReasonMissing,
    ),
)
