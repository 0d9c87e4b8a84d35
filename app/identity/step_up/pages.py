"""The HTML doors of one's own account: sessions, the authenticator, and proving again who one is."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import segno
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.identity.rules import local_path
from app.identity.step_up.operations import (
    CodeWrong,
    Holder,
    ProofNeeded,
    confirm,
    end_session,
    list_sessions,
    mail_code,
    open_waiting,
    prepare,
    prove,
    read_account,
    remove,
    renew_codes,
)
from app.identity.step_up.rules import MAILED_CODE, provisioning_uri, readable
from app.kernel.errors import SlipwayError
from app.web.begin import runtime_of, session_token, site_of, visit_of
from app.web.forms import CODE_FIELD, Form, new_command_key
from app.web.guard.limits import SIGN_IN
from app.web.page.ways import staff_nav
from app.web.responses import answer_expected, is_for_software, page, redirect
from app.web.translations import mark
from app.web.visit import Visit

PageRequest = Request[Any, Any, Any]
_SETTING_UP = "/account/authenticator"


class AccountPages(Controller):
    """One's own sessions and the authenticator. Everybody has this page, on every host."""

    path = "/account"
    opt = {"door": "signed_in"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(self, request: PageRequest, done: FromQuery[str] = "") -> Response[str]:
        """Where one is signed in, and with what one proves that it is oneself."""
        holder, visit = holder_of(request), visit_of(request)
        context = {
            "email": visit.email,
            "account": read_account(holder),
            "sessions": list_sessions(holder),
            "staff": bool(visit.actor.roles),
            "command_key": new_command_key(),
        }
        said = _DONE.get(done, "")
        return page(request, "identity/step_up/account.html", context, nav=staff_nav(request), notice=said)

    @post("/sessions/{session_id:uuid}/end", sync_to_thread=True)
    def end(self, request: PageRequest, session_id: FromPath[UUID]) -> Response[str]:
        """End one session; the browser it belongs to is signed out at its next request."""
        end_session(holder_of(request), session_id)
        return redirect(request, "/account?done=ended")

    @get("/authenticator", sync_to_thread=True)
    def setting_up(self, request: PageRequest) -> Response[str]:
        """Begin, or the QR code that waits for its first code."""
        return _set_up_page(request, errors=[], status=200)

    @post("/authenticator", sync_to_thread=True)
    def begin(self, request: PageRequest) -> Response[str]:
        """Make the secret; who has not just proved themselves does that first."""
        try:
            prepare(holder_of(request), visit_of(request).actor.id)
        except ProofNeeded:
            return redirect(request, _prove_path(_SETTING_UP))
        return redirect(request, _SETTING_UP)

    @post("/authenticator/confirm", status_code=200, sync_to_thread=True)
    def confirm(self, request: PageRequest, form: NamedDependency[Form]) -> Response[str]:
        """The first code takes the authenticator into use; the answer shows the recovery codes, this once."""
        visit = visit_of(request)
        try:
            codes = confirm(holder_of(request), visit.actor.id, form.first("code"), visit=visit)
        except CodeWrong as error:
            return _set_up_page(request, errors=error.errors, status=422)
        except ProofNeeded:
            return redirect(request, _prove_path(_SETTING_UP))
        return _codes_page(request, codes)

    @post("/authenticator/remove", sync_to_thread=True)
    def remove(self, request: PageRequest) -> Response[str]:
        """Take the authenticator away."""
        try:
            remove(holder_of(request), visit=visit_of(request))
        except ProofNeeded:
            return redirect(request, _prove_path("/account"))
        return redirect(request, "/account?done=removed")

    @post("/recovery-codes", status_code=200, sync_to_thread=True)
    def renew(self, request: PageRequest) -> Response[str]:
        """Fresh recovery codes, shown once; the earlier ones are void."""
        try:
            codes = renew_codes(holder_of(request))
        except ProofNeeded:
            return redirect(request, _prove_path("/account"))
        return _codes_page(request, codes)


class StepUpPages(Controller):
    """Prove again that it is you, then go on to where you were going."""

    path = "/step-up"
    opt = {"door": "signed_in"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def ask(self, request: PageRequest, next: FromQuery[str] = "/account") -> Response[str]:  # noqa: A002 - the name in the address
        """The page that asks for a code."""
        return _ask_page(request, next_path=local_path(next))

    @post("/", status_code=200, opt={"quota": SIGN_IN}, sync_to_thread=True)
    def check(self, request: PageRequest, form: NamedDependency[Form]) -> Response[str]:
        """Look at the code and go on; a wrong one is asked for again."""
        next_path = local_path(form.first("next"), otherwise="/account")
        if not visit_of(request).proved_just_now:  # the form's own dependency has looked at the code by now
            return _ask_page(
                request, next_path=next_path, errors=[(CODE_FIELD, mark("Fill in this field."))], status=422
            )
        return redirect(request, next_path)

    @post("/mail", status_code=200, opt={"quota": SIGN_IN}, sync_to_thread=True)
    def mail(self, request: PageRequest, form: NamedDependency[Form]) -> Response[str]:
        """Mail a code, and ask for it; whatever the interrupted form held is kept."""
        said = mark("A code is on its way to your mailbox.") if mail_code(holder_of(request)) else _NO_MORE
        if kept := _kept(form):
            return _again_page(request, action=form.first("action"), kept=kept, notice=said)
        return _ask_page(request, next_path=local_path(form.first("next"), otherwise="/account"), notice=said)


def look_at_code(request: PageRequest, form: Form) -> None:
    """Prove by the code that came with any form, before its door opens. Raises CodeWrong."""
    code, visit = form.first(CODE_FIELD), visit_of(request)
    prove(holder_of(request), code, visit=visit)


def ask_again(request: PageRequest, error: SlipwayError) -> Response[Any]:
    """The answer where a proof is missing: the form once more, with a place for the code. Nothing typed is lost."""
    form: Form | None = request.scope["state"].get("form")
    if is_for_software(request):
        return answer_expected(request, error)
    if form is None:
        return redirect(request, _prove_path(request.url.path))
    errors = error.errors if isinstance(error, CodeWrong) else []
    if request.url.path == "/step-up":
        return _ask_page(request, next_path=local_path(form.first("next")), errors=errors, status=422)
    status = 422 if errors else 403
    return _again_page(request, action=request.url.path, kept=_pairs(form), errors=errors, status=status)


def holder_of(request: PageRequest) -> Holder:
    """The session of this request, on its site."""
    return Holder(runtime_of(request), site_of(request), session_token(request) or "")


def _prove_path(next_path: str) -> str:
    return f"/step-up?{urlencode({'next': next_path})}"


def _pairs(form: Form) -> list[tuple[str, str]]:
    return [(name, value) for name, value in form.pairs if name not in {CODE_FIELD, "csrf_token"}]


def _kept(form: Form) -> list[tuple[str, str]]:
    """The fields of the interrupted form inside the form that asks for a mail: `kept.name`."""
    return [(name.removeprefix("kept."), value) for name, value in form.pairs if name.startswith("kept.")]


def _ways(request: PageRequest, visit: Visit) -> dict[str, Any]:
    account = read_account(holder_of(request))
    return {
        "email": visit.email,
        "enrolled": account.confirmed_at is not None,
        "locked": account.locked_until is not None,
        "must_enrol": bool(visit.actor.roles) and account.confirmed_at is None,
        "valid_for": MAILED_CODE,
        "command_key": new_command_key(),
    }


def _ask_page(
    request: PageRequest,
    *,
    next_path: str,
    errors: list[tuple[str, str]] | None = None,
    status: int = 200,
    notice: str = "",
) -> Response[str]:
    context = _ways(request, visit_of(request)) | {"next": next_path, "errors": errors or []}
    # Who is on the way to setting an authenticator up has none yet, and proves that the mailbox is theirs.
    context["must_enrol"] = context["must_enrol"] and next_path != _SETTING_UP
    return page(request, "identity/step_up/ask.html", context, status=status, notice=notice)


def _again_page(
    request: PageRequest,
    *,
    action: str,
    kept: list[tuple[str, str]],
    errors: list[tuple[str, str]] | None = None,
    status: int = 200,
    notice: str = "",
) -> Response[str]:
    own = {"action": local_path(action), "kept": kept, "errors": errors or []}
    context = _ways(request, visit_of(request)) | own
    return page(request, "identity/step_up/again.html", context, status=status, notice=notice)


def _set_up_page(request: PageRequest, *, errors: list[tuple[str, str]], status: int) -> Response[str]:
    holder, visit = holder_of(request), visit_of(request)
    account = read_account(holder)
    waiting = open_waiting(holder, visit.actor.id, account) if visit.proof else None
    uri = provisioning_uri(waiting, issuer=site_of(request).brand.name, account=visit.email) if waiting else ""
    context = {
        "qr": _qr(uri) if uri else "",
        "secret": readable(waiting) if waiting else "",
        "replaces": account.confirmed_at is not None,
        "errors": errors,
        "command_key": new_command_key(),
    }
    return page(request, "identity/step_up/authenticator.html", context, status=status, nav=staff_nav(request))


def _qr(uri: str) -> str:
    """As SVG in the page: no image of it ever has an address. White under it, since the page may be dark."""
    return str(segno.make(uri, error="m").svg_inline(scale=5, border=2, light="white", omitsize=True, svgclass="qr"))


def _codes_page(request: PageRequest, codes: list[str]) -> Response[str]:
    return page(request, "identity/step_up/recovery_codes.html", {"codes": codes}, nav=staff_nav(request))


_DONE = {"ended": mark("That session is over."), "removed": mark("The authenticator is removed.")}
_NO_MORE = mark(
    "No further code was sent. Codes go to people without an authenticator, and only a few in an hour: use the last."
)
