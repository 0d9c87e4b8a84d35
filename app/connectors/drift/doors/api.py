"""The JSON doors of drifts."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.params import FromPath, RawBody

from app.connectors.drift.doors import described
from app.connectors.drift.doors.wire import LookOut, SettlementWanted, drift_out, drifts_out
from app.connectors.drift.holding import count_waiting
from app.connectors.drift.operations import MOST_LISTED, ask_look, get_drift, read_drifts, settle_drift
from app.kernel.commands import Result
from app.kernel.work import Work
from app.web.begin import begin_work, run_once
from app.web.wire.answering import answer_done, answer_read, write
from app.web.wire.openapi import described as account
from app.web.wire.reading import read_body, read_key

PageRequest = Request[Any, Any, Any]


class DriftDoors(Controller):
    """Records that another system says something else of."""

    path = "/api/v1/tenants/{tenant_id:uuid}/drifts"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("connections",)

    @get("/", operation_id="drifts.list", operation_class=account(described.LIST), sync_to_thread=True)
    def read_all(self, request: PageRequest, tenant_id: FromPath[UUID]) -> Response[bytes]:
        """List the records that other systems say something else of, and those that are settled."""
        with begin_work(request, tenant_id) as work:
            drifts, holds = read_drifts(work)
            content = write(drifts_out(drifts[:MOST_LISTED], holds, count_waiting(work.session, holds)))
        return answer_read(request, content)

    @get("/{drift_id:uuid}", operation_id="drifts.read", operation_class=account(described.READ), sync_to_thread=True)
    def read(self, request: PageRequest, tenant_id: FromPath[UUID], drift_id: FromPath[UUID]) -> Response[bytes]:
        """Read one of them."""
        with begin_work(request, tenant_id) as work:
            content = _written(work, drift_id)
        return answer_read(request, content)

    @post(
        "/looks",
        operation_id="drifts.look",
        operation_class=account(described.LOOK),
        status_code=202,
        sync_to_thread=True,
    )
    def look(self, request: PageRequest, tenant_id: FromPath[UUID]) -> Response[bytes]:
        """Have everything compared with what other systems hold, at once. What differs is listed as it is found."""
        key = read_key(request)

        def operation(work: Work) -> Result:
            ask_look(work)
            return {}

        _made, replayed = run_once(request, tenant_id, key=key, body=None, operation=operation)
        return answer_done(write(LookOut(asked=True)), status=202, replayed=replayed)

    @post(
        "/{drift_id:uuid}/settlement",
        operation_id="drifts.settle",
        operation_class=account(described.SETTLE),
        status_code=200,
        sync_to_thread=True,
    )
    def settle(
        self, request: PageRequest, tenant_id: FromPath[UUID], drift_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Decide what holds of a record. What waited for it goes on, or ends for a person."""
        key = read_key(request)
        wanted = read_body(request, body, SettlementWanted)

        def operation(work: Work) -> Result:
            fields = frozenset(wanted.fields)
            settle_drift(work, drift_id, answer=wanted.answer, reason=wanted.reason, fields=fields)
            return {}

        _made, replayed = run_once(request, tenant_id, key=key, body=wanted, operation=operation)
        with begin_work(request, tenant_id) as work:
            content = _written(work, drift_id)
        return answer_done(content, status=200, replayed=replayed)


def _written(work: Work, drift_id: UUID) -> bytes:
    drift, (_all, holds) = get_drift(work, drift_id), read_drifts(work)
    return write(drift_out(drift, count_waiting(work.session, holds).get(drift_id, 0)))
