"""The HTML door through which credentials come in. What is typed goes into the vault or nowhere."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.flow.definition import Item
from app.kernel.errors import SlipwayError
from app.kernel.work import Work
from app.onboarding.handing.operations import hand_over
from app.onboarding.handing.showing import FIELD
from app.onboarding.pages.doors import ONBOARDING, saying, see
from app.onboarding.pages.steps import step_page
from app.onboarding.sending import in_words
from app.vault.secret import Secret
from app.web.begin import begin_work, run_form
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import page, redirect

PageRequest = Request[Any, Any, Any]
_MENDABLE = frozenset({409, 422})  # the state of things, or what was typed: told where it was typed


class CredentialForms(Controller):
    """One command: hand over, for the first time or anew."""

    path = ONBOARDING
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @post("/tasks/{task:str}/credentials", sync_to_thread=True)
    def give(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        task: FromPath[str],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Hand them over. The command's fingerprint names the fields only: a hash of a secret is a hint."""
        values = values_of(form)

        def operation(work: Work) -> dict[str, object]:
            hand_over(work, onboarding_id=onboarding_id, task=task, values=values)
            return {}

        try:
            run_form(request, tenant_id, key=form.command_key, body=sorted(values), operation=operation)
        except SlipwayError as error:
            if error.status not in _MENDABLE:
                raise
            return self._again(request, tenant_id, onboarding_id, task=task, form=form, error=error)
        return redirect(request, f"/t/{tenant_id}/onboardings/{onboarding_id}/tasks/{task}")

    @staticmethod
    def _again(
        request: PageRequest, tenant_id: UUID, onboarding_id: UUID, *, task: str, form: Form, error: SlipwayError
    ) -> Response[str]:
        """The form once more: what was typed in the open comes back, what was typed unseen does not."""
        with begin_work(request, tenant_id) as work:
            seen = see(request, work, onboarding_id)
            name, context = step_page(work, seen, task)
            typed = in_the_open(seen.item(task), form)
        say = saying(request)
        places = [(f"{FIELD}{place.rpartition('/')[2]}", in_words(said, say)) for place, said in error.errors]
        context |= {"values": typed, "errors": places or [("", in_words(error.message, say))]}
        context |= {"command_key": new_command_key()}
        return page(request, f"onboarding/{name}.html", context, status=error.status, nav=staff_nav(request))


def values_of(form: Form) -> dict[str, Secret]:
    """What was typed into the fields, each closed at once; a blank one is not given."""
    names = [name.removeprefix(FIELD) for name, _ in form.pairs if name.startswith(FIELD)]
    found = {name: Secret(form.first(f"{FIELD}{name}").strip()) for name in names}
    return {name: value for name, value in found.items() if value}


def in_the_open(item: Item, form: Form) -> dict[str, str]:
    """What may be shown again: the values that are no secrets."""
    shown = [field.id for field in item.handover.fields if field.type != "secret"] if item.handover else []
    return {f"{FIELD}{name}": form.first(f"{FIELD}{name}") for name in shown}
