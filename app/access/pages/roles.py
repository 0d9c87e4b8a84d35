"""The HTML doors of roles: ours and what each may do, and a partner's own, which only narrow."""

from collections.abc import Iterable
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from msgspec import Meta, Struct

from app.access.decisions import can, permissions_of
from app.access.operations.custom_roles import (
    Facts,
    RoleInUse,
    RoleStale,
    RoleTooWide,
    RoleUnusable,
    Run,
    TooManyRoles,
    define_role,
    remove_role,
)
from app.access.pages import offering
from app.access.permissions import Permission
from app.access.queries.custom_roles import Holders, get_custom_role, list_custom_roles, list_holders, version_tag
from app.access.require import require
from app.access.rights import AtWork, staff_rights
from app.access.schemas import CustomRoleWish
from app.kernel.errors import SlipwayError
from app.web.begin import home_of, run_form, runtime_of, trace_of, visit_of
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import page, redirect

PageRequest = Request[Any, Any, Any]
Errors = list[tuple[str, str]]
_BESIDE_THE_FORM = (RoleUnusable, RoleTooWide, RoleStale, TooManyRoles)
_FIELDS = {"/base": "base", "/removed": "removed"}
_PATH = "/settings/roles"


class RoleForm(Struct, frozen=True):
    """What the form of a role sends: name, the role it is built on, what is taken away, the version that was read."""

    name: Annotated[str, Meta(max_length=80)]
    base: str
    removed: list[str] = []
    version: str = ""


class RolePages(Controller):
    """Roles of the partner whose host this is."""

    path = _PATH
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(self, request: PageRequest) -> Response[str]:
        """The partner's own roles with who holds them, and ours with what each may do."""
        home, runtime, actor = home_of(request), runtime_of(request), visit_of(request).actor
        listed, held = list_custom_roles(runtime, actor).items, list_holders(runtime, actor)
        context = {
            "place": {"name": home.name, "path": "/"},
            "may_define": can(staff_rights(actor), Permission.ROLE_DEFINE),
            "own": [offering.own_role(each, held.get(each.id, Holders())) for each in listed],
            "defaults": offering.default_roles(),
        }
        return page(request, "access/roles/roles.html", context, nav=staff_nav(request))

    @post("/", sync_to_thread=True)
    def define(self, request: PageRequest, form: NamedDependency[Form]) -> Response[str]:
        """Make one."""
        return _define(request, form, None)

    @get("/new", sync_to_thread=True)
    def begin(self, request: PageRequest, base: FromQuery[str] = "") -> Response[str]:
        """The form of a new one; first the role it is built on, then what is taken away from it."""
        return draw(request, base=base)

    @get("/{role_id:uuid}", sync_to_thread=True)
    def read(self, request: PageRequest, role_id: FromPath[UUID], base: FromQuery[str] = "") -> Response[str]:
        """One of the partner's own, and for who may the forms that change and remove it."""
        return draw(request, role_id, base=base)

    @post("/{role_id:uuid}", sync_to_thread=True)
    def change(self, request: PageRequest, role_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Define it anew."""
        return _define(request, form, role_id)

    @post("/{role_id:uuid}/removal", sync_to_thread=True)
    def remove(self, request: PageRequest, role_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Remove it, if nobody holds it."""
        runtime, actor, run = runtime_of(request), visit_of(request).actor, _once(request, form)
        try:
            remove_role(runtime, actor, role_id, trace_id=trace_of(request), run=run)
        except RoleInUse as error:
            return draw(request, role_id, refused=error.message, status=error.status)
        return redirect(request, _PATH)


def draw(
    request: PageRequest,
    role_id: UUID | None = None,
    *,
    base: str = "",
    typed: dict[str, Any] | None = None,
    errors: Iterable[tuple[str, str]] = (),
    refused: str = "",
    status: int = 200,
) -> Response[str]:
    """The page of a role, or of a new one, with what was typed and what is wrong with it."""
    home, runtime, actor = home_of(request), runtime_of(request), visit_of(request).actor
    at = AtWork(staff_rights(actor), actor)
    role = get_custom_role(runtime, actor, role_id) if role_id else None
    if role is None and not can(at.rights, Permission.ROLE_DEFINE):
        require(at, Permission.ROLE_DEFINE)  # refuses; no proof is asked for before there is something to send
    held = list_holders(runtime, actor).get(role.id, Holders()) if role else Holders()
    chosen = base if base in offering.BASES else role.base if role else ""
    mine = permissions_of(at.rights)
    context = {
        "place": {"name": home.name, "path": "/"},
        "role": offering.own_role(role, held) | {"version": version_tag(role)} if role else None,
        "may_define": can(at.rights, Permission.ROLE_DEFINE),
        "bases": list(offering.BASES),
        "base": chosen,
        "groups": offering.to_take_away(chosen, mine) if chosen else [],
        "typed": typed or offering.proposed(role, chosen, mine),
        "errors": list(errors),
        "refused": refused,
        "command_key": new_command_key(),
    }
    return page(request, "access/roles/role.html", context, status=status, nav=staff_nav(request))


def _define(request: PageRequest, form: Form, role_id: UUID | None) -> Response[str]:
    filled, base = form.fill(RoleForm), form.first("base")
    typed = {"name": form.first("name"), "removed": form.every("removed")}
    if (said := filled.value) is None:
        return draw(request, role_id, base=base, typed=typed, errors=filled.errors, status=422)
    runtime, actor, run = runtime_of(request), visit_of(request).actor, _once(request, form)
    wish, versions = CustomRoleWish(said.name, said.base, said.removed), frozenset({said.version})
    try:
        trace_id = trace_of(request)
        define_role(runtime, actor, wish, trace_id=trace_id, role_id=role_id, versions=versions, run=run)
    except _BESIDE_THE_FORM as error:
        return draw(request, role_id, base=base, typed=typed, errors=_places(error), status=error.status)
    return redirect(request, _PATH)


def _once(request: PageRequest, form: Form) -> Run:
    home = home_of(request)

    def run(operation: Any) -> Facts:
        return run_form(request, home.id, key=form.command_key, body=form.typed, operation=operation)

    return run


def _places(error: SlipwayError) -> Errors:
    """Where it belongs in the form; what has no place of its own stands above it."""
    told = [(_FIELDS.get(place, ""), sentence) for place, sentence in error.errors]
    return told or [("removed" if isinstance(error, RoleTooWide) else "", error.message)]
