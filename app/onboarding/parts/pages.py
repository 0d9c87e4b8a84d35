"""The HTML doors through which people say that an optional step is not needed, and how often one happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.access.roles import CUSTOMER_ROLES
from app.kernel.errors import SlipwayError
from app.kernel.work import Work
from app.onboarding.pages.doors import ONBOARDING, saying, see, whole
from app.onboarding.parts import operations
from app.onboarding.queries.customer import task_page
from app.onboarding.sending import in_words
from app.web.begin import begin_work, run_form
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import page, redirect

PageRequest = Request[Any, Any, Any]
_MOVED_ON, _WRONG = 409, 422  # the state of things, or what was typed: told where it was typed


class PartForms(Controller):
    """Each form is one command, counted once by its key; a refusal gives back what was typed."""

    path = ONBOARDING
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @post("/items/{key:str}/decline", sync_to_thread=True)
    def decline(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        key: FromPath[str],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Say that it is not needed."""

        def operation(work: Work) -> None:
            operations.decline_item(work, onboarding_id=onboarding_id, item=key, reason=form.first("reason"))

        return change(request, tenant_id, onboarding_id, form, key, operation)

    @post("/items/{key:str}/parts", sync_to_thread=True)
    def add(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        key: FromPath[str],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Let it happen once more."""

        def operation(work: Work) -> None:
            operations.add_part(work, onboarding_id=onboarding_id, item=key, name=form.first("name"))

        return change(request, tenant_id, onboarding_id, form, key, operation)

    @post("/items/{key:str}/removal", sync_to_thread=True)
    def remove(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        key: FromPath[str],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Take it away."""

        def operation(work: Work) -> None:
            operations.remove_part(work, onboarding_id=onboarding_id, item=key, reason=form.first("reason"))

        return change(request, tenant_id, onboarding_id, form, key, operation)


def change(  # the parts of one command, in the order in which they are known
    request: PageRequest,
    tenant_id: UUID,
    onboarding_id: UUID,
    form: Form,
    key: str,
    operation: Callable[[Work], None],
) -> Response[str]:
    """Run a form of a step once and lead back; what is refused is told at the form that was sent."""

    def once(work: Work) -> dict[str, object]:
        operation(work)
        return {}

    try:
        run_form(request, tenant_id, key=form.command_key, body=form.typed, operation=once)
    except SlipwayError as error:
        if error.status not in {_MOVED_ON, _WRONG}:
            raise
        with begin_work(request, tenant_id) as work:
            name, context = _again(request, work, onboarding_id, key, form, error)
        return page(request, f"onboarding/{name}.html", context, status=error.status, nav=staff_nav(request))
    return redirect(request, f"/t/{tenant_id}/onboardings/{onboarding_id}")


def _again(
    request: PageRequest, work: Work, onboarding_id: UUID, key: str, form: Form, error: SlipwayError
) -> tuple[str, dict[str, Any]]:
    """The page that the form stood on, with what was typed and what was wrong with it."""
    picture = see(request, work, onboarding_id)
    sentence = in_words(error.message, saying(request))
    if work.rights & CUSTOMER_ROLES:
        name, context = "customer_task", task_page(work, picture, key) | {"command_key": new_command_key()}
        forms = context["more"]
    else:
        name, context = "partner_onboarding", whole(request, work, picture, "plan")
        context["stream"] = ""  # a live update would take away what was typed
        entries = [entry for stage in context["stages"] for entry in stage["entries"]]
        forms = [one for entry in entries for one in entry["more"]]
    sent = [one for one in forms if unquote(one["action"]) == request.url.path]
    for one in sent:
        one.update(given=form.typed, errors=[(one["fields"][0]["id"], sentence)])
    context["errors"] = [] if sent else [("", sentence)]
    return name, context
