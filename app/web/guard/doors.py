"""The guard of the whole application: who may knock at which door, who comes, and how often."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal as Words
from typing import cast, get_args
from uuid import UUID

from anyio.to_thread import run_sync
from litestar import Litestar
from litestar.exceptions import NotFoundException
from litestar.handlers.base import BaseRouteHandler

from app.web.begin import (
    NOTHING_HERE,
    DirectoryUnknown,
    Doorkeeper,
    NothingHere,
    NotSignedIn,
    PageRequest,
    TokenUnusable,
    bearer_token,
    find_site,
    find_visit,
    front_of,
    runtime_of,
    session_token,
    site_of,
)
from app.web.forms import CODE_FIELD, Form, read_form
from app.web.guard.backlog import Backlog
from app.web.guard.limits import BY_DOOR, STRANGERS, Limiter, Quota, TooManyRequests, sender_of
from app.web.security import Connection, require_same_origin
from app.web.translations import mark
from app.web.visit import Visit

# Who may knock. public: anybody · hook: a sender whose token and signature the handler verifies · signed_in: a person ·
# partner: a person with a role in the host's organisation · tenant: a person with business in the tenant of the path ·
# machine: software on this very machine · directory: a directory of the host's organisation, by its bearer token.
Door = Words["public", "hook", "signed_in", "partner", "tenant", "machine", "directory"]
DOORS: tuple[str, ...] = get_args(Door)
_FOR_PEOPLE = {"public", "signed_in", "partner", "tenant"}
_CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
_LOOPBACK = {"127.0.0.1", "::1"}


async def enforce_door(connection: Connection, handler: BaseRouteHandler) -> None:
    """The guard of the whole application: lets through what the route's door allows.

    Raises NotSignedIn, NothingHere, NotFromHere, DirectoryUnknown, TooManyRequests, QueueTooOld, DatabaseAway.
    """
    method = str(connection.scope.get("method"))
    if method == "OPTIONS":
        return  # Litestar's own answer: which methods there are
    door = handler.opt.get("door")
    if door in _FOR_PEOPLE and method in _CHANGING and bearer_token(connection) is None:
        require_same_origin(connection)
    if door == "machine":
        _require_this_machine(connection)
    elif connection.scope["state"].get("site") is None and not handler.opt.get("probe"):
        raise NotFoundException
    elif door in {"signed_in", "partner", "tenant"}:
        await _let_in(connection, str(door), _quota_of(handler))
        if handler.opt.get("begins_work"):
            await run_sync(_require_room, connection)
    elif door == "directory":
        connection.scope["state"]["directory"] = await run_sync(_recognise_directory, connection, _quota_of(handler))
    elif door not in DOORS:
        raise NotFoundException
    elif quota := _quota_of(handler):
        await run_sync(_count, connection, quota, address_of(connection))


def require_doors(app: Litestar) -> None:
    """Refuse to start with a route that names no door. Raises LookupError with the routes."""
    bare = sorted(
        route.path
        for route in app.routes
        for handler in getattr(route, "route_handlers", [getattr(route, "route_handler", None)])
        if handler is not None
        and handler.opt.get("door") not in DOORS
        and "OPTIONS" not in getattr(handler, "http_methods", ())
    )
    if bare:
        raise LookupError(f"These routes name no door in their opt: {', '.join(bare)}")


def address_of(connection: Connection) -> str:
    """What requests of strangers are counted by; behind a trusted proxy that of the proxy's client."""
    return sender_of(connection.client.host if connection.client else None)


async def provide_form(request: PageRequest) -> Form:
    """The posted form of a request, as a dependency named `form`; a code in it proves the visitor.

    Raises WrongContentType, FormUnreadable, and the trouble of a wrong code.
    """
    form = await read_form(request)
    request.scope["state"]["form"] = form
    if form.first(CODE_FIELD):
        await run_sync(_prove, request, form)
    return form


def _prove(request: PageRequest, form: Form) -> None:
    """Let the code prove the visitor before the door opens; the visit is read anew."""
    visit, token = find_visit(request), session_token(request)
    if visit is None or token is None:
        return
    runtime = runtime_of(request)
    keeper = runtime.service(Doorkeeper)
    keeper.look_at_code(request, form)
    tenant_id = visit.tenant.id if visit.tenant else None
    if (proved := keeper.find_visit(runtime.databases, site_of(request), token, tenant_id)) is not None:
        request.scope["state"]["visit"] = replace(proved, proved_just_now=True)


async def _let_in(connection: Connection, door: str, quota: Quota | None) -> None:
    visit = await run_sync(_recognise, connection, _tenant_asked(connection) if door == "tenant" else None, quota)
    if visit is None and bearer_token(connection) is not None:
        raise TokenUnusable(mark("This access token cannot be used here. Ask for a new one."))
    if visit is None:
        raise NotSignedIn(mark("Sign in to see this page."))
    connection.scope["state"]["visit"] = visit  # for who is turned away too: their page says as whom they came
    if (door == "tenant" and visit.tenant is None) or (door == "partner" and not visit.actor.roles):
        raise NothingHere(NOTHING_HERE)


def _recognise(connection: Connection, tenant_id: UUID | None, quota: Quota | None) -> Visit | None:
    """Who comes, counted: an actor by itself, whoever brings no session or a wrong one by the address."""
    visit = _holder(connection, tenant_id)
    if visit is None:
        _count(connection, STRANGERS, address_of(connection))
    elif quota:
        _count(connection, quota, visit.actor.label)
    return visit


def _require_room(connection: Connection) -> None:
    """Where the work is the tenant's its own cell counts; a new tenant may go to any."""
    visit, runtime = find_visit(connection), runtime_of(connection)
    tenant = visit.tenant if visit else None
    cells = [tenant.cell] if tenant else runtime.databases.cells
    runtime.service(Backlog).require_room(cells, tenant.id if tenant else None)


def _quota_of(handler: BaseRouteHandler) -> Quota | None:
    return cast("Quota | None", handler.opt.get("quota", BY_DOOR[str(handler.opt["door"])]))


def _count(connection: Connection, quota: Quota, who: str) -> None:
    """Count the request; how its sender stands goes into the answer (`RateLimit`)."""
    standing = runtime_of(connection).service(Limiter).take(quota, who)
    connection.scope["state"]["standing"] = standing
    if not standing.allowed:
        raise TooManyRequests(standing)


def _holder(connection: Connection, tenant_id: UUID | None) -> Visit | None:
    """Who shows a token. With an access token beside a cookie only the token counts: it came by no browser's habit."""
    runtime, bearer = runtime_of(connection), bearer_token(connection)
    keeper, site = runtime.service(Doorkeeper), site_of(connection)
    if bearer is not None:
        return keeper.find_bearer(runtime.databases, site, bearer, tenant_id)
    token = session_token(connection)
    return None if token is None else keeper.find_visit(runtime.databases, site, token, tenant_id)


def _recognise_directory(connection: Connection, quota: Quota | None) -> object:
    """Which directory shows its token; counted by the address, so that nobody tries tokens for long."""
    _count(connection, quota or STRANGERS, address_of(connection))
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    runtime = runtime_of(connection)
    keeper = runtime.service(Doorkeeper)
    found = keeper.find_directory(runtime.databases, site_of(connection), token.strip())
    if scheme.lower() != "bearer" or found is None:
        raise DirectoryUnknown("Send the token of this directory as a bearer token. It may have been replaced.")
    return found


def _tenant_asked(connection: Connection) -> UUID:
    asked = connection.path_params.get("tenant_id")
    if not isinstance(asked, UUID):
        raise NothingHere(NOTHING_HERE)
    return asked


def _require_this_machine(connection: Connection) -> None:
    """A proxy on this machine is loopback too, so a request for a brand's host never counts."""
    near = connection.client is not None and connection.client.host in _LOOPBACK
    if find_site(connection) is not None or not (near or front_of(connection).metrics_open):
        raise NotFoundException
