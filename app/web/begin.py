"""Who comes in: the door of each route, the visitor behind a cookie, and `begin_work`, the only way to a tenant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast, get_args
from typing import Literal as Words
from uuid import UUID

from anyio.to_thread import run_sync
from litestar import Litestar, Request
from litestar.exceptions import NotFoundException
from litestar.handlers.base import BaseRouteHandler

from app.kernel.actor import Actor
from app.kernel.commands import Result, fingerprint, run_command
from app.kernel.errors import Forbidden, Missing
from app.kernel.runtime import Runtime
from app.kernel.work import Work, open_work
from app.web.hosts import Site
from app.web.security import Connection, Front, require_same_origin
from app.web.translations import mark
from tenants.engines import Databases
from tenants.tenant import Tenant

PageRequest = Request[Any, Any, Any]

# Who may knock. public: anybody · hook: a sender whose token and signature the handler verifies · signed_in: a person ·
# partner: a person with a role in the host's organisation · tenant: a person with business in the tenant of the path ·
# machine: software on this very machine.
Door = Words["public", "hook", "signed_in", "partner", "tenant", "machine"]
DOORS: tuple[str, ...] = get_args(Door)
_FOR_PEOPLE = {"public", "signed_in", "partner", "tenant"}
_CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
_LOOPBACK = {"127.0.0.1", "::1"}


class NotSignedIn(Forbidden):
    """Nobody is signed in here; pages lead to the sign-in page, the API answers 401."""

    status = 401


class NothingHere(Missing):
    """The address leads nowhere for this visitor: it does not exist, or it is none of their business."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A signed-in person on a site; `tenant` is that of the path, when they have business there."""

    actor: Actor
    email: str
    locale: str
    tenant: Tenant | None = None


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """Tells who holds a session token on a site; identity fulfils it, bootstrap wires it."""

    find_visit: Callable[[Databases, Site, str, UUID | None], Visit | None]


@dataclass(frozen=True, slots=True)
class Refusals:
    """Writes down who was refused what, and where; the trail fulfils it, bootstrap wires it."""

    note: Callable[[Runtime, Actor, Tenant | None, str, str], None]


async def enforce_door(connection: Connection, handler: BaseRouteHandler) -> None:
    """The guard of the whole application: lets through what the route's door allows.

    Raises NotSignedIn, NothingHere, NotFromHere, DatabaseAway.
    """
    method = str(connection.scope.get("method"))
    if method == "OPTIONS":
        return  # Litestar's own answer: which methods there are
    door = handler.opt.get("door")
    if door in _FOR_PEOPLE and method in _CHANGING:
        require_same_origin(connection)
    if door == "machine":
        _require_this_machine(connection)
    elif connection.scope["state"].get("site") is None and not handler.opt.get("probe"):
        raise NotFoundException
    elif door in {"signed_in", "partner", "tenant"}:
        await _let_in(connection, str(door))
    elif door not in DOORS:
        raise NotFoundException


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


@contextmanager
def begin_work(request: PageRequest, tenant_id: UUID) -> Iterator[Work]:
    """One transaction in the tenant of the path, as the person who asks. Commits at the end of the `with`.

    Raises NothingHere for somebody without any right in it: to them the tenant does not exist.
    """
    visit = visit_of(request)
    if visit.tenant is None or visit.tenant.id != tenant_id:
        raise NothingHere(_NOTHING_HERE)
    with open_work(runtime_of(request), visit.tenant, visit.actor, trace_id=trace_of(request)) as work:
        _require_business(work)
        yield work


def run_form(
    request: PageRequest, tenant_id: UUID, *, key: str, body: object, operation: Callable[[Work], Result]
) -> Result:
    """Run the operation of a form once for its command key: sent twice, applied once, the same answer both times.

    `body` is what was sent, without the key. Raises NothingHere, CommandKeyReused and what the operation raises.
    """
    visit = visit_of(request)
    if visit.tenant is None or visit.tenant.id != tenant_id:
        raise NothingHere(_NOTHING_HERE)

    def guarded(work: Work) -> Result:
        _require_business(work)
        return operation(work)

    result, _replayed = run_command(
        runtime_of(request),
        visit.tenant,
        visit.actor,
        key=key,
        mark=fingerprint(f"{request.method} {request.url.path}", body),
        trace_id=trace_of(request),
        operation=guarded,
    )
    return result


def visit_of(connection: Connection) -> Visit:
    """The visitor that the door let in. Raises NotSignedIn behind a public door with nobody signed in."""
    visit = find_visit(connection)
    if visit is None:
        raise NotSignedIn(mark("Sign in to see this page."))
    return visit


def find_visit(connection: Connection) -> Visit | None:
    """The visitor that the door let in, if this door asks for one."""
    return cast("Visit | None", connection.scope["state"].get("visit"))


def site_of(connection: Connection) -> Site:
    """The site whose host was asked. Raises NothingHere for a probe by bare address."""
    site = find_site(connection)
    if site is None:
        raise NothingHere(_NOTHING_HERE)
    return site


def find_site(connection: Connection) -> Site | None:
    """The site whose host was asked, or None for a probe by bare address."""
    return cast("Site | None", connection.scope["state"].get("site"))


def trace_of(connection: Connection) -> str:
    """The trace id of this request: in its answer, its log lines and every trail entry it makes."""
    return str(connection.scope["state"]["trace_id"])


def runtime_of(connection: Connection) -> Runtime:
    """What this process has at hand."""
    return cast("Runtime", connection.app.state.runtime)


def front_of(connection: Connection) -> Front:
    """How this installation is reached."""
    return runtime_of(connection).service(Front)


def session_token(connection: Connection) -> str | None:
    """The session's token, from its cookie of this installation."""
    return connection.cookies.get(front_of(connection).cookie_name("sid")) or None


async def _let_in(connection: Connection, door: str) -> None:
    visit = await run_sync(_recognise, connection, _tenant_asked(connection) if door == "tenant" else None)
    if visit is None:
        raise NotSignedIn(mark("Sign in to see this page."))
    connection.scope["state"]["visit"] = visit  # for who is turned away too: their page says as whom they came
    if (door == "tenant" and visit.tenant is None) or (door == "partner" and not visit.actor.roles):
        raise NothingHere(_NOTHING_HERE)


def _recognise(connection: Connection, tenant_id: UUID | None) -> Visit | None:
    token = session_token(connection)
    if token is None:
        return None
    runtime = runtime_of(connection)
    return runtime.service(Doorkeeper).find_visit(runtime.databases, site_of(connection), token, tenant_id)


def _tenant_asked(connection: Connection) -> UUID:
    asked = connection.path_params.get("tenant_id")
    if not isinstance(asked, UUID):
        raise NothingHere(_NOTHING_HERE)
    return asked


def _require_business(work: Work) -> None:
    if not work.rights:
        raise NothingHere(_NOTHING_HERE)


def _require_this_machine(connection: Connection) -> None:
    """A proxy on this machine is loopback too, so a request for a brand's host never counts."""
    near = connection.client is not None and connection.client.host in _LOOPBACK
    if find_site(connection) is not None or not (near or front_of(connection).metrics_open):
        raise NotFoundException


_NOTHING_HERE = mark("The address may be mistyped, or it was never meant for your account.")
