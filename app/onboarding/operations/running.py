"""What people and systems do to a running onboarding. Each is one event for the engine, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, select

from app.access.limits import Limit
from app.access.permissions import Permission
from app.access.queries import ensure_room
from app.access.require import require
from app.flow import events as flow
from app.flow.commands import Decision
from app.flow.definition import DecisionButton
from app.flow.definition import Item as FlowItem
from app.flow.state import State
from app.intake.operations.packet import PacketSource, store_packet
from app.kernel.errors import Invalid
from app.kernel.work import Work
from app.onboarding.files.queries import with_files
from app.onboarding.models import Onboarding
from app.onboarding.operations.advance import advance, lock_onboarding
from app.onboarding.people import acting, with_fallbacks
from app.onboarding.queries.stored import definition_of, plan_of, state_of
from app.onboarding.signing.rules import require_person
from app.onboarding.telling import missing_fields
from app.readiness.operations import VerdictFacts, record_verdict

SYSTEM_ONLY = {
    "start_onboarding": "called by the job that follows an admission",
    "record_run": "called by the job that follows a connector run",
}
GATE_RULES = "gate/1"


class HandedOverElsewhere(Invalid):
    """Credentials came as answers, where journal and trail would keep them."""


@dataclass(frozen=True, slots=True)
class StartRequest:
    """Everything an onboarding starts from. `id` was given at admission: starting twice starts once."""

    id: UUID
    name: str
    definition_digest: str
    started: flow.Started
    people: dict[str, list[dict[str, Any]]]
    deal: dict[str, Any]


def start_onboarding(work: Work, request: StartRequest) -> Onboarding:
    """Instantiate the pinned definition: its tree of items, its packet, its first journal entry. Repeatable.

    Raises LimitReached when as many run in this tenant as its plan allows.
    """
    existing = work.session.get(Onboarding, request.id)
    if existing is not None:
        return existing
    running = select(func.count()).select_from(Onboarding).where(Onboarding.finished_at.is_(None))
    ensure_room(work, Limit.ONBOARDINGS, lambda: work.session.scalar(running) or 0)
    definition = definition_of(work, request.definition_digest)
    onboarding = Onboarding(
        id=request.id,
        definition_digest=definition.digest,
        name=request.name,
        state="new",
        seq=0,
        snapshot=msgspec.to_builtins(State(definition=definition.digest)),
        deal=request.deal,
        people=with_fallbacks(definition.roles, request.people),
        trace_id=work.trace_id,
        started_at=work.now,
    )
    work.session.add(onboarding)
    work.session.flush()
    store_packet(work, onboarding.id, request.started.packet, PacketSource("crm"))
    advance(work, onboarding, request.started)
    return onboarding


def complete_task(
    work: Work,
    *,
    onboarding_id: UUID,
    task: str,
    answers: Mapping[str, Any] | None = None,
    evidence: flow.Evidenced | None = None,
) -> Decision:
    """Finish a task of the actor's own side. Raises NotPermitted, OnboardingMissing, and what the engine refuses."""
    require(work, Permission.TASK_COMPLETE)
    onboarding = lock_onboarding(work, onboarding_id)
    item = plan_of(work, onboarding).items.get(task)
    if item is not None and item.handover is not None:
        raise HandedOverElsewhere("Credentials are not answers: hand them over through their own form or door.")
    if item is not None and item.signing is not None:
        require_person(work)
    by = acting(work, onboarding)
    given = with_files(work, onboarding, task, answers or {})
    event = flow.TaskCompleted(by=by, task=task, answers=given, evidence=evidence)
    return advance(work, onboarding, event)


def change_packet(work: Work, *, onboarding_id: UUID, facts: Mapping[str, Any]) -> Decision:
    """Give or correct facts of the handoff packet. Raises as `complete_task` does."""
    require(work, Permission.PACKET_EDIT)
    onboarding = lock_onboarding(work, onboarding_id)
    event = flow.PacketChanged(by=acting(work, onboarding), facts=dict(facts), source="person")
    decision = advance(work, onboarding, event)
    store_packet(work, onboarding.id, facts, PacketSource("person", corrected_by=work.actor.id))
    return decision


def decide_gate(work: Work, *, onboarding_id: UUID, gate: str, decision: str, reason: str = "") -> Decision:
    """Press one of a gate's buttons; the verdict is stored with all it was made from.

    Raises NotPermitted, OnboardingMissing, and what the engine refuses (hard fields missing, no reason given).
    """
    require(work, Permission.GATE_DECIDE)
    onboarding = lock_onboarding(work, onboarding_id)
    definition = definition_of(work, onboarding.definition_digest)
    before = state_of(onboarding)
    event = flow.GateDecided(by=acting(work, onboarding), gate=gate, decision=decision, reason=reason)
    followed = advance(work, onboarding, event)
    effects = {button.id: button.effect for button in _buttons(definition.items[gate])}
    inputs = {
        "definition": definition.digest,
        "packet": before.packet,
        "missing": missing_fields(definition, before.packet),
    }
    record_verdict(
        work,
        VerdictFacts(
            kind="gate",
            subject_id=onboarding.id,
            rule_version=GATE_RULES,
            inputs=inputs | {"gate": gate},
            result=decision,
            reason=reason or None,
            override=effects.get(decision) == "override",
        ),
    )
    return followed


def prove_milestone(work: Work, *, onboarding_id: UUID, milestone: str, evidence: flow.Evidenced) -> Decision:
    """Give the evidence a milestone asks for. Raises NotPermitted, OnboardingMissing, and what the engine refuses."""
    require(work, Permission.TASK_COMPLETE)
    onboarding = lock_onboarding(work, onboarding_id)
    event = flow.MilestoneProven(by=acting(work, onboarding), milestone=milestone, evidence=evidence)
    return advance(work, onboarding, event)


def record_run(work: Work, *, onboarding_id: UUID, result: flow.Event) -> Decision:
    """Tell the engine how a connector run ended. One that it knows already changes nothing."""
    return advance(work, lock_onboarding(work, onboarding_id), result)


def _buttons(item: FlowItem) -> tuple[DecisionButton, ...]:
    return item.review.decisions if item.review else ()
