"""The HTML doors through which a partner's people change the course of an onboarding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.kernel.errors import SlipwayError
from app.kernel.work import Work
from app.onboarding import operations
from app.onboarding.lifecycle.operations import ask_for_next
from app.onboarding.pages.doors import ONBOARDING, saying, see, whole
from app.onboarding.sending import in_words, person_of
from app.web.begin import begin_work, run_form
from app.web.forms import Form
from app.web.page.ways import staff_nav
from app.web.responses import page, redirect

PageRequest = Request[Any, Any, Any]
_MOVED_ON, _WRONG = 409, 422  # the state of things, or what was typed: told where it was typed


class CourseForms(Controller):
    """Each form is one command, counted once by its key; a refusal gives back what was typed."""

    path = ONBOARDING
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @post("/hold", sync_to_thread=True)
    def hold(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Put it on hold."""

        def operation(work: Work) -> None:
            code, reason = form.first("reason_code"), form.first("reason")
            operations.hold_onboarding(work, onboarding_id=onboarding_id, reason_code=code, reason=reason)

        return steer(request, tenant_id, onboarding_id, form, "hold", operation)

    @post("/resumption", sync_to_thread=True)
    def resume(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """End the hold."""

        def operation(work: Work) -> None:
            operations.resume_onboarding(work, onboarding_id=onboarding_id, reason=form.first("reason"))

        return steer(request, tenant_id, onboarding_id, form, "resumption", operation)

    @post("/assignments", sync_to_thread=True)
    def assign(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Give a step to somebody, or back to its role."""

        def operation(work: Work) -> None:
            chosen = person_of(form.first("person"))
            item, reason = form.first("item"), form.first("reason")
            operations.assign_item(work, onboarding_id=onboarding_id, item=item, person=chosen, reason=reason)

        return steer(request, tenant_id, onboarding_id, form, "assignments", operation)

    @post("/skips", sync_to_thread=True)
    def skip(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Leave a step out."""

        def operation(work: Work) -> None:
            item, reason = form.first("item"), form.first("reason")
            operations.skip_item(work, onboarding_id=onboarding_id, item=item, reason=reason)

        return steer(request, tenant_id, onboarding_id, form, "skips", operation)

    @post("/rollbacks", sync_to_thread=True)
    def roll_back(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Begin a stage and every later one anew."""

        def operation(work: Work) -> None:
            stage, reason = form.first("stage"), form.first("reason")
            operations.roll_back(work, onboarding_id=onboarding_id, stage=stage, reason=reason)

        return steer(request, tenant_id, onboarding_id, form, "rollbacks", operation)

    @post("/next", sync_to_thread=True)
    def begin_next(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Start what follows."""

        def operation(work: Work) -> None:
            lifecycle, reason = form.first("lifecycle"), form.first("reason")
            ask_for_next(work, onboarding_id=onboarding_id, lifecycle=lifecycle, reason=reason)

        return steer(request, tenant_id, onboarding_id, form, "next", operation)

    @post("/cancellation", sync_to_thread=True)
    def cancel(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Stop it for good."""

        def operation(work: Work) -> None:
            operations.cancel_onboarding(work, onboarding_id=onboarding_id, reason=form.first("reason"))

        return steer(request, tenant_id, onboarding_id, form, "cancellation", operation)


def steer(  # the parts of one command, in the order in which they are known
    request: PageRequest,
    tenant_id: UUID,
    onboarding_id: UUID,
    form: Form,
    word: str,
    operation: Callable[[Work], None],
) -> Response[str]:
    """Run a form of the course once and lead back to the plan; what is refused is told at the form of that word."""

    def once(work: Work) -> dict[str, object]:
        operation(work)
        return {}

    try:
        run_form(request, tenant_id, key=form.command_key, body=form.typed, operation=once)
    except SlipwayError as error:
        if error.status not in {_MOVED_ON, _WRONG}:
            raise
        with begin_work(request, tenant_id) as work:
            context = whole(request, work, see(request, work, onboarding_id), "course")
        sentence = in_words(error.message, saying(request)) if error.status == _WRONG else error.message
        for one in context["course"]:
            if one["id"] == word:
                one.update(given=form.typed, errors=[("reason", sentence)])
        context["errors"] = [] if any(one["errors"] for one in context["course"]) else [("", sentence)]
        name = "onboarding/partner_onboarding.html"
        return page(request, name, context, status=error.status, nav=staff_nav(request))
    return redirect(request, f"/t/{tenant_id}/onboardings/{onboarding_id}")
