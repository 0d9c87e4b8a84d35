"""Who has come in, and `begin_work`, the only way to a tenant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, cast
from uuid import UUID

from litestar import Request

from app.kernel.commands import Result, fingerprint, run_command
from app.kernel.errors import Forbidden, Missing
from app.kernel.runtime import Runtime
from app.kernel.work import Work, open_work
from app.web.forms import Form
from app.web.hosts import Site
from app.web.security import Connection, Front
from app.web.translations import mark
from app.web.visit import Visit
from tenants.engines import Databases
from tenants.registry import find_home
from tenants.sessions import lookup_session
from tenants.tenant import Tenant

PageRequest = Request[Any, Any, Any]

_API = "/api/v1/"
_BEARER = re.compile(r"\s*bearer(\s|$)", re.IGNORECASE)


class NotSignedIn(Forbidden):
    """Nobody is signed in here; pages lead to the sign-in page, the API answers 401."""

    status = 401


class TokenUnusable(NotSignedIn):
    """The access token is unknown, has expired, was revoked, or was issued on another host."""


class DirectoryUnknown(Forbidden):
    """No directory of this host holds that token: whatever is wrong with it, the answer is the same."""

    status = 401


class NothingHere(Missing):
    """The address leads nowhere for this visitor: it does not exist, or it is none of their business."""


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """Tells who holds a session token, or an access token, on a site, and looks at the code that a form may bring.

    Identity fulfils it, bootstrap wires it. `look_at_code` raises the trouble of a wrong one.
    """

    find_visit: Callable[[Databases, Site, str, UUID | None], Visit | None]
    find_bearer: Callable[[Databases, Site, str, UUID | None], Visit | None]
    find_directory: Callable[[Databases, Site, str], object | None]
    look_at_code: Callable[[PageRequest, Form], None]


@contextmanager
def begin_work(request: PageRequest, tenant_id: UUID, *, outside: bool = False) -> Iterator[Work]:
    """One transaction in the tenant of the path, as the person who asks. Commits at the end of the `with`.

    Raises NothingHere for somebody without any right in it: to them the tenant does not exist. `outside` also lets in
    staff of its partner who have none yet: what they may then do is asked in their home.
    """
    visit = visit_of(request)
    if visit.tenant is None or visit.tenant.id != tenant_id:
        raise NothingHere(NOTHING_HERE)
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
        raise NothingHere(NOTHING_HERE)

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
        raise NothingHere(NOTHING_HERE)
    return site


def find_site(connection: Connection) -> Site | None:
    """The site whose host was asked, or None for a probe by bare address."""
    return cast("Site | None", connection.scope["state"].get("site"))


def home_of(request: PageRequest) -> Tenant:
    """The home of the organisation whose host this is; its staff stand in it from here on. Raises NothingHere."""
    visit, site = visit_of(request), site_of(request)
    if visit.tenant and visit.tenant.kind == "home" and visit.tenant.organisation_id == site.organisation_id:
        return visit.tenant
    with lookup_session(runtime_of(request).databases) as (session, _now):
        home = find_home(session, site.organisation_id)
    if home is None:
        raise NothingHere(NOTHING_HERE)
    request.scope["state"]["visit"] = replace(visit, tenant=home)
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


def bearer_token(connection: Connection) -> str | None:
    """The access token that software shows at a door of the API, "" for one that is none. Pages take no tokens."""
    said = connection.headers.getall("authorization", [])
    if not connection.scope["path"].startswith(_API) or not any(_BEARER.match(each) for each in said):
        return None
    return said[0].partition(" ")[2].strip() if len(said) == 1 else ""


def _require_business(work: Work, *, outside: bool) -> None:
    staff = outside and bool(work.actor.roles) and work.actor.organisation_id == work.tenant.organisation_id
    if not (work.rights or staff):
        raise NothingHere(NOTHING_HERE)


NOTHING_HERE = mark("The address may be mistyped, or it was never meant for your account.")
