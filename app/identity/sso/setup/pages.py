"""The pages on which an identity provider is set up, tried out and switched off: a partner's own, and a customer's."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.access.permissions import Permission
from app.access.require import require
from app.access.rights import implied_roles
from app.access.roles import CUSTOMER_ROLES, PARTNER_ROLES
from app.identity.sso.entering.signing_in import CALLBACK
from app.identity.sso.protocol.provider import Client, Providers
from app.identity.sso.protocol.trouble import SENTENCES
from app.identity.sso.queries import ConnectionView, list_claims, list_connections
from app.identity.sso.rules import NEVER_GIVEN
from app.identity.sso.secrets import ClientSecrets
from app.identity.sso.setup.forms import read_form, typed_of
from app.identity.sso.setup.probe import Tried, try_out
from app.identity.sso.setup.saving import (
    RoleNotYours,
    confirm_domain,
    keep_result,
    publish_confirmation,
    publish_connection,
    save_connection,
)
from app.kernel.commands import Result, fingerprint, run_command
from app.kernel.errors import Missing
from app.kernel.trail import get_entry
from app.kernel.work import Work, open_work
from app.web.begin import NothingHere, begin_work, front_of, home_of, runtime_of, site_of, trace_of, visit_of
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import locale_of, page, redirect
from app.web.translations import mark, translations
from tenants.tenant import Tenant

PageRequest = Request[Any, Any, Any]


class ConnectionMissing(Missing):
    """There is no such connection here."""


@dataclass(frozen=True, slots=True)
class Place:
    """Whose connections a page is about."""

    tenant: Tenant
    path: str
    staff: bool


class StaffProviderPages(Controller):
    """The providers of a partner's own people, and what its customers claim."""

    path = "/settings/sso"
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(self, request: PageRequest, connection: FromQuery[UUID | None] = None) -> Response[str]:
        """What is set up, and the form for one connection or a new one."""
        return _show(request, _home(request), connection)

    @post("/", sync_to_thread=True)
    def save(self, request: PageRequest, form: NamedDependency[Form]) -> Response[str]:
        """Save a new connection."""
        return _save(request, _home(request), form, None)

    @post("/{connection_id:uuid}", sync_to_thread=True)
    def change(self, request: PageRequest, connection_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Change a connection."""
        return _save(request, _home(request), form, connection_id)

    @post("/{connection_id:uuid}/test", sync_to_thread=True)
    def test(self, request: PageRequest, connection_id: FromPath[UUID]) -> Response[str]:
        """Try a connection out and keep the result."""
        return _test(request, _home(request), connection_id)

    @post("/claims", sync_to_thread=True)
    def confirm(self, request: PageRequest, form: NamedDependency[Form]) -> Response[str]:
        """Confirm that a domain is the customer's who claims it."""
        return _confirm(request, _home(request), form)


class CustomerProviderPages(Controller):
    """The providers of a customer's people."""

    path = "/t/{tenant_id:uuid}/sso"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(
        self, request: PageRequest, tenant_id: FromPath[UUID], connection: FromQuery[UUID | None] = None
    ) -> Response[str]:
        """What is set up, and the form for one connection or a new one."""
        return _show(request, _customer(request, tenant_id), connection)

    @post("/", sync_to_thread=True)
    def save(self, request: PageRequest, tenant_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Save a new connection."""
        return _save(request, _customer(request, tenant_id), form, None)

    @post("/{connection_id:uuid}", sync_to_thread=True)
    def change(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        connection_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Change a connection."""
        return _save(request, _customer(request, tenant_id), form, connection_id)

    @post("/{connection_id:uuid}/test", sync_to_thread=True)
    def test(self, request: PageRequest, tenant_id: FromPath[UUID], connection_id: FromPath[UUID]) -> Response[str]:
        """Try a connection out and keep the result."""
        return _test(request, _customer(request, tenant_id), connection_id)


def _home(request: PageRequest) -> Place:
    return Place(home_of(request), "/settings/sso", staff=True)


def _customer(request: PageRequest, tenant_id: UUID) -> Place:
    tenant = visit_of(request).tenant
    if tenant is None or tenant.id != tenant_id or tenant.kind == "home":
        raise NothingHere(_MISSING)
    with begin_work(request, tenant_id):  # to who has no right in it at all it does not exist
        return Place(tenant, f"/t/{tenant_id}/sso", staff=False)


def _listed(request: PageRequest, place: Place) -> list[ConnectionView]:
    return list_connections(runtime_of(request).databases, place.tenant.organisation_id, place.tenant.id)


def _chosen(request: PageRequest, place: Place, connection_id: UUID | None) -> ConnectionView | None:
    if connection_id is None:
        return None
    found = next((view for view in _listed(request, place) if view.id == connection_id), None)
    if found is None:
        raise ConnectionMissing(_MISSING)
    return found


def _ask(request: PageRequest, place: Place) -> frozenset[str]:
    """The roles of who looks, if they may. Raises NotPermitted."""
    actor = visit_of(request).actor
    with open_work(runtime_of(request), place.tenant, actor, trace_id=trace_of(request)) as work:
        require(work, Permission.DIRECTORY_MANAGE)
        return work.rights


def _show(request: PageRequest, place: Place, connection_id: UUID | None) -> Response[str]:
    rights = _ask(request, place)
    chosen = _chosen(request, place, connection_id)
    return _page(request, place, rights, chosen, typed_of(chosen), [], status=200)


def _save(request: PageRequest, place: Place, form: Form, connection_id: UUID | None) -> Response[str]:
    rights, runtime = _ask(request, place), runtime_of(request)
    before = _chosen(request, place, connection_id)
    secrets = runtime.service(ClientSecrets)  # type: ignore[type-abstract]  # the key is the protocol
    wanted, errors = read_form(form, secrets.hide, runtime.service(Providers).unfit)
    if wanted is not None:
        body = {name: value for name, value in form.typed.items() if name != "client_secret"}
        try:
            done = _run(request, place, form, body, lambda work: save_connection(work, secrets, wanted, before))
        except RoleNotYours as error:
            errors = [("group_roles", error.message)]
        else:
            _publish(request, place, done)
            return redirect(request, f"{place.path}?connection={done['id']}")
    typed = {name: value for name, value in form.typed.items() if name != "client_secret"}
    return _page(request, place, rights, before, typed, errors, status=422)


def _publish(request: PageRequest, place: Place, done: Result) -> None:
    """Let `control` follow now rather than by the job, from the very entry that it will follow from."""
    runtime, event_id = runtime_of(request), UUID(str(done["event_id"]))
    actor = visit_of(request).actor
    with open_work(runtime, place.tenant, actor, trace_id=trace_of(request)) as work:
        said = dict(get_entry(work.session, event_id).body)
    publish_connection(runtime, place.tenant, UUID(str(done["id"])), event_id, said)


def _test(request: PageRequest, place: Place, connection_id: UUID) -> Response[str]:
    _ask(request, place)
    runtime, chosen = runtime_of(request), _chosen(request, place, connection_id)
    if chosen is None:
        raise ConnectionMissing(_MISSING)
    secrets = runtime.service(ClientSecrets)  # type: ignore[type-abstract]  # the key is the protocol
    actor = visit_of(request).actor
    with open_work(runtime, place.tenant, actor, trace_id=trace_of(request)) as work:
        secret = secrets.open(work, chosen.id) if chosen.has_secret else None
    redirect_uri = front_of(request).url(site_of(request).host, CALLBACK)
    client = Client(chosen.issuer, chosen.client_id, redirect_uri, secret)
    lost = chosen.has_secret and secret is None
    tried = Tried(trouble="secret") if lost else try_out(runtime.service(Providers), client)
    keep_result(runtime, place.tenant.organisation_id, chosen.id, tried.as_result())
    return redirect(request, f"{place.path}?connection={chosen.id}")


def _confirm(request: PageRequest, place: Place, form: Form) -> Response[str]:
    _ask(request, place)
    runtime, organisation_id = runtime_of(request), place.tenant.organisation_id
    waiting = list_claims(runtime.databases, organisation_id)
    sent = (form.first("connection"), form.first("domain"))
    claim = next((each for each in waiting if (str(each.connection_id), each.domain) == sent), None)
    if claim is None:
        raise ConnectionMissing(_MISSING)

    def operation(work: Work) -> Result:
        return confirm_domain(work, connection_id=claim.connection_id, domain=claim.domain, tenant_id=claim.tenant_id)

    _run(request, place, form, sent, operation)
    publish_confirmation(runtime, organisation_id, claim.connection_id, claim.domain)
    return redirect(request, place.path)


def _run(request: PageRequest, place: Place, form: Form, body: object, operation: Callable[[Work], Result]) -> Result:
    result, _replayed = run_command(
        runtime_of(request),
        place.tenant,
        visit_of(request).actor,
        key=form.command_key,
        mark=fingerprint(f"POST {request.url.path}", body),
        trace_id=trace_of(request),
        operation=operation,
    )
    return result


def _page(
    request: PageRequest,
    place: Place,
    rights: frozenset[str],
    chosen: ConnectionView | None,
    typed: dict[str, Any],
    errors: list[tuple[str, str]],
    *,
    status: int,
) -> Response[str]:
    site, front, runtime = site_of(request), front_of(request), runtime_of(request)
    own = PARTNER_ROLES if place.staff else CUSTOMER_ROLES
    roles = sorted(str(role) for role in implied_roles(rights) & own if role not in NEVER_GIVEN)
    say = translations(locale_of(request).language).gettext
    context = {
        "name": site.name if place.staff else place.tenant.name,
        "path": place.path,
        "back": "/" if place.staff else f"/t/{place.tenant.id}",
        "connections": [_shown(view, say, front.url(site.host, "")) for view in _listed(request, place)],
        "claims": list_claims(runtime.databases, place.tenant.organisation_id) if place.staff else [],
        "chosen": _shown(chosen, say, front.url(site.host, "")) if chosen else None,
        "typed": typed,
        "errors": errors,
        "roles": [{"id": role, "label": role.replace("_", " ")} for role in roles],
        "addresses": {
            "redirect": front.url(site.host, CALLBACK),
            "logout": front.url(site.host, "/sign-in/backchannel-logout"),
            "after": front.url(site.host, "/sign-in"),
        },
        "command_key": new_command_key(),
    }
    return page(request, "identity/sso/setup.html", context, status=status, nav=staff_nav(request))


def _shown(view: ConnectionView, say: Callable[[str], str], origin: str) -> dict[str, Any]:
    tested = view.tested or {}
    trouble = SENTENCES.get(str(tested.get("trouble", "")), "")
    return {
        "id": str(view.id),
        "name": view.name,
        "issuer": view.issuer,
        "active": view.state == "active",
        "required": view.required,
        "has_secret": view.has_secret,
        "domains": view.domains,
        "direct": f"{origin}/sign-in/with/{view.id}",
        "steps": tested.get("steps", {}),
        "tested_at": datetime.fromisoformat(tested["at"]) if tested else None,
        "trouble": say(trouble) if trouble else "",
    }


_MISSING = mark("There is no such identity provider here.")
