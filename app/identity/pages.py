"""Sign-in by mailed link, sign-out, and the reader's language and appearance: the HTML doors of identity."""

from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.background_tasks import BackgroundTask
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.identity.operations import LinkUnusable, mail_link, sign_in, sign_out, sign_out_everywhere
from app.identity.queries import find_link_address
from app.identity.rules import (
    SESSION_LIFETIME,
    STAFF_LINK,
    clean_address,
    is_nonce,
    is_token,
    local_path,
    new_token,
    nonce_for,
)
from app.identity.schemas import PreferencesForm, SignInForm
from app.identity.sso.entering.pages import id_token_of, offers_for, ways_in
from app.identity.sso.entering.signing_out import farewell_url
from app.web.begin import front_of, runtime_of, session_token, site_of, visit_of
from app.web.forms import Form, new_command_key
from app.web.guard.limits import SIGN_IN
from app.web.responses import page, redirect
from app.web.security import NotFromHere
from app.web.translations import LOCALES, mark

PageRequest = Request[Any, Any, Any]
_YEAR = 365 * 24 * 3600
_WHILE = int(STAFF_LINK.total_seconds())
_SESSION = int(SESSION_LIFETIME.total_seconds())


class SignInPages(Controller):
    """Ask for a link, open it, confirm it. Opening (GET, HEAD, a mail scanner) uses nothing up; the button does."""

    path = "/sign-in"
    opt = {"door": "public"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def ask(self, request: PageRequest, next: FromQuery[str] = "/") -> Response[str]:  # noqa: A002 - the name in the address
        """The form that asks for an address; where the reader wanted to go waits in a cookie."""
        shown = {"email": "", "errors": [], "command_key": new_command_key(), "ways": ways_in(request, next)}
        answer = page(request, "identity/sign_in.html", shown)
        answer.set_cookie(front_of(request).cookie("next", local_path(next), seconds=_WHILE))
        return answer

    @post("/", status_code=200, opt={"quota": SIGN_IN}, sync_to_thread=True)
    def send(self, request: PageRequest, form: NamedDependency[Form]) -> Response[str]:
        """Always the same answer; the mail, if any, goes out after it."""
        filled = form.fill(SignInForm)
        address = clean_address(filled.value.email) if filled.value else None
        if address is None:
            errors = filled.errors or [("email", _ADDRESS)]
            shown = {"email": form.first("email"), "errors": errors, "command_key": new_command_key()}
            return page(request, "identity/sign_in.html", shown | {"ways": ways_in(request, "/")}, status=422)
        front = front_of(request)
        next_path = request.cookies.get(front.cookie_name("next"), "/")
        sent = {"email": address, "valid_for": STAFF_LINK, "inbox": front.inbox}
        answer = page(request, "identity/link_sent.html", sent | {"ways": offers_for(request, address, next_path)})
        send = BackgroundTask(mail_link, runtime_of(request), site_of(request), email=address, next_path=next_path)
        answer.background = send
        return answer

    @get("/{token:str}", sync_to_thread=True)
    def open(self, request: PageRequest, token: FromPath[str]) -> Response[str]:
        """The page with the button. Its nonce works in this browser and for this link only."""
        site = site_of(request)
        email = find_link_address(runtime_of(request).databases, site, token) if is_token(token) else None
        if email is None:
            raise LinkUnusable(_UNUSABLE)
        front = front_of(request)
        knock = request.cookies.get(front.cookie_name("knock"), "")
        knock = knock if is_token(knock) else new_token().text
        shown = {"action": f"/sign-in/{token}", "nonce": nonce_for(knock, token), "email": email}
        answer = page(request, "identity/confirm_link.html", shown | {"command_key": new_command_key()})
        answer.set_cookie(front.cookie("knock", knock, seconds=_WHILE))
        return answer

    @post("/{token:str}", sync_to_thread=True)
    def confirm(self, request: PageRequest, token: FromPath[str], form: NamedDependency[Form]) -> Response[str]:
        """Use the link up, once, and sign this browser in under a fresh token."""
        front, earlier = front_of(request), session_token(request)
        knock = request.cookies.get(front.cookie_name("knock"), "")
        if not is_nonce(form.first("nonce"), knock, token):
            raise NotFromHere(_ELSEWHERE)
        opened = sign_in(
            runtime_of(request).databases,
            site_of(request),
            link_token=token,
            earlier=earlier,
            agent=request.headers.get("user-agent", ""),
        )
        gone = [front.cookie(word, "", seconds=0) for word in ("knock", "next")]
        return redirect(request, opened.next_path, cookies=(front.cookie("sid", opened.token, seconds=_SESSION), *gone))


class SignOutPages(Controller):
    """The way out: this browser, or all of them."""

    path = "/sign-out"
    opt = {"door": "public"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @post("/", sync_to_thread=True)
    def leave(self, request: PageRequest) -> Response[str]:
        """End this session; without one there is nothing to end, and that is fine too.

        Who came by an identity provider is offered to sign out there as well: by a link, since no form of ours may lead
        a browser to another host.
        """
        runtime, site, onward = runtime_of(request), site_of(request), None
        if token := session_token(request):
            onward = farewell_url(runtime, site, session_token=token, id_token=id_token_of(request))
            sign_out(runtime.databases, site, session_token=token)
        gone = tuple(front_of(request).cookie(word, "", seconds=0) for word in ("sid", "idt"))
        if onward is None:
            return redirect(request, "/sign-in", cookies=gone)
        answer = page(request, "identity/sso/farewell.html", {"onward": onward})
        for cookie in gone:
            answer.set_cookie(cookie)
        return answer

    @post("/everywhere", opt={"door": "signed_in"}, sync_to_thread=True)
    def leave_everywhere(self, request: PageRequest) -> Response[str]:
        """End every session of this person in this brand, and the links that wait in their mailbox."""
        person_id = visit_of(request).actor.id
        sign_out_everywhere(runtime_of(request).databases, site_of(request), person_id=person_id)
        return redirect(request, "/sign-in", cookies=(front_of(request).cookie("sid", "", seconds=0),))


@post("/preferences", opt={"door": "public"}, include_in_schema=False, sync_to_thread=True)
def choose_preferences(request: PageRequest, form: NamedDependency[Form]) -> Response[str]:
    """Remember a language or an appearance in this browser and go back to the page."""
    front, chosen = front_of(request), form.fill(PreferencesForm).value or PreferencesForm()
    cookies = []
    if chosen.locale in LOCALES:
        cookies.append(front.cookie("locale", chosen.locale, seconds=_YEAR))
    if "theme" in form.typed:
        theme = chosen.theme if chosen.theme in {"light", "dark"} else ""
        cookies.append(front.cookie("theme", theme or "", seconds=_YEAR if theme else 0))
    return redirect(request, local_path(chosen.return_to), cookies=tuple(cookies))


_ADDRESS = mark("This is not an e-mail address such as name@example.org.")
_UNUSABLE = mark("This link has been used or has expired. Ask for a new one on the sign-in page.")
_ELSEWHERE = mark("This page was opened in another browser or too long ago. Open the link from your mail again.")
