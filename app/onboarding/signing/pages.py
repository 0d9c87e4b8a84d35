"""The HTML doors through which people sign, or say that they do not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.kernel.errors import SlipwayError
from app.kernel.work import Work
from app.onboarding.pages.again import step_again
from app.onboarding.pages.doors import ONBOARDING
from app.onboarding.signing.operations import Signed, decline_to_sign, sign_text
from app.web.begin import run_form
from app.web.forms import Form
from app.web.responses import redirect

PageRequest = Request[Any, Any, Any]


class SignatureForms(Controller):
    """Each form is one command, counted once by its key."""

    path = ONBOARDING
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @post("/tasks/{task:str}/signature", sync_to_thread=True)
    def sign(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        task: FromPath[str],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Sign the text that the form was drawn with."""
        read = {"locale": form.first("locale"), "digest": form.first("digest")}
        signed = Signed(name=form.first("name"), confirmed=form.first("confirmed") == "true", **read)

        def operation(work: Work) -> None:
            sign_text(work, onboarding_id=onboarding_id, task=task, signed=signed)

        return change(request, tenant_id, onboarding_id, form, task, operation)

    @post("/tasks/{task:str}/refusal", sync_to_thread=True)
    def refuse(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        task: FromPath[str],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Say that one does not sign, and why."""

        def operation(work: Work) -> None:
            decline_to_sign(work, onboarding_id=onboarding_id, task=task, reason=form.first("comment").strip())

        return change(request, tenant_id, onboarding_id, form, task, operation)


def change(  # the parts of one command, in the order in which they are known
    request: PageRequest,
    tenant_id: UUID,
    onboarding_id: UUID,
    form: Form,
    task: str,
    operation: Callable[[Work], None],
) -> Response[str]:
    """Run the form once and show the step; what is refused is told there, with the text as it is now."""

    def once(work: Work) -> dict[str, object]:
        operation(work)
        return {}

    try:
        run_form(request, tenant_id, key=form.command_key, body=form.typed, operation=once)
    except SlipwayError as error:
        return step_again(request, (tenant_id, onboarding_id, task), error, lambda _item: form.typed)
    return redirect(request, f"/t/{tenant_id}/onboardings/{onboarding_id}/tasks/{task}")
