"""How the doors of access answer: once for each key, with the version of what was changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response

from app.access.schemas import DelegationOut
from app.kernel.commands import Result
from app.kernel.work import Work
from app.web.begin import run_once
from app.web.wire.answering import answer_done, write
from app.web.wire.reading import read_key

PageRequest = Request[Any, Any, Any]


def once(
    request: PageRequest,
    tenant_id: UUID,
    body: Any,
    operation: Callable[[Work], DelegationOut],
    *,
    status: int = 200,
    outside: bool = False,
) -> Response[bytes]:
    """Run the operation once for its `Idempotency-Key`; sent again, the same answer, marked as replayed."""

    def perform(work: Work) -> Result:
        shown: Result = msgspec.to_builtins(operation(work))
        return shown

    result, replayed = run_once(
        request,
        tenant_id,
        key=read_key(request),
        body=[msgspec.to_builtins(body), request.headers.get("if-match", "")],
        operation=perform,
        outside=outside,
    )
    shown = msgspec.convert(result, DelegationOut)
    headers = {"etag": etag(shown)}
    if status == 201:  # noqa: PLR2004 - created: it has an address of its own
        headers["location"] = f"/api/v1/tenants/{tenant_id}/delegations/{shown.id}"
    return answer_done(write(shown), status=status, headers=headers, replayed=replayed)


def etag(shown: DelegationOut) -> str:
    """What `If-Match` says: the version that a change was made from; being used changes nothing of it."""
    return f'"{shown.version}"'
