"""The JSON doors of an integration on its way live."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post, put
from litestar.params import FromPath, RawBody

from app.connectors.pillars import doing
from app.connectors.pillars.api import described
from app.connectors.pillars.viewing import get_integration
from app.connectors.pillars.wire import (
    BackWanted,
    BeginWanted,
    ConsentWanted,
    QualityWanted,
    RiskWanted,
    ScopeWanted,
    StageWanted,
    integration_out,
)
from app.kernel.work import Work
from app.web.begin import begin_work, run_once
from app.web.wire.answering import answer_done, answer_read, write
from app.web.wire.openapi import described as account
from app.web.wire.reading import read_body, read_key

PageRequest = Request[Any, Any, Any]


class IntegrationDoors(Controller):
    """How one connection goes live."""

    path = "/api/v1/tenants/{tenant_id:uuid}/connections/{system_id:uuid}/integration"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("connections",)

    @get("/", operation_id="integration.read", operation_class=account(described.READ), sync_to_thread=True)
    def read(self, request: PageRequest, tenant_id: FromPath[UUID], system_id: FromPath[UUID]) -> Response[bytes]:
        """Read how an integration stands: its steps by facts, what flows, its checks, milestones and stages."""
        with begin_work(request, tenant_id) as work:
            content = write(integration_out(get_integration(work, system_id), work.now))
        return answer_read(request, content)

    @post(
        "/",
        operation_id="integration.begin",
        operation_class=account(described.BEGIN),
        status_code=200,
        sync_to_thread=True,
    )
    def begin(
        self, request: PageRequest, tenant_id: FromPath[UUID], system_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Take a connection through the steps that was live without them: its calls stop until they are met."""
        return _take(request, tenant_id, system_id, body, BeginWanted, doing.begin)

    @put("/scope", operation_id="integration.map", operation_class=account(described.SCOPE), sync_to_thread=True)
    def scope(
        self, request: PageRequest, tenant_id: FromPath[UUID], system_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Confirm what flows, with what it is for."""
        return _take(request, tenant_id, system_id, body, ScopeWanted, doing.scope)

    @put("/risk", operation_id="integration.assess", operation_class=account(described.RISK), sync_to_thread=True)
    def risk(
        self, request: PageRequest, tenant_id: FromPath[UUID], system_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Answer the checklist; the level of the risk follows from it and from what flows."""
        return _take(request, tenant_id, system_id, body, RiskWanted, doing.risk)

    @post("/risk/approval", operation_id="integration.accept_risk", operation_class=account(described.ACCEPT),
          status_code=200, sync_to_thread=True)  # fmt: skip
    def accept(self, request: PageRequest, tenant_id: FromPath[UUID], system_id: FromPath[UUID]) -> Response[bytes]:
        """Accept a high risk that somebody else has assessed."""
        return _take(request, tenant_id, system_id, None, None, doing.accept)

    @put(
        "/consent", operation_id="integration.consent", operation_class=account(described.CONSENT), sync_to_thread=True
    )
    def consent(
        self, request: PageRequest, tenant_id: FromPath[UUID], system_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Record who at the customer agreed to what flows, and that all of it is needed."""
        return _take(request, tenant_id, system_id, body, ConsentWanted, doing.consent)

    @put("/quality", operation_id="integration.verify", operation_class=account(described.QUALITY), sync_to_thread=True)
    def quality(
        self, request: PageRequest, tenant_id: FromPath[UUID], system_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Record how a sample of values compared with their source."""
        return _take(request, tenant_id, system_id, body, QualityWanted, doing.quality)

    @post("/validation", operation_id="integration.validate", operation_class=account(described.VALIDATE),
          status_code=202, sync_to_thread=True)  # fmt: skip
    def validate(self, request: PageRequest, tenant_id: FromPath[UUID], system_id: FromPath[UUID]) -> Response[bytes]:
        """Have the configuration validated in a sandbox; nothing leaves the installation."""
        return _take(request, tenant_id, system_id, None, None, doing.validate, status=202)

    @post("/stage", operation_id="integration.stage", operation_class=account(described.STAGE),
          status_code=200, sync_to_thread=True)  # fmt: skip
    def stage(
        self, request: PageRequest, tenant_id: FromPath[UUID], system_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Let a connection out further, which needs every step, or take it back, which needs none."""
        return _take(request, tenant_id, system_id, body, StageWanted, doing.stage)

    @post("/rollback", operation_id="integration.roll_back", operation_class=account(described.BACK),
          status_code=200, sync_to_thread=True)  # fmt: skip
    def back(
        self, request: PageRequest, tenant_id: FromPath[UUID], system_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Take the stage before, with the settings of that time."""
        return _take(request, tenant_id, system_id, body, BackWanted, doing.back)


def _take(
    request: PageRequest,
    tenant_id: UUID,
    connection_id: UUID,
    body: bytes | None,
    shape: Any,
    doer: Callable[[Work, UUID, Any], None],
    *,
    status: int = 200,
) -> Response[bytes]:
    key = read_key(request)
    wanted = read_body(request, body, shape) if body is not None else None

    def operation(work: Work) -> dict[str, object]:
        doer(work, connection_id, wanted)
        return {}

    _result, replayed = run_once(request, tenant_id, key=key, body=wanted, operation=operation)
    with begin_work(request, tenant_id) as work:
        content = write(integration_out(get_integration(work, connection_id), work.now))
    return answer_done(content, status=status, replayed=replayed)
