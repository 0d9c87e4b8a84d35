"""The HTML doors of the work queues, and of taking a step and handing it over."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.access.decisions import can
from app.access.permissions import Permission
from app.access.rights import staff_rights
from app.access.roles import CUSTOMER_ROLES
from app.kernel.work import Work
from app.onboarding import operations
from app.onboarding.queues.inside import list_own_work
from app.onboarding.queues.queries import list_work
from app.onboarding.queues.schemas import WorkQuery
from app.onboarding.queues.showing import Reader, work_page
from app.web.begin import begin_work, run_form, runtime_of, site_of, visit_of
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import locale_of, page, redirect
from app.web.translations import translations

PageRequest = Request[Any, Any, Any]
_FILTERS = ("view", "queue", "owner", "age", "sla")


class WorkPages(Controller):
    """What waits for somebody, over all of a partner's customers."""

    include_in_schema = False

    @get("/work", opt={"door": "partner"}, sync_to_thread=True)
    def team(self, request: PageRequest) -> Response[str]:
        """All work of the organisation's customers, by owner, age and SLA."""
        asked, actor = wanted_work(request), visit_of(request).actor
        found = list_work(runtime_of(request), actor, site_of(request).organisation_id, asked)
        shown = work_page(found, asked, reader_of(request, staff_rights(actor), "/work"))
        return page(request, "onboarding/work/list.html", shown | _fresh("partner"), nav=staff_nav(request))

    @get("/t/{tenant_id:uuid}/work", opt={"door": "tenant"}, sync_to_thread=True)
    def workspace(self, request: PageRequest, tenant_id: FromPath[UUID]) -> Response[str]:
        """All work of one workspace, as the reader's side sees it."""
        asked, home = wanted_work(request), f"/t/{tenant_id}/work"
        with begin_work(request, tenant_id) as work:
            reader = reader_of(request, work.rights, home)
            shown = work_page(list_own_work(work, asked), asked, reader)
        return page(request, "onboarding/work/list.html", shown | _fresh(reader.side), nav=staff_nav(request))


class OwnerForms(Controller):
    """Taking a step, and handing it over; each form is one command, counted once by its key."""

    path = "/t/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/items/{key:str}"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @post("/claim", sync_to_thread=True)
    def claim(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        key: FromPath[str],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Take a step oneself."""

        def operation(work: Work) -> dict[str, object]:
            operations.claim_item(work, onboarding_id=onboarding_id, item=key)
            return {}

        run_form(request, tenant_id, key=form.command_key, body=form.typed, operation=operation)
        return redirect(request, _back(tenant_id, form))

    @post("/owner", sync_to_thread=True)
    def assign(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        key: FromPath[str],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Give a step to somebody of its side, or back to its role."""

        def operation(work: Work) -> dict[str, object]:
            operations.assign_item(work, onboarding_id=onboarding_id, item=key, person=person_of(form.first("person")))
            return {}

        run_form(request, tenant_id, key=form.command_key, body=form.typed, operation=operation)
        return redirect(request, _back(tenant_id, form))


def wanted_work(request: PageRequest) -> WorkQuery:
    """What the address asks for; what there is not counts as not said, since it comes from a form of choices."""
    asked: dict[str, Any] = {name: value for name in _FILTERS if (value := request.query_params.get(name))}
    kept: dict[str, Any] = {}
    for name, value in asked.items():
        try:
            msgspec.convert({name: value}, WorkQuery, strict=False)
        except msgspec.ValidationError:
            continue
        kept[name] = value
    if after := request.query_params.get("after"):
        kept["cursor"] = after
    return msgspec.convert(kept, WorkQuery, strict=False)


def reader_of(request: PageRequest, rights: frozenset[str], home: str) -> Reader:
    """Who looks at the list, and what they may do from it."""
    language = locale_of(request).language
    return Reader(
        id=visit_of(request).actor.id,
        side="customer" if rights & CUSTOMER_ROLES else "partner",
        home=home,
        may_take=can(rights, Permission.TASK_COMPLETE),
        may_move=can(rights, Permission.ONBOARDING_WRITE),
        say=translations(language).gettext,
        language=language,
    )


def person_of(typed: str) -> UUID | None:
    """The person who was chosen; nobody, for the step's role."""
    try:
        return UUID(typed) if typed else None
    except ValueError:
        return UUID(int=0)  # holds no role anywhere, so the operation says so


def _fresh(side: str) -> dict[str, Any]:
    return {"side": side, "command_key": new_command_key()}


def _back(tenant_id: UUID, form: Form) -> str:
    """To the list that the form stood in."""
    return "/work" if form.first("back") == "/work" else f"/t/{tenant_id}/work"
