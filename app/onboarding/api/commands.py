"""The JSON doors that change running work: each command happens once, from the version that its sender has read."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, post, put
from litestar.params import FromPath, RawBody

from app.flow.events import Evidenced
from app.kernel.work import Work
from app.onboarding import operations
from app.onboarding.api import described
from app.onboarding.api.answers import Command, once, proof_of
from app.onboarding.api.doors import ONBOARDINGS
from app.onboarding.queries.wire.items import get_gate, get_item
from app.onboarding.schemas import (
    Assignment,
    GateDecision,
    MilestoneProof,
    TaskAnswer,
)
from app.web.wire.openapi import described as account
from app.web.wire.reading import read_body

PageRequest = Request[Any, Any, Any]


class CommandDoors(Controller):
    """What changes an onboarding of one tenant."""

    path = ONBOARDINGS
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("onboardings",)

    @post(
        "/{onboarding_id:uuid}/tasks/{task:str}/completion",
        operation_id="tasks.complete",
        operation_class=account(described.COMPLETE),
        status_code=200,
        sync_to_thread=True,
    )
    def complete(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        task: FromPath[str],
        body: RawBody,
    ) -> Response[bytes]:
        """Finish a task of your side. What does not fit its questions is named by place."""
        sent = read_body(request, body, TaskAnswer)

        def perform(work: Work) -> None:
            given, proof = sent.answers, proof_of(sent.evidence)
            operations.complete_task(work, onboarding_id=onboarding_id, task=task, answers=given, evidence=proof)

        command = Command(onboarding_id, sent, perform, lambda work, seen, _made: get_item(work, seen, task))
        return once(request, tenant_id, command)

    @post(
        "/{onboarding_id:uuid}/milestones/{key:str}/proof",
        operation_id="milestones.prove",
        operation_class=account(described.PROVE),
        status_code=200,
        sync_to_thread=True,
    )
    def prove(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        key: FromPath[str],
        body: RawBody,
    ) -> Response[bytes]:
        """Give the evidence that a milestone asks for."""
        sent = read_body(request, body, MilestoneProof)
        proof = Evidenced(statement=sent.evidence.statement, link=sent.evidence.link)

        def perform(work: Work) -> None:
            operations.prove_milestone(work, onboarding_id=onboarding_id, milestone=key, evidence=proof)

        command = Command(onboarding_id, sent, perform, lambda work, seen, _made: get_item(work, seen, key))
        return once(request, tenant_id, command)

    @post(
        "/{onboarding_id:uuid}/gates/{key:str}/decision",
        operation_id="gates.decide",
        operation_class=account(described.DECIDE),
        status_code=200,
        sync_to_thread=True,
    )
    def decide(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        key: FromPath[str],
        body: RawBody,
    ) -> Response[bytes]:
        """Take one of a gate's decisions, as its reviewer. What stands in the way is named by place."""
        sent = read_body(request, body, GateDecision)

        def perform(work: Work) -> None:
            said = {"gate": key, "decision": sent.decision, "reason": sent.reason}
            operations.decide_gate(work, onboarding_id=onboarding_id, **said)

        command = Command(onboarding_id, sent, perform, lambda work, seen, _made: get_gate(work, seen, key))
        return once(request, tenant_id, command)

    @put(
        "/{onboarding_id:uuid}/items/{key:str}/owner",
        operation_id="items.assign",
        operation_class=account(described.ASSIGN),
        sync_to_thread=True,
    )
    def assign(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        key: FromPath[str],
        body: RawBody,
    ) -> Response[bytes]:
        """Give a step to somebody of its side who holds a role here; your own everybody may hand on."""
        sent = read_body(request, body, Assignment)

        def perform(work: Work) -> None:
            operations.assign_item(work, onboarding_id=onboarding_id, item=key, person=sent.person)

        command = Command(onboarding_id, sent, perform, lambda work, seen, _made: get_item(work, seen, key))
        return once(request, tenant_id, command)

    @post(
        "/{onboarding_id:uuid}/items/{key:str}/claim",
        operation_id="items.claim",
        operation_class=account(described.CLAIM),
        status_code=200,
        sync_to_thread=True,
    )
    def claim(
        self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID], key: FromPath[str]
    ) -> Response[bytes]:
        """Take a step yourself."""

        def perform(work: Work) -> None:
            operations.claim_item(work, onboarding_id=onboarding_id, item=key)

        command = Command(onboarding_id, None, perform, lambda work, seen, _made: get_item(work, seen, key))
        return once(request, tenant_id, command)
