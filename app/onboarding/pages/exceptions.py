"""The HTML doors of an exception beside resolving it: answer, retry later, give away, agree to what is proposed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.intake.queries import get_exception_key
from app.kernel.work import Work
from app.onboarding import operations
from app.onboarding.pages.doors import ONBOARDING, see
from app.onboarding.sending import moment_of
from app.web.begin import run_form
from app.web.forms import Form
from app.web.responses import redirect

PageRequest = Request[Any, Any, Any]


class ExceptionForms(Controller):
    """Each form is one command, counted once by its key."""

    path = f"{ONBOARDING}/exceptions/{{exception_id:uuid}}"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @post("/answer", sync_to_thread=True)
    def answer(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        exception_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Respond for the first time."""

        def operation(work: Work, key: str) -> None:
            note = form.first("note")
            operations.answer_exception(work, onboarding_id=onboarding_id, exception=key, note=note)

        return act(request, (tenant_id, onboarding_id, exception_id), form, operation)

    @post("/route", sync_to_thread=True)
    def route(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        exception_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Give it to another role."""

        def operation(work: Work, key: str) -> None:
            role, note = form.first("role") or None, form.first("note")
            operations.route_exception(work, onboarding_id=onboarding_id, exception=key, role=role, reason=note)

        return act(request, (tenant_id, onboarding_id, exception_id), form, operation)

    @post("/retry", sync_to_thread=True)
    def retry(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        exception_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Try again later."""

        def operation(work: Work, key: str) -> None:
            at = moment_of(form.first("at"), see(request, work, onboarding_id).state.partner.zone)
            note = form.first("note")
            operations.schedule_retry(work, onboarding_id=onboarding_id, exception=key, at=at, reason=note)

        return act(request, (tenant_id, onboarding_id, exception_id), form, operation)

    @post("/agreement", sync_to_thread=True)
    def agree(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        exception_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Agree to what is proposed, or decline it."""

        def operation(work: Work, key: str) -> None:
            said = {"proposal": form.first("proposal"), "reason": form.first("note")}
            agreed = form.first("agreed") == "yes"
            operations.decide_proposal(work, onboarding_id=onboarding_id, exception=key, agreed=agreed, **said)

        return act(request, (tenant_id, onboarding_id, exception_id), form, operation)


def act(
    request: PageRequest, ids: tuple[UUID, UUID, UUID], form: Form, operation: Callable[[Work, str], None]
) -> Response[str]:
    """Run a form about an exception once (tenant, onboarding, exception) and lead back to the exceptions."""
    tenant_id, onboarding_id, exception_id = ids

    def once(work: Work) -> dict[str, object]:
        operation(work, get_exception_key(work, onboarding_id, exception_id))
        return {}

    run_form(request, tenant_id, key=form.command_key, body=form.typed, operation=once)
    return redirect(request, f"/t/{tenant_id}/onboardings/{onboarding_id}?view=exceptions")
