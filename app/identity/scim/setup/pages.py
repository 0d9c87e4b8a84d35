"""The pages of directories: a partner's for its staff, a customer's for its own people. High impact, both."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.access.roles import Role
from app.identity.rules import Token
from app.identity.scim.doors.wire import ROOT
from app.identity.scim.setup.operations import (
    Asking,
    make_directory,
    map_roles,
    read_directories,
    renew_token,
    set_state,
)
from app.identity.scim.setup.queries import Place
from app.identity.scim.setup.schemas import NewDirectory, StateForm, TokenForm
from app.web.begin import NothingHere, begin_work, front_of, home_of, runtime_of, site_of, trace_of, visit_of
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import page, redirect
from app.web.translations import mark

PageRequest = Request[Any, Any, Any]
_SETTINGS = "/settings/scim"
_GROUP = "group-"


class StaffDirectoryPages(Controller):
    """Directories of the organisation's own staff."""

    path = _SETTINGS
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(self, request: PageRequest) -> Response[str]:
        """What is set up, what it sent last, and a form for a new one."""
        return _page(request, _home(request))

    @post("/", status_code=200, sync_to_thread=True)
    def make(self, request: PageRequest, form: NamedDependency[Form]) -> Response[str]:
        """Set a directory up; the answer shows its token, once."""
        return _make(request, _home(request), form)

    @post("/{directory_id:uuid}/token", status_code=200, sync_to_thread=True)
    def renew(self, request: PageRequest, directory_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Another token; the answer shows it, once."""
        return _renew(request, _home(request), directory_id, form)

    @post("/{directory_id:uuid}/roles", sync_to_thread=True)
    def assign(self, request: PageRequest, directory_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Which role follows from which group."""
        return _assign(request, _home(request), directory_id, form)

    @post("/{directory_id:uuid}/state", sync_to_thread=True)
    def switch(self, request: PageRequest, directory_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Disable it, or let it speak again."""
        return _switch(request, _home(request), directory_id, form)


class MemberDirectoryPages(Controller):
    """Directories of a customer's own people, in its workspace."""

    path = "/t/{tenant_id:uuid}/scim"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(self, request: PageRequest, tenant_id: FromPath[UUID]) -> Response[str]:
        """What is set up, what it sent last, and a form for a new one."""
        return _page(request, _workspace(request, tenant_id))

    @post("/", status_code=200, sync_to_thread=True)
    def make(self, request: PageRequest, tenant_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Set a directory up; the answer shows its token, once."""
        return _make(request, _workspace(request, tenant_id), form)

    @post("/{directory_id:uuid}/token", status_code=200, sync_to_thread=True)
    def renew(
        self, request: PageRequest, tenant_id: FromPath[UUID], directory_id: FromPath[UUID], form: NamedDependency[Form]
    ) -> Response[str]:
        """Another token; the answer shows it, once."""
        return _renew(request, _workspace(request, tenant_id), directory_id, form)

    @post("/{directory_id:uuid}/roles", sync_to_thread=True)
    def assign(
        self, request: PageRequest, tenant_id: FromPath[UUID], directory_id: FromPath[UUID], form: NamedDependency[Form]
    ) -> Response[str]:
        """Which role follows from which group."""
        return _assign(request, _workspace(request, tenant_id), directory_id, form)

    @post("/{directory_id:uuid}/state", sync_to_thread=True)
    def switch(
        self, request: PageRequest, tenant_id: FromPath[UUID], directory_id: FromPath[UUID], form: NamedDependency[Form]
    ) -> Response[str]:
        """Disable it, or let it speak again."""
        return _switch(request, _workspace(request, tenant_id), directory_id, form)


def _home(request: PageRequest) -> Place:
    """The home of the organisation whose host this is; only of who works for that very organisation."""
    return Place(home_of(request), _SETTINGS)


def _workspace(request: PageRequest, tenant_id: UUID) -> Place:
    tenant = visit_of(request).tenant
    if tenant is None or tenant.id != tenant_id or tenant.kind != "customer":
        raise NothingHere(_NOT_HERE)
    with begin_work(request, tenant_id):  # to who has no right in it at all it does not exist
        return Place(tenant, f"/t/{tenant_id}/scim")


def _make(request: PageRequest, place: Place, form: Form) -> Response[str]:
    filled = form.fill(NewDirectory)
    if filled.value is None:
        return _page(request, place, typed=filled.typed, errors=filled.errors)
    return _page(request, place, token=make_directory(_asking(request, place, form), filled.value), asked=True)


def _renew(request: PageRequest, place: Place, directory_id: UUID, form: Form) -> Response[str]:
    wanted = form.fill(TokenForm).value or TokenForm()
    token = renew_token(_asking(request, place, form), directory_id, at_once=wanted.at_once)
    return _page(request, place, token=token, asked=True)


def _assign(request: PageRequest, place: Place, directory_id: UUID, form: Form) -> Response[str]:
    groups = {
        UUID(name.removeprefix(_GROUP)): value
        for name, value in form.pairs
        if name.startswith(_GROUP) and _is_id(name.removeprefix(_GROUP)) and (not value or value in set(Role))
    }
    default = form.first("default_role")
    map_roles(_asking(request, place, form), directory_id, default if default in set(Role) else "", groups)
    return redirect(request, place.path)


def _switch(request: PageRequest, place: Place, directory_id: UUID, form: Form) -> Response[str]:
    wanted = form.fill(StateForm).value
    if wanted is not None:
        set_state(_asking(request, place, form), directory_id, wanted.state)
    return redirect(request, place.path)


def _asking(request: PageRequest, place: Place, form: Form) -> Asking:
    return Asking(runtime_of(request), visit_of(request).actor, place, form.command_key, trace_of(request))


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _page(
    request: PageRequest,
    place: Place,
    *,
    token: Token | None = None,
    asked: bool = False,
    typed: dict[str, Any] | None = None,
    errors: list[tuple[str, str]] | None = None,
) -> Response[str]:
    actor = visit_of(request).actor
    found, offered = read_directories(runtime_of(request), actor, place, trace_id=trace_of(request))
    context = {
        "path": place.path,
        "of_staff": place.tenant_id is None,
        "tenant": {"name": place.tenant.name, "path": f"/t/{place.tenant.id}"},
        "directories": found,
        "roles": offered,
        "address": front_of(request).url(site_of(request).host, ROOT),
        "token": token.text if token else "",
        "token_gone": asked and token is None,
        "typed": {"name": "", "default_role": "", **(typed or {})},
        "errors": errors or [],
        "command_key": new_command_key(),
    }
    status = 422 if errors else 200
    return page(request, "identity/scim/directories.html", context, status=status, nav=staff_nav(request))


_NOT_HERE = mark("The address may be mistyped, or it was never meant for your account.")
