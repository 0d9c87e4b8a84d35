"""The JSON doors of what went wrong in an onboarding: listed, read, reported, answered, given away, resolved."""

from functools import partial
from uuid import UUID

from litestar import Controller, Response, put
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody

from app.intake.queries import get_exception_key
from app.kernel.work import Work
from app.onboarding import operations
from app.onboarding.api import described, steering
from app.onboarding.api.answers import ASKED, Asked, proof_of
from app.onboarding.api.doors import ONBOARDING
from app.onboarding.operations.reporting import Report
from app.onboarding.operations.trouble import Route, Verdict
from app.onboarding.queries.wire.listing import list_exceptions, read_exception
from app.onboarding.schemas import ExceptionEnd, ExceptionQuery, ExceptionWish
from app.onboarding.wishes import AgreementWish, AnswerWish, RetryWish, RouteWish
from app.web.wire.doors import commands, reads
from app.web.wire.reading import read_query


class ExceptionDoors(Controller):
    """Exceptions of one onboarding."""

    path = f"{ONBOARDING}/exceptions"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("onboardings",)
    dependencies = ASKED

    @reads("/", "exceptions.list", described.EXCEPTIONS)
    def exceptions(self, of: NamedDependency[Asked]) -> Response[bytes]:
        """List the problems of an onboarding, the newest first."""
        return of.page(partial(list_exceptions, asked=read_query(of.request, ExceptionQuery)))

    @reads("/{exception_id:uuid}", "exceptions.read", described.EXCEPTION)
    def exception(self, of: NamedDependency[Asked], exception_id: FromPath[UUID]) -> Response[bytes]:
        """Read one problem. The ETag is the onboarding's."""
        return of.show(partial(read_exception, exception_id=exception_id))

    @commands("/", "exceptions.raise", described.RAISE, status=201)
    def report(self, of: NamedDependency[Asked], body: RawBody) -> Response[bytes]:
        """Report a problem on a step. It goes to whom the template routes its type."""
        sent = of.read(body, ExceptionWish)
        report = Report(sent.item, sent.type, sent.reason_code, sent.note, sent.blocks)
        command = partial(operations.raise_exception, onboarding_id=of.onboarding_id, report=report)
        return of.make(sent, command, read_exception)

    @commands("/{exception_id:uuid}/answer", "exceptions.answer", steering.ANSWER)
    def answer(self, of: NamedDependency[Asked], exception_id: FromPath[UUID], body: RawBody) -> Response[bytes]:
        """Respond to a problem for the first time: say what will be done."""
        sent, key = of.read(body, AnswerWish), key_of(of, exception_id)

        def command(work: Work) -> object:
            to = of.onboarding_id
            return operations.answer_exception(work, onboarding_id=to, exception=key(work), note=sent.note)

        return of.once(sent, command, partial(read_exception, exception_id=exception_id))

    @commands("/{exception_id:uuid}/route", "exceptions.route", steering.ROUTE, method=put)
    def route(self, of: NamedDependency[Asked], exception_id: FromPath[UUID], body: RawBody) -> Response[bytes]:
        """Give a problem to another role, or by name to somebody who works for the side of its role."""
        sent, key = of.read(body, RouteWish), key_of(of, exception_id)

        def command(work: Work) -> object:
            to, whose, why = of.onboarding_id, Route(sent.role, sent.person), sent.reason
            return operations.route_exception(work, onboarding_id=to, exception=key(work), whose=whose, reason=why)

        return of.once(sent, command, partial(read_exception, exception_id=exception_id))

    @commands("/{exception_id:uuid}/retry", "exceptions.retry", steering.RETRY)
    def retry(self, of: NamedDependency[Asked], exception_id: FromPath[UUID], body: RawBody) -> Response[bytes]:
        """Set the moment at which the step is tried once more; the last one that was set counts."""
        sent, key = of.read(body, RetryWish), key_of(of, exception_id)

        def command(work: Work) -> object:
            to, at, why = of.onboarding_id, sent.at, sent.reason
            return operations.schedule_retry(work, onboarding_id=to, exception=key(work), at=at, reason=why)

        return of.once(sent, command, partial(read_exception, exception_id=exception_id))

    @commands("/{exception_id:uuid}/agreement", "exceptions.agree", steering.AGREE)
    def agree(self, of: NamedDependency[Asked], exception_id: FromPath[UUID], body: RawBody) -> Response[bytes]:
        """Agree to what somebody else proposed, or decline it. Only people do."""
        sent, key = of.read(body, AgreementWish), key_of(of, exception_id)

        def command(work: Work) -> object:
            to, said = of.onboarding_id, Verdict(sent.agreed, sent.proposal, sent.reason)
            return operations.decide_proposal(work, onboarding_id=to, exception=key(work), verdict=said)

        return of.once(sent, command, partial(read_exception, exception_id=exception_id))

    @commands("/{exception_id:uuid}/resolution", "exceptions.resolve", described.RESOLVE)
    def resolve(self, of: NamedDependency[Asked], exception_id: FromPath[UUID], body: RawBody) -> Response[bytes]:
        """Say how a problem ends; what has a high impact is proposed, and ends it when another person agrees."""
        sent = of.read(body, ExceptionEnd)
        command = partial(end_exception, sent=sent, of=of, exception_id=exception_id)
        return of.once(sent, command, partial(read_exception, exception_id=exception_id))


def key_of(of: Asked, exception_id: UUID) -> partial[str]:
    """How the engine's name of an exception is found, once its work has begun."""
    return partial(get_exception_key, subject_id=of.onboarding_id, exception_id=exception_id)


def end_exception(work: Work, *, sent: ExceptionEnd, of: Asked, exception_id: UUID) -> None:
    """Resolve it as was asked. Raises what `resolve_exception` raises, and ExceptionMissing."""
    operations.resolve_exception(
        work,
        onboarding_id=of.onboarding_id,
        exception=get_exception_key(work, of.onboarding_id, exception_id),
        resolution=sent.resolution,
        reason=sent.reason,
        evidence=proof_of(sent.evidence),
        stage=sent.stage,
        given=sent.input,
    )
