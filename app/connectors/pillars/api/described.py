"""What the OpenAPI document says of the doors of an integration on its way live."""

from __future__ import annotations

from typing import Any

from app.access.permissions import Permission
from app.access.require import NotPermitted
from app.connectors.connecting.care import ConnectionUnknown
from app.connectors.kit.registry import ConnectorNotFound
from app.connectors.kit.settings import SettingsUnfit
from app.connectors.pillars.operations import FlowRunning, NothingToApprove, StepUnfit
from app.connectors.pillars.staging import NothingBefore, NotStaged, StageUnfit, StepsOpen
from app.connectors.pillars.validating import ValidationRunning
from app.connectors.pillars.wire import (
    BackWanted,
    BeginWanted,
    ConsentWanted,
    IntegrationOut,
    QualityWanted,
    RiskWanted,
    ScopeWanted,
    StageWanted,
)
from app.connectors.settings.approving import OwnWish, PersonNeeded
from app.connectors.settings.operations import NothingSet, ReasonMissing, VersionUnknown
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

_INTEGRATION: dict[str, Any] = {
    "connection": "01969c1e-5f0a-7c3e-9d5b-2f6a8e4b1c07",
    "connector": "rest",
    "released": False,
    "stage": "pilot",
    "share": 10,
    "chosen": [],
    "risk": "medium",
    "steps": [{"step": "scope", "state": "met"}, {"step": "quality", "state": "open"}],
    "flows": [{"way": "in", "action": "read_record", "field": "email", "theirs": "mail", "care": "personal"}],
    "checks": {
        "under_way": False,
        "passed": True,
        "at": "2026-11-21T09:00:00Z",
        "kept": {"read_record": 10},
        "broken": [],
        "said": "",
    },
    "milestones": [{"step": "connected", "due": "2026-11-26", "reached": "2026-11-21", "state": "reached"}],
    "history": [
        {"stage": "pilot", "share": 10, "version": 1, "by": "Dana Reyes", "at": "2026-11-21T09:00:00Z", "reason": ""}
    ],
    "wish": None,
    "runs": {"succeeded": 3},
}
_HERE: tuple[type[SlipwayError], ...] = (
    *(NotSignedIn, TokenUnusable, NotPermitted, NothingHere, TenantNotActive),
    *(ConnectionUnknown, ConnectorNotFound),
)
_SENT = (BodyUnreadable, BodyUnfit, MediaTypeUnknown)
_ONCE = (NotFromHere, IdempotencyKeyMissing, IdempotencyKeyUnfit, CommandKeyReused)


def _does(*problems: type[SlipwayError], takes: Any = None, example: Any = None, status: int = 200) -> Described:
    told = Told("The integration as it is now.", IntegrationOut, ("Idempotency-Replayed",), _INTEGRATION)
    return Described(
        {status: told},
        takes=takes,
        example=example,
        headers=("Idempotency-Key",),
        problems=(*_HERE, *_ONCE, *(_SENT if takes else ()), *problems),
        scopes=(Permission.CONNECTION_READ, Permission.CONNECTION_WRITE),
    )


_BECAUSE = {"reason": "The partner's new contract asks for it"}
_AGREED = {"person": "Ines Vogel", "role": "Data protection officer", "basis": "contract", "needed": True}
_STAGES = (NotStaged, StageUnfit, StepsOpen)

READ = Described(
    {200: Told("The integration.", IntegrationOut, ("ETag",), _INTEGRATION)},
    problems=_HERE,
    scopes=(Permission.CONNECTION_READ,),
)
BEGIN = _does(StepUnfit, FlowRunning, takes=BeginWanted, example=_BECAUSE)
SCOPE = _does(StepUnfit, takes=ScopeWanted, example={"scenarios": ["A new customer is created when a deal is won"]})
RISK = _does(StepUnfit, PersonNeeded, takes=RiskWanted, example={"abroad": True, "plan": "A contract with the host"})
ACCEPT = _does(NothingToApprove, OwnWish, PersonNeeded)
CONSENT = _does(
    StepUnfit, takes=ConsentWanted, example=_AGREED | {"purpose": "Billing", "keep": "As long as the contract runs"}
)
QUALITY = _does(StepUnfit, takes=QualityWanted, example={"checked": 200, "wrong": 1})
VALIDATE = _does(ValidationRunning, status=202)
STAGE = _does(*_STAGES, takes=StageWanted, example={"stage": "pilot", "share": 10, "reason": "The checks are kept"})
BACK = _does(
    *(*_STAGES, NothingBefore, VersionUnknown, SettingsUnfit, ReasonMissing, NothingSet, PersonNeeded),
    takes=BackWanted,
    example={"reason": "Two records went wrong"},
)
