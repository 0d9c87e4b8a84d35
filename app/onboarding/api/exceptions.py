"""The JSON doors of what went wrong in an onboarding: listed, read, reported, resolved."""

from functools import partial
from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.params import FromPath, RawBody

from app.intake.queries import get_exception_key
from app.kernel.work import Work
from app.onboarding import operations
from app.onboarding.api import described
from app.onboarding.api.answers import Command, answer_seen, once, proof_of, see
from app.onboarding.api.doors import ONBOARDINGS
from app.onboarding.operations.reporting import Report
from app.onboarding.queries.wire.listing import list_exceptions, read_exception
from app.onboarding.schemas import ExceptionEnd, ExceptionQuery, ExceptionWish
from app.web.begin import begin_work
from app.web.wire.answering import answer_read, link_next, write
from app.web.wire.openapi import described as account
from app.web.wire.reading import read_body, read_query

PageRequest = Request[Any, Any, Any]


class ExceptionDoors(Controller):
    """Exceptions of one onboarding."""

    path = ONBOARDINGS
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("onboardings",)

    @get(
        "/{onboarding_id:uuid}/exceptions",
        operation_id="exceptions.list",
        operation_class=account(described.EXCEPTIONS),
        sync_to_thread=True,
    )
    def exceptions(
        self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID]
    ) -> Response[bytes]:
        """List the problems of an onboarding, the newest first."""
        asked = read_query(request, ExceptionQuery)
        with begin_work(request, tenant_id) as work:
            page = list_exceptions(work, see(request, work, onboarding_id), asked)
        return answer_read(request, write(page), link_next(request, page.next))

    @get(
        "/{onboarding_id:uuid}/exceptions/{exception_id:uuid}",
        operation_id="exceptions.read",
        operation_class=account(described.EXCEPTION),
        sync_to_thread=True,
    )
    def exception(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        exception_id: FromPath[UUID],
    ) -> Response[bytes]:
        """Read one problem. The ETag is the onboarding's."""
        with begin_work(request, tenant_id) as work:
            seen = see(request, work, onboarding_id)
            shown = read_exception(work, seen, exception_id)
        return answer_seen(seen, shown)

    @post(
        "/{onboarding_id:uuid}/exceptions",
        operation_id="exceptions.raise",
        operation_class=account(described.RAISE),
        sync_to_thread=True,
    )
    def report(
        self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Report a problem on a step. It goes to whom the template routes its type."""
        sent = read_body(request, body, ExceptionWish)
        report = Report(sent.item, sent.type, sent.reason_code, sent.note, sent.blocks)

        def perform(work: Work) -> UUID:
            return operations.raise_exception(work, onboarding_id=onboarding_id, report=report)

        command = Command(onboarding_id, sent, perform, read_exception, creates="exceptions")
        return once(request, tenant_id, command)

    @post(
        "/{onboarding_id:uuid}/exceptions/{exception_id:uuid}/resolution",
        operation_id="exceptions.resolve",
        operation_class=account(described.RESOLVE),
        status_code=200,
        sync_to_thread=True,
    )
    def resolve(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        exception_id: FromPath[UUID],
        body: RawBody,
    ) -> Response[bytes]:
        """Say how a problem ends: the step is tried again, counts as done with evidence, is left out, or stays."""
        sent = read_body(request, body, ExceptionEnd)

        end = partial(end_exception, sent=sent, onboarding_id=onboarding_id, exception_id=exception_id)
        command = Command(onboarding_id, sent, end, lambda work, seen, _: read_exception(work, seen, exception_id))
        return once(request, tenant_id, command)


def end_exception(work: Work, *, sent: ExceptionEnd, onboarding_id: UUID, exception_id: UUID) -> None:
    """Resolve it as was asked. Raises what `resolve_exception` raises, and ExceptionMissing."""
    operations.resolve_exception(
        work,
        onboarding_id=onboarding_id,
        exception=get_exception_key(work, onboarding_id, exception_id),
        resolution=sent.resolution,
        reason=sent.reason,
        evidence=proof_of(sent.evidence),
    )
