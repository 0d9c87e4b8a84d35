"""Answers: pages, fragments, redirects, and every trouble as a page in the brand or as a problem (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import structlog
from babel import Locale
from litestar import Request, Response
from litestar.background_tasks import BackgroundTask
from litestar.datastructures import Cookie
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap

from app.kernel.errors import Conflict, Forbidden, Invalid, Missing, SlipwayError, Unavailable
from app.kernel.work import TenantNotActive, TenantUpgrading
from app.web.assets import DIST
from app.web.begin import NotSignedIn, find_site, find_visit, front_of, runtime_of, site_of, trace_of
from app.web.frame import Chrome, Link
from app.web.page.whereabouts import page_path
from app.web.rendering import languages_of, render
from app.web.security import NotFromHere
from app.web.translations import IN_FULL, LOCALES, WRITTEN_IN, mark, negotiate, translations
from app.web.visit import Refusals
from app.web.wire.challenge import challenge
from tenants.sessions import DatabaseAway

PageRequest = Request[Any, Any, Any]
HTML = "text/html"
PROBLEM = "application/problem+json"
SIGN_IN = "/sign-in"
_FOR_SOFTWARE = ("/api/", "/hooks/", "/oauth/", "/.well-known/", "/scim/", "/healthz", "/readyz", "/metrics")
_log = structlog.get_logger()

_AWAY = mark("A part of this service cannot be reached right now. Try again in a moment.")
_SURPRISE = mark("Something unexpected happened on our side. Quote the trace id when you ask about it.")
_NOT_ACTIVE = {
    "seeding": mark("This workspace is being set up. Try again in a moment."),
    "suspended": mark("This workspace is paused. Nothing is lost, and it goes on where it stopped once it is resumed."),
    "exporting": mark("This workspace is being moved or closed, and nobody can work in it meanwhile."),
    "shredded": mark("This workspace has been erased."),
    "dropped": mark("This workspace has been erased."),
}
_PAGES = {Missing: "not_found", Forbidden: "forbidden", Conflict: "conflict", Invalid: "invalid"}
_PAGES_BY_STATUS = {404: "not_found", 401: "forbidden", 403: "forbidden", 409: "conflict", 503: "unavailable"}
_TITLES = {
    Missing: mark("Not found"),
    Conflict: mark("Things have moved on"),
    Forbidden: mark("Not permitted"),
    Invalid: mark("Not usable"),
    Unavailable: mark("Not available right now"),
}


def page(
    request: PageRequest,
    name: str,
    context: Mapping[str, Any],
    *,
    status: int = 200,
    nav: tuple[Link, ...] = (),
    jumps: tuple[Link, ...] = (),
    role: str = "",
    notice: str = "",
) -> Response[str]:
    """A whole page in the site's brand and the reader's language. `errors` in the context are message ids."""
    visit, preferences = find_visit(request), _preferences(request)
    notice = str(translations(_tongue(request, name).language).gettext(notice)) if notice else ""
    chrome = Chrome(
        path=page_path(request),
        person=visit.actor.name if visit else "",
        role=role,
        nav=nav,
        jumps=jumps or nav,
        sign_out="/sign-out" if visit else "",
        theme=preferences["theme"],
        notice=notice,
    )
    return Response(_drawn(request, name, {"chrome": chrome, **context}), status_code=status, media_type=HTML)


def fragment(request: PageRequest, name: str, context: Mapping[str, Any], *, status: int = 200) -> Response[str]:
    """A part of a page, for htmx to put in place."""
    return Response(draw_fragment(request, name, context), status_code=status, media_type=HTML)


def draw_fragment(request: PageRequest, name: str, context: Mapping[str, Any]) -> str:
    """The text of a part of a page, as a stream sends it."""
    return _drawn(request, name, context)


def wants_fragment(request: PageRequest) -> bool:
    """Whether htmx asks for a part of a page rather than for all of it (htmx 4: HX-Request-Type)."""
    return request.headers.get("hx-request") == "true" and request.headers.get("hx-request-type") == "partial"


def redirect(request: PageRequest, path: str, *, cookies: tuple[Cookie, ...] = ()) -> Response[str]:
    """Go to a path of this host, by GET. To htmx this is a header, so that the whole page changes."""
    if wants_fragment(request):
        return Response("", status_code=200, media_type=HTML, headers={"hx-redirect": path}, cookies=list(cookies))
    return Response("", status_code=303, media_type=HTML, headers={"location": path}, cookies=list(cookies))


def locale_of(request: PageRequest) -> Locale:
    """The reader's language: what they chose here, else what the browser asks for. Staff read one kept in full."""
    visit = find_visit(request)
    return _negotiated(request, IN_FULL if visit and visit.actor.roles else tuple(LOCALES))


def problem(
    request: PageRequest,
    *,
    status: int,
    slug: str,
    title: str,
    detail: str,
    errors: list[dict[str, str]] | None = None,
    headers: dict[str, str] | None = None,
) -> Response[dict[str, Any]]:
    """A trouble for software: stable type, title of its kind, this occurrence's sentence, places, trace id."""
    body = _problem_body(request, status=status, slug=slug, title=title, detail=detail, errors=errors)
    return Response(body, status_code=status, media_type=PROBLEM, headers=headers)


def told_of(request: PageRequest, error: SlipwayError) -> dict[str, Any]:
    """A trouble with a name as the body of a problem."""
    errors = [{"pointer": place, "detail": _said(request, sentence)} for place, sentence in error.errors]
    title, detail = _said(request, _TITLES[_kind_of(error)]), _said(request, error.message)
    body = _problem_body(request, status=error.status, slug=error.slug, title=title, detail=detail, errors=errors)
    return {**error.extensions, **body}


def answer_expected(request: PageRequest, error: SlipwayError) -> Response[Any]:
    """Trouble with a name: its kind decides the status, its text is what the reader gets. Refusals are written down."""
    answer = _answer(request, error)
    visit, permission = find_visit(request), error.extensions.get("permission")
    refusals = runtime_of(request).services.get(Refusals) if visit and permission else None
    if isinstance(refusals, Refusals) and visit and permission:
        told = (runtime_of(request), visit.actor, visit.tenant, permission, trace_of(request))
        answer.background = BackgroundTask(refusals.note, *told)
    return answer


def _answer(request: PageRequest, error: SlipwayError) -> Response[Any]:
    wait = getattr(error, "retry_after", None)  # of what is Unavailable, and of a state that passes by itself
    headers = challenge(request, error) | ({} if wait is None else {"retry-after": str(wait)})
    headers |= {"etag": error.extensions["etag"]} if "etag" in error.extensions else {}  # of what was changed meanwhile
    kind = _kind_of(error)
    if isinstance(error, TenantNotActive):
        error.message = _NOT_ACTIVE.get(error.state, error.message)
    if is_for_software(request):
        return Response(told_of(request, error), status_code=error.status, media_type=PROBLEM, headers=headers)
    if isinstance(error, NotSignedIn):
        return _to_sign_in(request)
    name = "unavailable" if isinstance(error, Unavailable) else _PAGES[kind]
    name = "upgrading" if isinstance(error, TenantUpgrading) else name
    name = "paused" if isinstance(error, TenantNotActive) and error.state == "suspended" else name
    name = "invalid" if isinstance(error, NotFromHere) else name  # no matter of roles: the form has to be sent again
    return _trouble_page(request, name, status=error.status, message=error.message, headers=headers)


def answer_refused(request: PageRequest, error: HTTPException) -> Response[Any]:
    """What Litestar refuses by itself: unknown path, wrong method, too large, not what the schema says."""
    status, phrase = error.status_code, HTTPStatus(error.status_code).phrase
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return answer_surprise(request, error)
    headers = {name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"}
    if is_for_software(request):
        errors = _places(error) if isinstance(error, ValidationException) else None
        slug = phrase.lower().replace(" ", "-")
        return problem(
            request, status=status, slug=slug, title=phrase, detail=f"{phrase}.", errors=errors, headers=headers
        )
    return _trouble_page(request, _PAGES_BY_STATUS.get(status, "invalid"), status=status, message="", headers=headers)


def answer_away(request: PageRequest, error: DatabaseAway) -> Response[Any]:
    """The database cannot be reached: it would work later."""
    _log.warning("web.database_away", path=request.url.path, reason=type(error.__cause__ or error).__name__)
    headers = {"retry-after": str(Unavailable.retry_after)}
    if is_for_software(request):
        title, detail = _said(request, _TITLES[Unavailable]), _said(request, _AWAY)
        return problem(request, status=503, slug="database-away", title=title, detail=detail, headers=headers)
    return _trouble_page(request, "unavailable", status=503, message=_AWAY, headers=headers)


def answer_surprise(request: PageRequest, error: Exception) -> Response[Any]:
    """A bug: the log gets the traceback, the reader the number to quote, nobody the inside."""
    _log.error("web.unexpected", method=request.method, path=request.url.path, exc_info=error)
    if is_for_software(request):
        title, detail = _said(request, mark("Unexpected")), _said(request, _SURPRISE)
        return problem(request, status=500, slug="unexpected", title=title, detail=detail)
    return _trouble_page(request, "unexpected", status=500, message="", headers={})


def is_for_software(request: PageRequest) -> bool:
    """Whether software asks: by path, or by accepting JSON and no page."""
    path, accepts = request.url.path, request.headers.get("accept", "")
    return (
        find_site(request) is None
        or path.startswith(_FOR_SOFTWARE)
        or ("json" in accepts and "html" not in accepts and "*/*" not in accepts)
    )


EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    SlipwayError: answer_expected,
    HTTPException: answer_refused,
    DatabaseAway: answer_away,
    Exception: answer_surprise,
}


def _kind_of(error: SlipwayError) -> type[SlipwayError]:
    return next((kind for kind in _TITLES if isinstance(error, kind)), Invalid)


def _problem_body(
    request: PageRequest, *, status: int, slug: str, title: str, detail: str, errors: list[dict[str, str]] | None
) -> dict[str, Any]:
    site = find_site(request)
    kind = front_of(request).url(site.host, f"/problems/{slug}") if site else "about:blank"
    body = {"type": kind, "title": title, "status": status, "detail": detail, "trace_id": trace_of(request)}
    return body | ({"errors": errors} if errors else {})


def _trouble_page(
    request: PageRequest, name: str, *, status: int, message: str, headers: dict[str, str]
) -> Response[str]:
    """The error page; htmx puts it over the whole page, since it has no place inside a part of one."""
    said = _translated(request, message)
    if not (DIST / "manifest.json").exists():  # without the front end a sentence has to do
        return Response(said or HTTPStatus(status).phrase, status_code=status, media_type="text/plain", headers=headers)
    answer = page(request, f"errors/{name}.html", {"message": said, "trace_id": trace_of(request)}, status=status)
    if wants_fragment(request):
        headers = headers | {"hx-retarget": "body", "hx-reswap": "innerHTML"}
    for header, value in headers.items():
        answer.set_header(header, value)
    return answer


def _to_sign_in(request: PageRequest) -> Response[str]:
    """To the sign-in page, which leads back here afterwards if here is something to look at."""
    if request.method != "GET" or wants_fragment(request):
        return redirect(request, SIGN_IN)
    query = f"?{request.url.query}" if request.url.query else ""
    return redirect(request, f"{SIGN_IN}?{urlencode({'next': request.url.path + query})}")


def _drawn(request: PageRequest, name: str, context: Mapping[str, Any]) -> str:
    known, locale = dict(context), _tongue(request, name)
    say = translations(locale.language).gettext
    if isinstance(known.get("errors"), list):
        known["errors"] = [(place, str(say(sentence))) for place, sentence in known["errors"]]
    return render(name, known, locale=locale, brand_view=site_of(request).brand)


def _tongue(request: PageRequest, name: str) -> Locale:
    """The language of a page: the reader's if all of the page can be said in it, else the next best."""
    wished = locale_of(request)
    return wished if wished in languages_of(name) else _negotiated(request, IN_FULL)


def _negotiated(request: PageRequest, among: tuple[str, ...]) -> Locale:
    return negotiate(request.headers.get("accept-language"), _preferences(request)["locale"] or None, among=among)


def _said(request: PageRequest, sentence: str) -> str:
    return str(translations(locale_of(request).language).gettext(sentence))


def _translated(request: PageRequest, sentence: str) -> str:
    """The sentence in the reader's language, or nothing: the page then says its own general one."""
    said = _said(request, sentence) if sentence else ""
    return said if said != sentence or locale_of(request).language == WRITTEN_IN else ""


def _preferences(request: PageRequest) -> dict[str, str]:
    """Language and appearance that were chosen in this browser, else the language the person is known to read."""
    front, visit = front_of(request), find_visit(request)
    theme = request.cookies.get(front.cookie_name("theme"), "")
    chosen = request.cookies.get(front.cookie_name("locale"), "") or (visit.locale if visit else "")
    return {"theme": theme if theme in {"light", "dark"} else "", "locale": chosen}


def _places(error: ValidationException) -> list[dict[str, str]]:
    """Where the input does not fit, as JSON Pointers; Litestar says `a.b` or `a[0]`."""
    found = error.extra if isinstance(error.extra, list) else []
    places = []
    for one in found:
        if isinstance(one, dict):
            key = str(one.get("key", "")).replace("[", ".").replace("]", "")
            pointer = "".join(f"/{part}" for part in key.split(".") if part)
            places.append({"pointer": pointer, "detail": str(one.get("message", ""))})
    return places
