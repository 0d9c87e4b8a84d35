"""People who bring onboardings forward, each command under a key that is sent until it is answered, sometimes again."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

from app.flow.definition import Item
from app.kernel.actor import Actor
from app.kernel.commands import Result, fingerprint, run_command
from app.kernel.errors import Conflict, SlipwayError, Unavailable
from app.kernel.ids import new_id
from app.kernel.work import Work
from app.onboarding import operations
from app.onboarding.queries.picture import Picture
from app.onboarding.queries.stored import find_onboarding
from tenants.sessions import DatabaseAway
from tenants.tenant import Tenant
from tests.factories.main_job import MainJob
from tests.factories.walker import PROOF, customer_of, fitting, picture_of

_TRIES = 60


@dataclass(frozen=True)
class Acknowledged:
    """A command that was answered: its key, and the first and last journal entry it has made."""

    key: str
    actor: Actor
    first: int
    last: int


@dataclass
class Case:
    """One onboarding as its people see it."""

    shop: MainJob
    canary: str
    deal: str
    tenant: Tenant
    id: UUID
    answered: list[Acknowledged] = field(default_factory=list)
    ended: Any = None  # the row as it was when it was first seen at its end

    def step(self, chance: Random) -> None:
        """Look, and do one of the things that somebody can do."""
        try:
            seen = picture_of(self.shop, self.tenant, self.id)
        except (DatabaseAway, Unavailable):
            return
        if seen.state.status != "running":
            return
        raised = sorted(each.id for each in seen.state.open_exceptions() if each.blocks)
        steps = [
            item for item in seen.definition.items.values() if seen.of(item.key).state == "open" and _by_people(item)
        ]
        if raised and (not steps or chance.random() < 0.5):
            self._send(chance, self.shop.lead, "resolve", lambda work: _resolve(work, self.id, raised[0]))
        elif steps:
            item = chance.choice(steps)
            actor = customer_of(self.shop, self.tenant) if item.side == "customer" else self.shop.lead
            self._send(chance, actor, item.key, lambda work: _act(work, seen, item))

    def _send(self, chance: Random, actor: Actor, what: str, operation: Any) -> None:
        """Send it until it is answered; an answer may also be that it is not the time."""
        key, mark = new_id().hex, fingerprint(what, str(self.id))

        def perform(work: Work) -> Result:
            before = find_onboarding(work.session, self.id).seq
            operation(work)
            return {"first": before + 1, "last": find_onboarding(work.session, self.id).seq}

        given: dict[str, Any] = {"key": key, "mark": mark, "trace_id": "checker", "operation": perform}
        for _try in range(_TRIES):
            try:
                result, _replayed = run_command(self.shop.runtime, self.tenant, actor, **given)
            except (DatabaseAway, Unavailable):
                continue
            except (Conflict, SlipwayError):
                return  # refused: things have moved on, or it is not yet provable; nothing was accepted
            self.answered.append(
                Acknowledged(f"{actor.label}:{key}", actor, int(str(result["first"])), int(str(result["last"])))
            )
            if chance.random() < 0.3:
                try:
                    assert run_command(self.shop.runtime, self.tenant, actor, **given) == (result, True)
                except (DatabaseAway, Unavailable):
                    return
            return


def _by_people(item: Item) -> bool:
    if item.kind == "milestone":
        return item.evidence is not None and item.evidence.source == "person"
    return item.kind == "gate" or (item.kind == "task" and item.action is None)


def _resolve(work: Work, onboarding_id: UUID, exception: str) -> None:
    operations.resolve_exception(
        work, onboarding_id=onboarding_id, exception=exception, resolution="retry", reason="It may work now."
    )


def _act(work: Work, seen: Picture, item: Item) -> None:
    onboarding_id = seen.onboarding.id
    if item.kind == "gate":
        missing = {entry.field.id: fitting(entry.field) for entry in seen.definition.handoff}
        missing = {name: value for name, value in missing.items() if not seen.state.packet.get(name)}
        if item.review and item.review.handoff and missing:
            operations.change_packet(work, onboarding_id=onboarding_id, facts=missing)
        button = next(each.id for each in item.review.decisions if each.effect == "pass") if item.review else ""
        operations.decide_gate(work, onboarding_id=onboarding_id, gate=item.key, decision=button)
    elif item.kind == "milestone":
        operations.prove_milestone(work, onboarding_id=onboarding_id, milestone=item.key, evidence=PROOF)
    else:
        answers = {each.id: fitting(each) for each in item.fields}
        proof = PROOF if item.evidence and item.evidence.source == "person" else None
        operations.complete_task(work, onboarding_id=onboarding_id, task=item.key, answers=answers, evidence=proof)
