"""What the OpenAPI document says of the doors of upgrades."""

from __future__ import annotations

from typing import Any

from app.access.duties import PersonNeeded, SecondPersonNeeded
from app.access.permissions import Permission
from app.access.require import NotPermitted
from app.flow.steps.work import ReasonNeeded
from app.kernel.commands import CommandKeyReused
from app.onboarding.migration.operations import MapUnfit
from app.onboarding.upgrades.operations import NothingToUpgrade, NotNow, PreviewMoved, TooMany, UpgradeStale
from app.onboarding.upgrades.records import UpgradeMissing
from app.onboarding.upgrades.schemas import (
    Halt,
    RunningOut,
    UpgradeDecision,
    UpgradeHead,
    UpgradeList,
    UpgradeOut,
    UpgradeQuery,
    UpgradeWish,
    WayBack,
)
from app.templates.queries import TemplateMissing
from app.templates.rules import TemplateRefused
from app.web.begin import NothingHere, NotSignedIn
from app.web.security import NotFromHere
from app.web.wire.openapi import Described, Told
from app.web.wire.reading import (
    BodyUnfit,
    BodyUnreadable,
    IdempotencyKeyMissing,
    IdempotencyKeyUnfit,
    MediaTypeUnknown,
    PreconditionMissing,
    PreconditionUnfit,
    QueryUnfit,
)

_ID = "01969c3b-7a10-7b52-b1de-0c9a8f7e6d5c"
_WHO = {"id": "0196f0a1-7c1e-7b52-b1de-0c9a8f7e6d5c", "name": "Dana Weber", "at": "2026-11-25T10:12:00Z"}
_HEAD: dict[str, Any] = {
    "id": _ID,
    "number": 3,
    "state": "looked",
    "stopped": False,
    "template": "msp-managed-services",
    "title": "Managed services",
    "version": "1.3.0",
    "to": "sha256:2f1c9d",
    "definition": "sha256:77aa01",
    "from_versions": ["1.2.0"],
    "asked": _WHO | {"reason": "The kickoff is shorter now"},
    "agreed": None,
    "undone": None,
    "preview": "sha256:90bc12",
    "workspaces": 1,
    "left": 0,
}
_LINE: dict[str, Any] = {
    "tenant_id": "01969c1e-5f0a-7c3e-9d5b-2f6a8e4b1c07",
    "tenant": "Acme Ltd",
    "onboarding_id": _ID,
    "name": "Acme Ltd",
    "definition": "sha256:11aa",
    "version": "1.2.0",
    "seen": "goes",
    "plan": "sha256:77aa01",
    "counts": {"kept": 31, "added": 1},
    "fates": [{"fate": "added", "was": None, "becomes": "task.pilot"}],
    "moves": [],
    "problems": [],
    "applied": None,
    "back": None,
    "told": "",
}
_SHOWN = _HEAD | {"seen": {"goes": 1}, "applied": {}, "back": {}, "onboardings": [_LINE]}
_RUNS = {name: _LINE[name] for name in ("tenant_id", "tenant", "onboarding_id", "name", "version", "definition")}
_RUNNING = {"template": "msp-managed-services", "title": "Managed services", "published": ["1.3.0", "1.2.0"]}
_HERE = (NotSignedIn, NotPermitted, NothingHere)
_SENT = (
    *(NotFromHere, BodyUnreadable, BodyUnfit, MediaTypeUnknown, IdempotencyKeyMissing, IdempotencyKeyUnfit),
    *(CommandKeyReused, PersonNeeded),
)
_MATCHED = (UpgradeMissing, PreconditionMissing, PreconditionUnfit, UpgradeStale, NotNow)
_READ, _WRITE = (Permission.ONBOARDING_READ,), (Permission.ONBOARDING_WRITE,)
_DONE = Told("The upgrade in short.", UpgradeHead, headers=("ETag", "Idempotency-Replayed"), example=_HEAD)
_BOTH = ("Idempotency-Key", "If-Match")

LIST = Described(
    {200: Told("The upgrades.", UpgradeList, headers=("ETag",), example={"items": [_HEAD]})},
    query=UpgradeQuery,
    problems=(*_HERE, QueryUnfit),
    scopes=_READ,
)
RUNNING = Described(
    {
        200: Told(
            "Who runs what.",
            RunningOut,
            headers=("ETag",),
            example=_RUNNING | {"onboardings": [_RUNS | {"state": "running"}]},
        )
    },
    problems=(*_HERE, TemplateMissing),
    scopes=_READ,
)
READ = Described(
    {200: Told("The upgrade with every onboarding.", UpgradeOut, headers=("ETag",), example=_SHOWN)},
    problems=(*_HERE, UpgradeMissing),
    scopes=_READ,
)
CREATE = Described(
    {
        201: Told(
            "The dry run begins.", UpgradeOut, headers=("ETag", "Location", "Idempotency-Replayed"), example=_SHOWN
        )
    },
    takes=UpgradeWish,
    example={"to": "sha256:2f1c9d", "from_versions": ["1.2.0"], "reason": "The kickoff is shorter now", "map": {}},
    headers=("Idempotency-Key",),
    problems=(*_HERE, *_SENT, TemplateMissing, TemplateRefused, MapUnfit, NothingToUpgrade, TooMany, ReasonNeeded),
)
DECIDE = Described(
    {200: _DONE},
    takes=UpgradeDecision,
    example={"agreed": True, "preview": "sha256:90bc12"},
    headers=_BOTH,
    problems=(*_HERE, *_SENT, *_MATCHED, SecondPersonNeeded, PreviewMoved, NothingToUpgrade, ReasonNeeded),
)
HALT = Described(
    {200: _DONE},
    takes=Halt,
    example={"stopped": True},
    headers=_BOTH,
    problems=(*_HERE, *_SENT, *_MATCHED),
    scopes=_WRITE,
)
BACK = Described(
    {200: _DONE},
    takes=WayBack,
    example={"reason": "It confuses people"},
    headers=_BOTH,
    problems=(*_HERE, *_SENT, *_MATCHED, ReasonNeeded),
)
