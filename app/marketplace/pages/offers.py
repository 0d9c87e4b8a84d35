"""The HTML doors of publishers: offer a published template, follow its checks and its review, end an offer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.access.permissions import Permission
from app.kernel.errors import SlipwayError
from app.kernel.work import Work
from app.marketplace.checking.checks import untold_in
from app.marketplace.doors.places import let_in, scope
from app.marketplace.operations.offering import Ending, Offer, deprecate, submit, withdraw
from app.marketplace.pages.market import run_home
from app.marketplace.pages.showing import submission_of
from app.marketplace.queries.offers import (
    Submission,
    find_key,
    find_offerable,
    get_submission,
    list_submissions,
    states_of,
)
from app.marketplace.queries.plans import fingerprint, said
from app.marketplace.rules import State, Visibility, may_become
from app.web.begin import site_of
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import locale_of, page, redirect
from app.web.translations import mark

PageRequest = Request[Any, Any, Any]
_DONE = {
    "submitted": mark("Submitted. The automatic checks run now; what they find stands here in a moment."),
    "ended": mark("Done. Those who have the version are told."),
}


class OfferPages(Controller):
    """What the partner whose host this is offers to others."""

    path = "/marketplace/offers"
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(self, request: PageRequest, done: FromQuery[str] = "") -> Response[str]:
        """Every submission with what the checks found and what the review said."""
        let_in(request, Permission.TEMPLATE_PUBLISH)
        return _draw_offers(request, notice=_DONE.get(done, ""))

    @get("/new/{address:str}", sync_to_thread=True)
    def begin(self, request: PageRequest, address: FromPath[str]) -> Response[str]:
        """The form that offers a published template."""
        let_in(request, Permission.TEMPLATE_PUBLISH)
        return _draw_form(request, address)

    @post("/new/{address:str}", sync_to_thread=True)
    def submit(self, request: PageRequest, address: FromPath[str], form: NamedDependency[Form]) -> Response[str]:
        """Offer it; the checks follow."""
        let_in(request, Permission.TEMPLATE_PUBLISH)
        choice = form.first("visibility")
        if choice not in set(Visibility):
            return _draw_form(request, address, typed=form.typed, errors=[("visibility", _CHOOSE)])
        document, adapted = _template(request, address)
        if _untold(document):
            return _draw_form(request, address, typed=form.typed, status=422)
        states, overlays = _states(request), adapted if form.first("adapted") else ()
        offer = Offer(f"sha256:{address}", overlays, Visibility(choice), form.first("changelog"))
        try:
            run_home(request, form, lambda work: {"id": str(submit(work, offer, states))})
        except SlipwayError as trouble:
            errors = trouble.errors or [("", trouble.message)]
            return _draw_form(request, address, typed=form.typed, errors=errors, status=trouble.status)
        return redirect(request, "/marketplace/offers?done=submitted")

    @post("/{version_id:uuid}/withdrawal", sync_to_thread=True)
    def withdraw(self, request: PageRequest, version_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Offer it no longer."""

        def operation(work: Work, one: Submission) -> None:
            withdraw(work, version_id, template=one.template_id, state=one.state, reason=form.first("reason"))

        return _end(request, version_id, form, operation)

    @post("/{version_id:uuid}/deprecation", sync_to_thread=True)
    def deprecate(self, request: PageRequest, version_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Ask those who have it to use another."""
        ending = Ending(form.first("reason"), form.first("replaced_by")[:100], form.first("ends_on"))

        def operation(work: Work, one: Submission) -> None:
            deprecate(work, version_id, ending, template=one.template_id, state=one.state)

        return _end(request, version_id, form, operation)


def _states(request: PageRequest) -> Any:
    """What became of each version that was submitted before."""
    with scope(request) as (session, _now):
        return states_of(session, site_of(request).organisation_id)


def _end(request: PageRequest, version_id: UUID, form: Form, operation: Any) -> Response[str]:
    let_in(request, Permission.TEMPLATE_PUBLISH)
    with scope(request) as (session, _now):
        found = get_submission(session, version_id)

    def run(work: Work) -> dict[str, object]:
        operation(work, found)
        return {}

    try:
        run_home(request, form, run)
    except SlipwayError as trouble:
        return _draw_offers(request, refused=trouble)
    return redirect(request, "/marketplace/offers?done=ended")


def _draw_offers(request: PageRequest, *, notice: str = "", refused: SlipwayError | None = None) -> Response[str]:
    organisation_id, language = site_of(request).organisation_id, locale_of(request).language
    with scope(request) as (session, _now):
        found, key = list_submissions(session, organisation_id), find_key(session, organisation_id)
    context = {
        "offers": [submission_of(one, language) | _ways(one.state) for one in found],
        "fingerprint": fingerprint(key) if key else "",
        "command_key": new_command_key(),
        "refused": refused.message if refused else "",
    }
    status, nav = refused.status if refused else 200, staff_nav(request)
    return page(request, "marketplace/offers.html", context, status=status, nav=nav, notice=notice)


def _ways(state: str) -> dict[str, bool]:
    wanted = {"may_withdraw": State.WITHDRAWN, "may_deprecate": State.DEPRECATED}
    return {name: may_become(state, end) for name, end in wanted.items()}


def _draw_form(
    request: PageRequest,
    address: str,
    *,
    typed: dict[str, Any] | None = None,
    errors: list[tuple[str, str]] | None = None,
    status: int = 422,
) -> Response[str]:
    document, adapted = _template(request, address)
    context = {
        "template": {
            "address": address,
            "title": said(document["title"], locale_of(request).language, str(document["default_locale"])),
            "id": document["id"],
            "version": document["version"],
            "adapted": bool(adapted),
            "untold": _untold(document),
        },
        "typed": typed or {},
        "errors": errors or [],
        "command_key": new_command_key(),
    }
    status = status if errors or typed else 200
    return page(request, "marketplace/offer.html", context, status=status, nav=staff_nav(request))


def _untold(document: Mapping[str, Any]) -> list[str]:
    """The languages in which nothing says what it is for: said before it is submitted, not after its checks."""
    return untold_in(document["locales"], document.get("description", {}))


def _template(request: PageRequest, address: str) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """The published template of that address, and the overlays offered on it. Raises TemplateMissing."""
    with scope(request) as (session, _now):
        return find_offerable(session, f"sha256:{address}")


_CHOOSE = mark("Choose who may find it.")
