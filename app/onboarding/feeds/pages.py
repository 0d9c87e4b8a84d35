"""The doors of feeds: make and end one's own address of dates; and the address itself, which needs no session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.access.require import NotPermitted
from app.identity.feeds.operations import end_feed, find_feed_visit, start_feed
from app.kernel.work import Work, open_work
from app.onboarding.dates.pages import dates_page
from app.onboarding.feeds.events import FeedEnded, FeedStarted
from app.onboarding.feeds.ical import Entry, write_feed
from app.onboarding.feeds.queries import dates_feed, own_steps_feed
from app.onboarding.pages.doors import see
from app.onboarding.queries.picture import get_picture
from app.web.begin import (
    NOTHING_HERE,
    NothingHere,
    front_of,
    run_form,
    run_once,
    runtime_of,
    session_token,
    site_of,
    trace_of,
)
from app.web.forms import Form
from app.web.guard.limits import Limiter, Quota, TooManyRequests
from app.web.responses import redirect
from app.web.translations import mark, negotiate, translations

PageRequest = Request[Any, Any, Any]
FEED = Quota("calendar", 120, 3600)  # of one address of dates: calendars ask a few times an hour
_TYPE = "text/calendar"  # its charset is added: UTF-8
_MINE = mark("My steps")


class FeedForms(Controller):
    """One's own address of dates."""

    path = "/t/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/dates/feed"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @post("/", status_code=200, sync_to_thread=True)
    def make(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Make the address, which is shown this once; the one before ends. Sent twice, it is made once."""

        def operation(work: Work) -> dict[str, object]:
            see(request, work, onboarding_id)
            work.record(FeedStarted(subject_id=work.actor.id))
            return {}

        sent = {"key": form.command_key, "body": form.typed, "operation": operation}
        if run_once(request, tenant_id, **sent)[1]:  # type: ignore[arg-type]  # three names, three kinds
            return redirect(request, f"/t/{tenant_id}/onboardings/{onboarding_id}/dates#feed")
        databases, token = runtime_of(request).databases, session_token(request) or ""
        made = start_feed(databases, site_of(request), session_token=token, tenant_id=tenant_id)
        return dates_page(request, tenant_id, onboarding_id, feed=made)

    @post("/end", sync_to_thread=True)
    def end(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """End it: calendars that ask get nothing more."""
        site, databases = site_of(request), runtime_of(request).databases

        def operation(work: Work) -> dict[str, object]:
            see(request, work, onboarding_id)
            if end_feed(databases, site, person_id=work.actor.id, tenant_id=tenant_id):
                work.record(FeedEnded(subject_id=work.actor.id))
            return {}

        run_form(request, tenant_id, key=form.command_key, body=form.typed, operation=operation)
        return redirect(request, f"/t/{tenant_id}/onboardings/{onboarding_id}/dates#feed")


class FeedDoors(Controller):
    """What a calendar asks. The token in the address is all it has; it opens nothing else and leaves no session."""

    path = "/calendar/{token:str}"
    opt = {"door": "public"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/steps.ics", sync_to_thread=True)
    def steps(self, request: PageRequest, token: FromPath[str]) -> Response[bytes]:
        """The steps of the workspace that wait for whoever made this address."""
        with _reading(request, token) as (work, say, language):
            entries = own_steps_feed(work, say=say, language=language, origin=_origin(request))
            name = f"{say(_MINE)} · {work.tenant.name}"
        return _answer(request, entries, name)

    @get("/{onboarding_id:uuid}/dates.ics", sync_to_thread=True)
    def dates(self, request: PageRequest, token: FromPath[str], onboarding_id: FromPath[UUID]) -> Response[bytes]:
        """The dates of one onboarding."""
        with _reading(request, token) as (work, say, language):
            picture = get_picture(work, onboarding_id, say=say, language=language)
            entries, name = dates_feed(work, picture, origin=_origin(request)), picture.onboarding.name
        return _answer(request, entries, name)


@contextmanager
def _reading(request: PageRequest, token: str) -> Iterator[tuple[Work, Callable[[str], str], str]]:
    """Read in the tenant with the rights that the maker has now. Raises NothingHere for whoever has none any more."""
    runtime = runtime_of(request)
    standing = runtime.service(Limiter).take(FEED, sha256(token.encode()).hexdigest())
    if not standing.allowed:
        raise TooManyRequests(standing)
    visit = find_feed_visit(runtime.databases, site_of(request), token)
    if visit is None or visit.tenant is None:
        raise NothingHere(NOTHING_HERE)
    language = negotiate(None, visit.locale).language
    with open_work(runtime, visit.tenant, visit.actor, trace_id=trace_of(request)) as work:
        try:
            yield work, translations(language).gettext, language
        except NotPermitted:
            raise NothingHere(NOTHING_HERE) from None


def _origin(request: PageRequest) -> str:
    return front_of(request).url(site_of(request).host, "")


def _answer(request: PageRequest, entries: list[Entry], name: str) -> Response[bytes]:
    body = write_feed(entries, name=name, brand=site_of(request).brand.name)
    return Response(body, media_type=_TYPE, headers={"content-disposition": 'inline; filename="dates.ics"'})
