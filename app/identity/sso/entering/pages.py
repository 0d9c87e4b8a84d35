"""The doors of a sign-in by a provider: off to it, back from it, and its word that somebody has signed out."""

from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.identity.rules import SESSION_LIFETIME, is_token, local_path, new_token
from app.identity.sso.entering.signing_in import AttemptUnusable, Coming, begin_sign_in, finish_sign_in
from app.identity.sso.entering.signing_out import obey_logout
from app.identity.sso.queries import Offer, list_domain_offers, list_staff_offers
from app.identity.sso.rules import ATTEMPT_LIFETIME
from app.web.begin import front_of, runtime_of, session_token, site_of, trace_of
from app.web.forms import Form
from app.web.responses import redirect
from app.web.translations import mark

PageRequest = Request[Any, Any, Any]
_ATTEMPT = int(ATTEMPT_LIFETIME.total_seconds())
_SESSION = int(SESSION_LIFETIME.total_seconds())
_LONGEST_COOKIE = 3500  # characters: browsers drop larger ones, and logout works without
_ANSWERS = {"state", "code", "iss", "error"}


class ProviderDoors(Controller):
    """To the provider and back. What comes back is bound to the browser that went."""

    path = "/sign-in"
    opt = {"door": "public"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/with/{connection_id:uuid}", sync_to_thread=True)
    def leave(
        self,
        request: PageRequest,
        connection_id: FromPath[UUID],
        next: FromQuery[str] = "/",  # noqa: A002 - the name in the address
    ) -> Response[str]:
        """Send the browser to the provider."""
        front, site = front_of(request), site_of(request)
        browser = request.cookies.get(front.cookie_name("sso"), "")
        browser = browser if is_token(browser) else new_token().text
        wanted = {"connection_id": connection_id, "next_path": local_path(next), "browser": browser}
        url = begin_sign_in(runtime_of(request), site, **wanted)  # type: ignore[arg-type]  # three names, three kinds
        return redirect(request, url, cookies=(front.cookie("sso", browser, seconds=_ATTEMPT),))

    @get("/callback", sync_to_thread=True)
    def arrive(self, request: PageRequest) -> Response[str]:
        """Take the provider's answer and sign this browser in under a fresh token."""
        front, runtime, site = front_of(request), runtime_of(request), site_of(request)
        browser, agent = request.cookies.get(front.cookie_name("sso"), ""), request.headers.get("user-agent", "")
        coming = Coming(browser, session_token(request), agent)
        arrived = finish_sign_in(runtime, site, answer=_answer(request), coming=coming, trace_id=trace_of(request))
        kept = arrived.id_token if len(arrived.id_token) <= _LONGEST_COOKIE else ""
        cookies = (
            front.cookie("sid", arrived.token, seconds=_SESSION),
            front.cookie("idt", kept, seconds=_SESSION if kept else 0),
            front.cookie("next", "", seconds=0),
        )
        return redirect(request, arrived.next_path, cookies=cookies)

    @post("/backchannel-logout", opt={"door": "hook"}, status_code=200, sync_to_thread=True)
    def be_told(self, request: PageRequest, form: NamedDependency[Form]) -> Response[str]:
        """A provider says that somebody has signed out: their sessions of it end, and nobody else's."""
        obey_logout(runtime_of(request), site_of(request), logout_token=form.first("logout_token"))
        return Response("", status_code=200, media_type="text/plain")


def ways_in(request: PageRequest, next_path: str) -> list[dict[str, str]]:
    """The providers that the sign-in page offers to everybody."""
    return _ways(list_staff_offers(runtime_of(request).databases, site_of(request).organisation_id), next_path)


def offers_for(request: PageRequest, address: str, next_path: str) -> list[dict[str, str]]:
    """The providers of the domain of a typed address."""
    found = list_domain_offers(runtime_of(request).databases, site_of(request).organisation_id, address)
    return _ways(found, next_path)


def id_token_of(request: PageRequest) -> str:
    """What the provider knows this browser's person by at logout; "" where it was too long to keep."""
    return str(request.cookies.get(front_of(request).cookie_name("idt"), ""))


def _ways(offers: list[Offer], next_path: str) -> list[dict[str, str]]:
    query = urlencode({"next": local_path(next_path)})
    return [{"name": offer.name, "path": f"/sign-in/with/{offer.id}?{query}"} for offer in offers]


def _answer(request: PageRequest) -> dict[str, str]:
    """The parameters of the provider's answer, each once. Raises AttemptUnusable."""
    pairs = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    mine = [(name, value) for name, value in pairs if name in _ANSWERS]
    if len(dict(mine)) != len(mine) or any("\x00" in value for _name, value in mine):
        raise AttemptUnusable(_TWICE)
    return dict(mine)


_TWICE = mark("This answer of a provider cannot be read. Begin again.")
