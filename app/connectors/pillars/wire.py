"""What the doors of an integration on its way live take and give: its steps, map, milestones, checks and stages."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from app.connectors.pillars.rules import STEPS
from app.connectors.pillars.viewing import Integration
from app.connectors.settings.wire import WishOut, wish_out

_PLAIN = r"^[^\u0000-\u0008\u000b-\u001f\u007f]*$"
_Line = Annotated[str, Meta(min_length=1, max_length=300, pattern=_PLAIN)]
_Text = Annotated[str, Meta(max_length=2000, pattern=_PLAIN)]
Why = Annotated[str, Meta(max_length=300, pattern=_PLAIN)]
_Count = Annotated[int, Meta(ge=0, le=1_000_000)]


class BeginWanted(Struct, forbid_unknown_fields=True):
    """Why a connection that is live already is taken through the steps."""

    reason: Annotated[str, Meta(min_length=1, max_length=300, pattern=_PLAIN)]


class ScopeWanted(Struct, forbid_unknown_fields=True):
    """What the connection is for: its scenarios, one a line."""

    scenarios: Annotated[list[_Line], Meta(min_length=1, max_length=40)]


class RiskWanted(Struct, forbid_unknown_fields=True):
    """The checklist, and how the risk is kept down."""

    regulated: bool = False
    abroad: bool = False
    other_rules: bool = False
    no_sandbox: bool = False
    shared_account: bool = False
    hard_to_undo: bool = False
    plan: _Text = ""


class ConsentWanted(Struct, forbid_unknown_fields=True):
    """Who at the customer agreed to what flows, on what ground; `needed`: that all of it is."""

    person: _Line
    role: _Line
    basis: Literal["contract", "consent", "legal_duty", "legitimate_interest"]
    purpose: Annotated[str, Meta(min_length=1, max_length=2000, pattern=_PLAIN)]
    keep: Annotated[str, Meta(min_length=1, max_length=300, pattern=_PLAIN, description="How long it is kept there.")]
    needed: bool


class QualityWanted(Struct, forbid_unknown_fields=True):
    """How a sample of values compared with their source."""

    checked: _Count
    wrong: _Count
    note: _Text = ""


class StageWanted(Struct, forbid_unknown_fields=True):
    """How far a connection is to go; `share` in per cent and `chosen` onboardings are of a pilot."""

    stage: Literal["off", "sandbox", "pilot", "all"]
    share: Annotated[int, Meta(ge=0, le=99)] = 0
    chosen: Annotated[list[UUID], Meta(max_length=200)] = []
    reason: Why = ""


class BackWanted(Struct, forbid_unknown_fields=True):
    """Why it is taken back."""

    reason: Annotated[str, Meta(min_length=1, max_length=300, pattern=_PLAIN)]


class StepOut(Struct):
    """A step: `met`, `open`, `stale` (recorded of something else than what is there now), `waits` for somebody."""

    step: str
    state: Literal["met", "open", "stale", "waits"]


class FlowOut(Struct):
    """A field on its way, and what it is called over there."""

    way: Literal["out", "in"]
    action: str
    field: str
    theirs: str
    care: Literal["plain", "personal", "sensitive"]


class BrokenOut(Struct):
    """A promise that a check found broken."""

    action: str
    check: str
    said: str


class ChecksOut(Struct):
    """How the checks of the configuration of now went."""

    under_way: bool
    passed: bool
    at: datetime | None
    kept: dict[str, int]
    broken: list[BrokenOut]
    said: str


class MilestoneOut(Struct):
    """A milestone with its day."""

    step: str
    due: date
    reached: date | None
    state: Literal["reached", "reached_late", "ahead", "late"]


class StagedOut(Struct):
    """A change of the stage."""

    stage: str
    share: int
    version: int
    by: str
    at: datetime
    reason: str


class IntegrationOut(Struct):
    """An integration on its way live. `released`: it was live before there were steps, and nobody has begun them."""

    connection: UUID
    connector: str
    released: bool
    stage: Literal["off", "sandbox", "pilot", "all"]
    share: int
    chosen: list[str]
    risk: Literal["low", "medium", "high"]
    steps: list[StepOut]
    flows: list[FlowOut]
    checks: ChecksOut
    milestones: list[MilestoneOut]
    history: list[StagedOut]
    wish: WishOut | None
    runs: dict[str, int]


def integration_out(found: Integration, now: datetime) -> IntegrationOut:
    """An integration as its reader may see it."""
    release = found.release
    return IntegrationOut(
        connection=found.id,
        connector=found.connector.manifest.provider,
        released=found.old,
        stage=release.stage,
        share=release.share,
        chosen=list(release.chosen),
        risk=found.risk,
        steps=[StepOut(step, found.states[step]) for step in STEPS],
        flows=[FlowOut(each.way, each.action, each.field, each.theirs, each.care) for each in found.flows],
        checks=_checks(found),
        milestones=[MilestoneOut(each.step, each.due, each.reached, each.state) for each in found.milestones(now)],
        history=history_of(found),
        wish=wish_out(found.wish),
        runs=dict(found.health),
    )


def history_of(found: Integration) -> list[StagedOut]:
    """The changes of the stage, the newest first; the begin is none."""
    return [
        StagedOut(each.stage, each.share, each.version, each.by, datetime.fromisoformat(each.at), each.reason)
        for each in reversed(found.guide.history)
        if each.by
    ]


def _checks(found: Integration) -> ChecksOut:
    trial: Any = found.trial
    return ChecksOut(
        under_way=trial.under_way,
        passed=trial.passed,
        at=datetime.fromisoformat(trial.at) if trial.at else None,
        kept=dict(trial.kept),
        broken=[BrokenOut(each.action, each.check, each.said) for each in trial.broken],
        said=trial.said,
    )
