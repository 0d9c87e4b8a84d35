"""The JSON doors for what happens to a workspace as a whole: it is suspended, resumed, erased by two people."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.params import FromPath, RawBody

from app.tenancy.api import described
from app.tenancy.api.answers import changed, erasure, erasure_out, once
from app.tenancy.operations.erasure import approve_erasure, read_erasure, request_erasure, withdraw_erasure
from app.tenancy.operations.lifecycle import resume_tenant, suspend_tenant
from app.tenancy.operations.once import Reply
from app.tenancy.queries import read_tenant
from app.tenancy.schemas import Reason
from app.web.begin import runtime_of, trace_of, visit_of
from app.web.wire.answering import answer_read, write
from app.web.wire.openapi import described as account
from app.web.wire.reading import read_body

PageRequest = Request[Any, Any, Any]


def _stated(request: PageRequest, tenant_id: UUID, body: bytes, change: Any) -> Response[bytes]:
    """Change the state once for the key; `change` is the operation."""
    wanted = read_body(request, body, Reason)
    runtime, actor = runtime_of(request), visit_of(request).actor

    def perform(_key: str) -> Reply:
        change(runtime, actor, tenant_id, reason=wanted.reason, trace_id=trace_of(request))
        return changed(read_tenant(runtime, actor, tenant_id))

    return once(request, wanted, perform)


def _erasing(request: PageRequest, tenant_id: UUID, body: bytes, step: Any) -> Response[bytes]:
    """Take a step of an erasure once for the key; `step` is the operation."""
    wanted = read_body(request, body, Reason)
    told = {"reason": wanted.reason, "trace_id": trace_of(request)}
    runtime, actor = runtime_of(request), visit_of(request).actor
    return once(request, wanted, lambda _key: erasure(step(runtime, actor, tenant_id, **told)))


class EndingDoors(Controller):
    """What happens to one tenant of the host's organisation, or of one below it."""

    path = "/api/v1/tenants/{tenant_id:uuid}"
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("tenants",)

    @post(
        "/suspension", operation_id="tenants.suspend", operation_class=account(described.SUSPEND), sync_to_thread=True
    )
    def suspend(self, request: PageRequest, tenant_id: FromPath[UUID], body: RawBody) -> Response[bytes]:
        """Stop all work in the workspace until it is resumed. Nothing is lost; done before, it stays done."""
        return _stated(request, tenant_id, body, suspend_tenant)

    @post("/resumption", operation_id="tenants.resume", operation_class=account(described.RESUME), sync_to_thread=True)
    def resume(self, request: PageRequest, tenant_id: FromPath[UUID], body: RawBody) -> Response[bytes]:
        """Let work in a suspended workspace go on."""
        return _stated(request, tenant_id, body, resume_tenant)

    @post("/erasure", operation_id="tenants.erase", operation_class=account(described.ERASE), sync_to_thread=True)
    def erase(self, request: PageRequest, tenant_id: FromPath[UUID], body: RawBody) -> Response[bytes]:
        """Ask for the workspace to be erased. A second person has to agree before anything happens to it."""
        return _erasing(request, tenant_id, body, request_erasure)

    @get("/erasure", operation_id="tenants.erasure", operation_class=account(described.ERASURE), sync_to_thread=True)
    def read(self, request: PageRequest, tenant_id: FromPath[UUID]) -> Response[bytes]:
        """Read how far the last erasure has come, and from when on it is effective."""
        found = read_erasure(runtime_of(request), visit_of(request).actor, tenant_id)
        return answer_read(request, write(erasure_out(found)))

    @post(
        "/erasure/approval",
        operation_id="tenants.approveErasure",
        operation_class=account(described.APPROVE),
        sync_to_thread=True,
    )
    def approve(self, request: PageRequest, tenant_id: FromPath[UUID], body: RawBody) -> Response[bytes]:
        """Agree to the erasure, as another person than the one who asked. There is no way back from here."""
        return _erasing(request, tenant_id, body, approve_erasure)

    @post(
        "/erasure/withdrawal",
        operation_id="tenants.withdrawErasure",
        operation_class=account(described.WITHDRAW),
        sync_to_thread=True,
    )
    def withdraw(self, request: PageRequest, tenant_id: FromPath[UUID], body: RawBody) -> Response[bytes]:
        """Take the wish back while nobody has agreed to it."""
        return _erasing(request, tenant_id, body, withdraw_erasure)
