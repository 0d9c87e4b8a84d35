"""Who comes in: the door of each route, the visitor behind a cookie, and `begin_work`, the only way to a tenant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
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
from app.web.forms import CODE_FIELD, Form, read_form
from app.web.hosts import Site
from app.web.limits import BY_DOOR, STRANGERS, Limiter, Quota, TooManyRequests, sender_of
from app.web.security import Connection, Front, require_same_origin
from app.web.translations import mark
from tenants.engines import Databases
from tenants.registry import find_home
from tenants.sessions import lookup_session
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
_API = "/api/v1/"
_BEARER = re.compile(r"\s*bearer(\s|$)", re.IGNORECASE)


class NotSignedIn(Forbidden):
    """Nobody is signed in here; pages lead to the sign-in page, the API answers 401."""

    status = 401


class TokenUnusable(NotSignedIn):
    """The access token is unknown, has expired, was revoked, or was issued on another host."""


class NothingHere(Missing):
    """The address leads nowhere for this visitor: it does not exist, or it is none of their business."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A signed-in person, or software with a token, on a site; `tenant` is that of the path, when it is theirs too.

    `proof` is what they have proved themselves with in the last quarter of an hour, beside the session;
    `proved_just_now` says that it came with this very request.
    """

    actor: Actor
    email: str
    locale: str
    tenant: Tenant | None = None
    proof: str | None = None
    proved_just_now: bool = False


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """Tells who holds a session token, or an access token, on a site, and looks at the code that a form may bring.

    Identity fulfils it, bootstrap wires it. `look_at_code` raises the trouble of a wrong one.
    """

    find_visit: Callable[[Databases, Site, str, UUID | None], Visit | None]
    find_bearer: Callable[[Databases, Site, str, UUID | None], Visit | None]
    look_at_code: Callable[[PageRequest, Form], None]


async def enforce_door(connection: Connection, handler: BaseRouteHandler) -> None:
    """The guard of the whole application: lets through what the route's door allows.

    Raises NotSignedIn, NothingHere, NotFromHere, TooManyRequests, DatabaseAway.
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


@contextmanager
def begin_work(request: PageRequest, tenant_id: UUID, *, outside: bool = False) -> Iterator[Work]:
    """One transaction in the tenant of the path, as the person who asks. Commits at the end of the `with`.

    Raises NothingHere for somebody without any right in it: to them the tenant does not exist. `outside` also lets in
    staff of its partner who have none yet: what they may then do is asked in their home.
    """
    visit = visit_of(request)
    if visit.tenant is None or visit.tenant.id != tenant_id:
        raise NothingHere(_NOTHING_HERE)
    with open_work(runtime_of(request), visit.tenant, visit.actor, trace_id=trace_of(request)) as work:
        _require_business(work, outside=outside)
        yield work


def run_form(
    request: PageRequest,
    tenant_id: UUID,
    *,
    key: str,
    body: object,
    operation: Callable[[Work], Result],
    outside: bool = False,
) -> Result:
    """Run the operation of a form once for its command key: sent twice, applied once, the same answer both times.

    `body` is what was sent, without the key. `outside` as in `begin_work`. Raises NothingHere, CommandKeyReused and
    what the operation raises.
    """
    return run_once(request, tenant_id, key=key, body=body, operation=operation, outside=outside)[0]


def run_once(
    request: PageRequest,
    tenant_id: UUID,
    *,
    key: str,
    body: object,
    operation: Callable[[Work], Result],
    outside: bool = False,
) -> tuple[Result, bool]:
    """As `run_form`; also says whether the result is that of an earlier run."""
    visit = visit_of(request)
    if visit.tenant is None or visit.tenant.id != tenant_id:
        raise NothingHere(_NOTHING_HERE)

    def guarded(work: Work) -> Result:
        _require_business(work, outside=outside)
        return operation(work)

    return run_command(
        runtime_of(request),
        visit.tenant,
        visit.actor,
        key=key,
        mark=fingerprint(f"{request.method} {request.url.path}", body),
        trace_id=trace_of(request),
        operation=guarded,
    )


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


def home_of(request: PageRequest) -> Tenant:
    """The home of the organisation whose host this is; its staff stand in it from here on. Raises NothingHere."""
    with lookup_session(runtime_of(request).databases) as (session, _now):
        home = find_home(session, site_of(request).organisation_id)
    if home is None:
        raise NothingHere(_NOTHING_HERE)
    request.scope["state"]["visit"] = replace(visit_of(request), tenant=home)
    return home


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


def bearer_token(connection: Connection) -> str | None:
    """The access token that software shows at a door of the API, "" for one that is none. Pages take no tokens."""
    said = connection.headers.getall("authorization", [])
    if not connection.scope["path"].startswith(_API) or not any(_BEARER.match(each) for each in said):
        return None
    return said[0].partition(" ")[2].strip() if len(said) == 1 else ""


async def _let_in(connection: Connection, door: str, quota: Quota | None) -> None:
    visit = await run_sync(_recognise, connection, _tenant_asked(connection) if door == "tenant" else None, quota)
    if visit is None and bearer_token(connection) is not None:
        raise TokenUnusable(mark("This access token cannot be used here. Ask for a new one."))
    if visit is None:
        raise NotSignedIn(mark("Sign in to see this page."))
    connection.scope["state"]["visit"] = visit  # for who is turned away too: their page says as whom they came
    if (door == "tenant" and visit.tenant is None) or (door == "partner" and not visit.actor.roles):
        raise NothingHere(_NOTHING_HERE)


def _recognise(connection: Connection, tenant_id: UUID | None, quota: Quota | None) -> Visit | None:
    """Who comes, counted: an actor by itself, whoever brings no session or a wrong one by the address."""
    visit = _holder(connection, tenant_id)
    if visit is None:
        _count(connection, STRANGERS, address_of(connection))
    elif quota:
        _count(connection, quota, visit.actor.label)
    return visit


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


def _tenant_asked(connection: Connection) -> UUID:
    asked = connection.path_params.get("tenant_id")
    if not isinstance(asked, UUID):
        raise NothingHere(_NOTHING_HERE)
    return asked


def _require_business(work: Work, *, outside: bool) -> None:
    staff = outside and bool(work.actor.roles) and work.actor.organisation_id == work.tenant.organisation_id
    if not (work.rights or staff):
        raise NothingHere(_NOTHING_HERE)


def _require_this_machine(connection: Connection) -> None:
    """A proxy on this machine is loopback too, so a request for a brand's host never counts."""
    near = connection.client is not None and connection.client.host in _LOOPBACK
    if find_site(connection) is not None or not (near or front_of(connection).metrics_open):
        raise NotFoundException


_NOTHING_HERE = mark("The address may be mistyped, or it was never meant for your account.")
