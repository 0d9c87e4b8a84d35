"""Records the steps of an integration that people take, and begins its flow. Each is about what flows at that time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from app.access.permissions import Permission
from app.access.require import require
from app.connectors.connecting.care import get_row
from app.connectors.kit.limits.release import Release
from app.connectors.models import Connection
from app.connectors.pillars.events import FlowBegun, RiskApproved, StepRecorded
from app.connectors.pillars.rules import MILESTONES, QUESTIONS, has_approver, is_good_enough, risk_of
from app.connectors.pillars.state import Guide, keep_guide
from app.connectors.pillars.viewing import Integration, exposure_of, gather
from app.connectors.settings.approving import OwnWish, ask_person
from app.kernel.errors import Conflict, Invalid
from app.kernel.work import Work
from app.web.translations import mark

SYSTEM_ONLY = {"stamped": "part of an operation that has checked its own permission"}
BASES: Final = ("contract", "consent", "legal_duty", "legitimate_interest")
_MOST: Final = 1_000_000


class StepUnfit(Invalid):
    """What was recorded of a step is not complete."""


class FlowRunning(Conflict):
    """The connection takes the steps already."""


class NothingToApprove(Conflict):
    """No high risk waits for somebody else's approval."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What the customer agreed to, and who there did."""

    person: str
    role: str
    basis: str
    purpose: str
    keep: str
    needed: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """How many values were compared with the source, and how many of them were wrong."""

    checked: int
    wrong: int
    note: str


def begin_flow(work: Work, connection_id: UUID, *, reason: str) -> None:
    """Take a connection through the steps that was live without them: its calls stop until they are met.

    Raises NotPermitted, ConnectionUnknown, ConnectorNotFound, StepUnfit without a reason, FlowRunning.
    """
    row, found = _locked(work, connection_id)
    if not found.old:
        raise FlowRunning(mark("This connection takes the steps already."))
    if not reason.strip():
        raise StepUnfit(mark("Say why."), errors=[("/reason", mark("Its live calls stop: say why."))])
    row.config, row.changed_at = row.config | {"release": Release().document()}, work.now
    keep_guide(work, row.id, replace(found.guide, begun_at=work.now.isoformat()))
    work.announce(FlowBegun(subject_id=row.id, connector=row.connector, reason=reason.strip()))


def record_scope(work: Work, connection_id: UUID, scenarios: list[str]) -> None:
    """Confirm the map of what flows, with what it is for. Raises as `begin_flow`, but not FlowRunning."""
    row, found = _locked(work, connection_id)
    said = [each.strip() for each in scenarios if each.strip()]
    if not said:
        raise StepUnfit(mark("Name a scenario."), errors=[("/scenarios", mark("Name at least one scenario."))])
    _record(work, row, found, "scope", {"scenarios": said}, result=str(len(said)))


def record_risk(work: Work, connection_id: UUID, answers: Mapping[str, bool], plan: str) -> None:
    """Answer the checklist; the level follows from it and from what flows. Anything but low needs a plan.

    Raises as `record_scope`.
    """
    row, found = _locked(work, connection_id)
    said = {name: bool(answers.get(name)) for name in QUESTIONS}
    level = risk_of(said, exposure_of(found.connector, found.config, found.flows))
    if level != "low" and not plan.strip():
        told = mark("Say how the risk is kept down: it is more than low.")
        raise StepUnfit(told, errors=[("/plan", told)])
    if level == "high":
        ask_person(work)  # else who holds a token could assess by it and accept by hand
    _record(work, row, found, "risk", {"answers": said, "plan": plan.strip()}, result=level)


def approve_risk(work: Work, connection_id: UUID) -> None:
    """Accept a high risk that somebody else has assessed.

    Raises NotPermitted, ConnectionUnknown, ConnectorNotFound, NothingToApprove, OwnWish, PersonNeeded.
    """
    row, found = _locked(work, connection_id)
    if found.states["risk"] != "waits":
        raise NothingToApprove(mark("No risk waits for a decision here, or what flows has changed since."))
    ask_person(work)
    if not has_approver(found.guide.risk["by_id"], str(work.actor.id)):
        raise OwnWish(mark("Somebody else has to accept this risk: you have assessed it yourself."))
    approved = {"approved_by": work.actor.name, "approved_id": str(work.actor.id), "approved_at": work.now.isoformat()}
    keep_guide(work, row.id, replace(found.guide, risk={**found.guide.risk, **approved}))
    work.announce(RiskApproved(subject_id=row.id))


def record_consent(work: Work, connection_id: UUID, consent: Consent) -> None:
    """Keep who at the customer agreed to what flows, on what ground, and that all of it is needed.

    Raises as `record_scope`.
    """
    row, found = _locked(work, connection_id)
    texts = {"person": consent.person, "role": consent.role, "purpose": consent.purpose, "keep": consent.keep}
    errors = [(f"/{name}", mark("Fill in this field.")) for name, text in texts.items() if not text.strip()]
    if consent.basis not in BASES:
        errors.append(("/basis", mark("Choose one.")))
    if not consent.needed:
        errors.append(("/needed", mark("Nothing may flow that is not needed: leave such fields out of the mapping.")))
    if errors:
        raise StepUnfit(mark("The consent is not complete."), errors=errors)
    said = {name: text.strip() for name, text in texts.items()} | {"basis": consent.basis}
    _record(work, row, found, "consent", said, result=consent.basis)


def record_quality(work: Work, connection_id: UUID, sample: Sample) -> None:
    """Keep how a sample of live values compared with their source. Raises as `record_scope`."""
    row, found = _locked(work, connection_id)
    if not 0 <= sample.wrong <= sample.checked <= _MOST or not sample.checked:
        told = mark("Say how many values were compared, and how many of them were wrong.")
        raise StepUnfit(told, errors=[("/checked", told)])
    said = {"checked": sample.checked, "wrong": sample.wrong, "note": sample.note.strip()}
    result = "good" if is_good_enough(sample.checked, sample.wrong) else "not_good"
    _record(work, row, found, "quality", said, result=result, about=found.mark)


def stamped(work: Work, found: Integration, guide: Guide) -> Guide:
    """The guide with the day on which each milestone was first found to be reached, and with its begin."""
    reached: dict[str, str] = {step: work.now.isoformat() for step in MILESTONES if found.states[step] == "met"}
    begun = guide.begun_at or work.now.isoformat()
    return replace(guide, begun_at=begun, reached={**reached, **guide.reached})


def _locked(work: Work, connection_id: UUID) -> tuple[Connection, Integration]:
    require(work, Permission.CONNECTION_WRITE)
    row = get_row(work, connection_id, lock=True)
    return row, gather(work, row, lock=True)


def _record(
    work: Work, row: Connection, found: Integration, step: str, said: dict[str, Any], *, result: str, about: str = ""
) -> None:
    noted = said | {"by": work.actor.name, "by_id": str(work.actor.id), "at": work.now.isoformat()}
    noted["mark"] = about or found.flow_mark
    kept = replace(stamped(work, found, found.guide), **{step: noted})  # type: ignore[arg-type]  # one of its steps
    keep_guide(work, row.id, kept)
    keep_guide(work, row.id, stamped(work, gather(work, row), kept))  # what this very step has reached
    work.announce(StepRecorded(subject_id=row.id, step=step, result=result))
