"""How the doors of tenants answer: once for each key, with the version and the address of what was made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response

from app.kernel.commands import fingerprint
from app.kernel.errors import SlipwayError
from app.tenancy.operations.once import Command, Reply, carry_out_once
from app.tenancy.operations.provisioning import Provisioned
from app.tenancy.queries import scope_of
from app.tenancy.schemas import BulkItem, BulkOut, BulkResult, ErasureOut, TenantOut
from app.web.begin import runtime_of, visit_of
from app.web.responses import told_of
from app.web.wire.answering import answer_done, etag_of, write
from app.web.wire.problem import Problem
from app.web.wire.reading import read_key
from tenants.models import Erasure

PageRequest = Request[Any, Any, Any]


def once(request: PageRequest, body: Any, perform: Callable[[str], Reply]) -> Response[bytes]:
    """Perform the request once for its `Idempotency-Key`; sent again, the same answer, marked as replayed.

    `perform` gets a key of its own to make repeatable what it does. Raises IdempotencyKeyMissing, CommandKeyReused.
    """
    key, actor = read_key(request), visit_of(request).actor
    route = f"{request.method} {request.url.path}"
    command = Command(scope_of(actor), f"{route} {key}", fingerprint(route, msgspec.to_builtins(body)))
    reply = carry_out_once(runtime_of(request), actor, command, lambda: perform(key))
    headers = {"location": reply.location, "etag": reply.etag}
    told = {name: value for name, value in headers.items() if value is not None}
    return answer_done(reply.body, status=reply.status, headers=told, replayed=reply.replayed)


def made(tenant: TenantOut) -> Reply:
    """The tenant that was made: 201, or 202 while it is only asked for."""
    content = write(tenant)
    return Reply(_status(tenant), content, tenants=(tenant.id,), location=tenant.links.api, etag=etag_of(content))


def changed(tenant: TenantOut) -> Reply:
    """The tenant after a change of its state."""
    content = write(tenant)
    return Reply(HTTPStatus.OK, content, tenants=(tenant.id,), etag=etag_of(content))


def erasure(found: Erasure) -> Reply:
    """How far an erasure has come."""
    content = write(erasure_out(found))
    return Reply(HTTPStatus.OK, content, tenants=(found.tenant_id,), etag=etag_of(content))


def erasure_out(found: Erasure) -> ErasureOut:
    """An erasure as software sees it: people by name, never by id."""
    return ErasureOut(
        id=found.id,
        tenant_id=found.tenant_id,
        state=found.state,  # type: ignore[arg-type]  # the column holds no other words
        reason=found.reason,
        requested_by=found.requested_name,
        requested_at=found.requested_at,
        decided_by=found.decided_name,
        decided_at=found.decided_at,
        effective_at=found.effective_at,
        dropped_at=found.dropped_at,
    )


def many(request: PageRequest, items: Sequence[BulkItem], outcomes: Sequence[Provisioned]) -> Reply:
    """What became of each item; not final while one of them may succeed when it is tried again."""
    results = [
        _result(request, index, item, outcome)
        for index, (item, outcome) in enumerate(zip(items, outcomes, strict=True))
    ]
    failed = sum(result.problem is not None for result in results)
    body = BulkOut(created=len(results) - failed, failed=failed, results=results)
    final = all(result.status < HTTPStatus.INTERNAL_SERVER_ERROR for result in results)
    tenants = tuple(result.tenant.id for result in results if result.tenant)
    return Reply(HTTPStatus.OK, write(body), tenants=tenants, final=final)


def _result(request: PageRequest, index: int, item: BulkItem, outcome: Provisioned) -> BulkResult:
    if outcome.tenant is not None:
        return BulkResult(index=index, key=item.key, status=_status(outcome.tenant), tenant=outcome.tenant)
    error = outcome.error or SlipwayError("")
    problem = msgspec.convert(told_of(request, error), Problem)
    return BulkResult(index=index, key=item.key, status=error.status, problem=problem)


def _status(tenant: TenantOut) -> int:
    return HTTPStatus.ACCEPTED if tenant.state == "requested" else HTTPStatus.CREATED
