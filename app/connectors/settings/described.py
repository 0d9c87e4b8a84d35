"""What the OpenAPI document says of the doors of a connection's settings."""

from __future__ import annotations

from typing import Any

from app.access.permissions import Permission
from app.access.require import NotPermitted
from app.connectors.connecting.care import ConnectionUnknown
from app.connectors.kit.registry import ConnectorNotFound
from app.connectors.kit.settings import SettingsUnfit
from app.connectors.settings.approving import NothingAsked, OwnWish, PersonNeeded
from app.connectors.settings.operations import NothingSet, ReasonMissing, SettingsStale, VersionUnknown
from app.connectors.settings.undoing import NothingToUndo, RunUnknown, UndoingUnexplained
from app.connectors.settings.wire import RollbackWanted, SettingsOut, SettingsWanted, UndoingOut, UndoingWanted
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

_SET = {"host": "api.partner.example", "base_path": "/api/v2", "collection": "customers", "key_field": "customer_no"}
_SETTINGS: dict[str, Any] = {
    "connection": "01969c1e-5f0a-7c3e-9d5b-2f6a8e4b1c07",
    "connector": "rest",
    "version": 1,
    "level": "read",
    "settings": _SET,
    "mappings": {"read_record": {"answer": {"name": "title"}}},
    "circuit": "closed",
    "paused_seconds": 0.0,
    "versions": [
        {
            "version": 1,
            "by": "Dana Reyes",
            "at": "2026-11-21T09:00:00Z",
            "reason": "",
            "restored": 0,
            "changes": [{"place": "/settings/host", "before": "", "after": "api.partner.example"}],
        }
    ],
}
_HERE: tuple[type[SlipwayError], ...] = (
    *(NotSignedIn, TokenUnusable, NotPermitted, NothingHere, TenantNotActive),
    *(ConnectionUnknown, ConnectorNotFound),
)
_SENT = (BodyUnreadable, BodyUnfit, MediaTypeUnknown)
_ONCE = (IdempotencyKeyMissing, IdempotencyKeyUnfit, CommandKeyReused)
_WRITES = (Permission.CONNECTION_READ, Permission.CONNECTION_WRITE)

READ = Described(
    {200: Told("The settings.", SettingsOut, ("ETag",), _SETTINGS)},
    problems=_HERE,
    scopes=(Permission.CONNECTION_READ,),
)
CHANGE = Described(
    {200: Told("The settings as they are now.", SettingsOut, ("Idempotency-Replayed",), _SETTINGS)},
    takes=SettingsWanted,
    example={"seen": 0, "settings": _SET, "mappings": _SETTINGS["mappings"]},
    headers=("Idempotency-Key",),
    problems=(
        *_HERE,
        NotFromHere,
        *_SENT,
        *_ONCE,
        SettingsStale,
        SettingsUnfit,
        ReasonMissing,
        NothingSet,
        PersonNeeded,
    ),
    scopes=_WRITES,
)
ROLLBACK = Described(
    {200: Told("The settings as they are now.", SettingsOut, ("Idempotency-Replayed",), _SETTINGS)},
    takes=RollbackWanted,
    example={"version": 0},
    headers=("Idempotency-Key",),
    problems=(
        *_HERE,
        NotFromHere,
        *_SENT,
        *_ONCE,
        SettingsUnfit,
        ReasonMissing,
        NothingSet,
        VersionUnknown,
        PersonNeeded,
    ),
    scopes=_WRITES,
)
UNDO = Described(
    {202: Told("It is on its way.", UndoingOut, ("Idempotency-Replayed",), {"run": _SETTINGS["connection"]})},
    takes=UndoingWanted,
    example={"reason": "The customer has withdrawn"},
    headers=("Idempotency-Key",),
    problems=(*_HERE, RunUnknown, NotFromHere, *_SENT, *_ONCE, NothingToUndo, UndoingUnexplained),
    scopes=_WRITES,
)
APPROVE = Described(
    {200: Told("The settings as they are now.", SettingsOut, ("Idempotency-Replayed",), _SETTINGS)},
    headers=("Idempotency-Key",),
    problems=(*_HERE, NotFromHere, *_ONCE, NothingAsked, OwnWish, PersonNeeded, SettingsUnfit),
    scopes=_WRITES,
)
REFUSE = Described(
    {200: Told("The settings as they are now.", SettingsOut, ("Idempotency-Replayed",), _SETTINGS)},
    headers=("Idempotency-Key",),
    problems=(*_HERE, NotFromHere, *_ONCE, NothingAsked),
    scopes=_WRITES,
)
LIFT = Described(
    {200: Told("The settings, and how its calls fare.", SettingsOut, ("Idempotency-Replayed",), _SETTINGS)},
    headers=("Idempotency-Key",),
    problems=(*_HERE, NotFromHere, *_ONCE),
    scopes=_WRITES,
)
