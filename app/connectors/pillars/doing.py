"""From what came over the wire to one operation: for the JSON doors and for the forms alike."""

from __future__ import annotations

from uuid import UUID

from msgspec.structs import asdict

from app.connectors.pillars import operations, staging, validating
from app.connectors.pillars.wire import (
    BackWanted,
    BeginWanted,
    ConsentWanted,
    QualityWanted,
    RiskWanted,
    ScopeWanted,
    StageWanted,
)
from app.kernel.work import Work


def begin(work: Work, connection_id: UUID, wanted: BeginWanted) -> None:
    """Take it through the steps."""
    operations.begin_flow(work, connection_id, reason=wanted.reason)


def scope(work: Work, connection_id: UUID, wanted: ScopeWanted) -> None:
    """Confirm the map."""
    operations.record_scope(work, connection_id, wanted.scenarios)


def risk(work: Work, connection_id: UUID, wanted: RiskWanted) -> None:
    """Answer the checklist."""
    answers = asdict(wanted)
    operations.record_risk(work, connection_id, answers, answers.pop("plan"))


def accept(work: Work, connection_id: UUID, _wanted: None) -> None:
    """Accept the risk."""
    operations.approve_risk(work, connection_id)


def consent(work: Work, connection_id: UUID, wanted: ConsentWanted) -> None:
    """Record the consent."""
    operations.record_consent(work, connection_id, operations.Consent(**asdict(wanted)))


def quality(work: Work, connection_id: UUID, wanted: QualityWanted) -> None:
    """Record the sample."""
    operations.record_quality(work, connection_id, operations.Sample(**asdict(wanted)))


def validate(work: Work, connection_id: UUID, _wanted: None) -> None:
    """Have it validated."""
    validating.ask_validation(work, connection_id)


def stage(work: Work, connection_id: UUID, wanted: StageWanted) -> None:
    """Let it out, or take it back."""
    told = {"share": wanted.share, "chosen": wanted.chosen, "reason": wanted.reason}
    staging.set_stage(work, connection_id, wanted.stage, **told)  # type: ignore[arg-type]  # each of its own kind


def back(work: Work, connection_id: UUID, wanted: BackWanted) -> None:
    """Take the stage before."""
    staging.roll_back(work, connection_id, reason=wanted.reason)
