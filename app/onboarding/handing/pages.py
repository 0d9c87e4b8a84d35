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
from app.onboarding.pages.again import step_again
from app.onboarding.pages.doors import ONBOARDING
from app.vault.secret import Secret
from app.web.begin import run_form
from app.web.forms import Form
from app.web.responses import redirect

PageRequest = Request[Any, Any, Any]


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
        except SlipwayError as error:  # what was typed in the open comes back, what was typed unseen does not
            place = (tenant_id, onboarding_id, task)
            return step_again(request, place, error, lambda item: in_the_open(item, form), prefix=FIELD)
        return redirect(request, f"/t/{tenant_id}/onboardings/{onboarding_id}/tasks/{task}")


def values_of(form: Form) -> dict[str, Secret]:
    """What was typed into the fields, each closed at once; a blank one is not given."""
    names = [name.removeprefix(FIELD) for name, _ in form.pairs if name.startswith(FIELD)]
    found = {name: Secret(form.first(f"{FIELD}{name}").strip()) for name in names}
    return {name: value for name, value in found.items() if value}


def in_the_open(item: Item, form: Form) -> dict[str, str]:
    """What may be shown again: the values that are no secrets."""
    shown = [field.id for field in item.handover.fields if field.type != "secret"] if item.handover else []
    return {f"{FIELD}{name}": form.first(f"{FIELD}{name}") for name in shown}
