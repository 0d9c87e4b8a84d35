"""The JSON doors that change a step: each command happens once, from the version that its sender has read."""

from functools import partial

from litestar import Controller, Response, put
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody

from app.flow.events import Evidenced
from app.kernel.work import Work
from app.onboarding import operations
from app.onboarding.api import described
from app.onboarding.api.answers import ASKED, Asked, proof_of
from app.onboarding.api.doors import ONBOARDING
from app.onboarding.queries.wire.items import get_gate, get_item
from app.onboarding.schemas import (
    Assignment,
    GateDecision,
    MilestoneProof,
    TaskAnswer,
)
from app.web.wire.doors import commands


class CommandDoors(Controller):
    """What changes a step of an onboarding."""

    path = ONBOARDING
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("onboardings",)
    dependencies = ASKED

    @commands("/tasks/{task:str}/completion", "tasks.complete", described.COMPLETE)
    def complete(self, of: NamedDependency[Asked], task: FromPath[str], body: RawBody) -> Response[bytes]:
        """Finish a task of your side. What does not fit its questions is named by place."""
        sent = of.read(body, TaskAnswer)

        def command(work: Work) -> object:
            to, given, proof = of.onboarding_id, sent.answers, proof_of(sent.evidence)
            return operations.complete_task(work, onboarding_id=to, task=task, answers=given, evidence=proof)

        return of.once(sent, command, partial(get_item, key=task))

    @commands("/milestones/{key:str}/proof", "milestones.prove", described.PROVE)
    def prove(self, of: NamedDependency[Asked], key: FromPath[str], body: RawBody) -> Response[bytes]:
        """Give the evidence that a milestone asks for."""
        sent = of.read(body, MilestoneProof)
        proof = Evidenced(statement=sent.evidence.statement, link=sent.evidence.link)

        def command(work: Work) -> object:
            return operations.prove_milestone(work, onboarding_id=of.onboarding_id, milestone=key, evidence=proof)

        return of.once(sent, command, partial(get_item, key=key))

    @commands("/gates/{key:str}/decision", "gates.decide", described.DECIDE)
    def decide(self, of: NamedDependency[Asked], key: FromPath[str], body: RawBody) -> Response[bytes]:
        """Take one of a gate's decisions, as its reviewer. What stands in the way is named by place."""
        sent = of.read(body, GateDecision)

        def command(work: Work) -> object:
            said = {"gate": key, "decision": sent.decision, "reason": sent.reason}
            return operations.decide_gate(work, onboarding_id=of.onboarding_id, **said)

        return of.once(sent, command, partial(get_gate, key=key))

    @commands("/items/{key:str}/owner", "items.assign", described.ASSIGN, method=put)
    def assign(self, of: NamedDependency[Asked], key: FromPath[str], body: RawBody) -> Response[bytes]:
        """Give a step to somebody of its side who holds a role here; your own everybody may hand on."""
        sent = of.read(body, Assignment)

        def command(work: Work) -> object:
            to, whose, why = of.onboarding_id, sent.person, sent.reason
            return operations.assign_item(work, onboarding_id=to, item=key, person=whose, reason=why)

        return of.once(sent, command, partial(get_item, key=key))

    @commands("/items/{key:str}/claim", "items.claim", described.CLAIM)
    def claim(self, of: NamedDependency[Asked], key: FromPath[str]) -> Response[bytes]:
        """Take a step yourself."""

        def command(work: Work) -> object:
            return operations.claim_item(work, onboarding_id=of.onboarding_id, item=key)

        return of.once(None, command, partial(get_item, key=key))
