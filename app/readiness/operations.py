"""Stores verdicts: each with its inputs and rule version, so that anyone can compute it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.kernel.ids import new_id
from app.kernel.work import Work
from app.readiness.models import Verdict

SYSTEM_ONLY = {"record_verdict": "part of an operation that has checked its own permission"}


@dataclass(frozen=True, slots=True)
class VerdictFacts:
    """A decision and all it was made from."""

    kind: str
    subject_id: UUID
    rule_version: str
    inputs: dict[str, Any]
    result: str
    reason: str | None = None
    override: bool = False


def record_verdict(work: Work, facts: VerdictFacts) -> UUID:
    """Store the verdict as made by whoever acts now. Returns its id."""
    verdict = Verdict(
        id=new_id(),
        kind=facts.kind,
        subject_id=facts.subject_id,
        rule_version=facts.rule_version,
        inputs=facts.inputs,
        result=facts.result,
        reason=facts.reason,
        override=facts.override,
        decided_by=work.actor.id,
        at=work.now,
    )
    work.session.add(verdict)
    return verdict.id
