"""The HTML doors of who looks for templates: search, one listing, installing it, saying what it is worth."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.access.permissions import Permission
from app.kernel.errors import SlipwayError
from app.kernel.work import Work
from app.marketplace.doors.places import fetch, install_here, let_in, may, scope
from app.marketplace.operations import speaking
from app.marketplace.pages.showing import card_of
from app.marketplace.queries.finding import facets, narrow, read_choices
from app.marketplace.queries.market import (
    NO_SUCH,
    Card,
    ListingMissing,
    get_package,
    list_installed,
    list_ratings,
    read_listing,
    search_listings,
)
from app.marketplace.queries.plans import effective_of, plan
from app.marketplace.rules import newest
from app.web.begin import home_of, run_form, site_of
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import locale_of, page, redirect
from app.web.translations import mark

PageRequest = Request[Any, Any, Any]
_DONE = {
    "installed": mark("Installed. It stands among your templates within seconds; nothing that runs has changed."),
    "known": mark("You have this version already. Nothing has changed."),
    "rated": mark("Thank you. Your rating shows within seconds."),
    "reported": mark("The operator has been told."),
}


class MarketPages(Controller):
    """Templates that are on offer to the partner whose host this is."""

    path = "/marketplace"
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(self, request: PageRequest, q: FromQuery[str] = "") -> Response[str]:
        """What fits the words and the choices."""
        let_in(request)
        asked = read_choices(request.query_params)
        with scope(request) as (session, _now):
            found, taken = search_listings(session, q), list_installed(session)
        context = {"q": q, "asked": asked, "facets": facets(found, asked), "narrowed": bool(q or any(asked.values()))}
        language, own = locale_of(request).language, site_of(request).organisation_id
        context["cards"] = [_carded(card, taken, language, own) for card in narrow(found, asked)]
        context["over"] = [card_of(card, language) for card in taken if card.state != "listed"]
        context["may_publish"] = may(request, Permission.TEMPLATE_PUBLISH)
        context["may_review"] = may(request, Permission.LISTING_REVIEW)
        return page(request, "marketplace/market.html", context, nav=staff_nav(request))

    @get("/listings/{listing_id:uuid}", sync_to_thread=True)
    def look(
        self, request: PageRequest, listing_id: FromPath[UUID], version: FromQuery[str] = "", done: FromQuery[str] = ""
    ) -> Response[str]:
        """One listing: its plan as the reader's own customers would see it, versions, ratings."""
        let_in(request)
        return draw_listing(request, listing_id, version=version, notice=_DONE.get(done, ""))

    @get("/versions/{version_id:uuid}/package", sync_to_thread=True)
    def export(self, request: PageRequest, version_id: FromPath[UUID]) -> Response[bytes]:
        """The signed file, as its publisher signed it, for another installation."""
        let_in(request)
        with scope(request) as (session, _now):
            stored = get_package(session, version_id)
        named = f'attachment; filename="{stored.template_id}-{stored.version}.json"'
        return Response(stored.package, media_type="application/json", headers={"content-disposition": named})

    @post("/versions/{version_id:uuid}/installation", sync_to_thread=True)
    def install(self, request: PageRequest, version_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Take a version, after everything about it was verified again."""
        let_in(request, Permission.TEMPLATE_PUBLISH)
        taking = fetch(request, version_id)
        stored = taking.stored
        try:
            done = run_home(request, form, lambda work: {"new": install_here(work, taking)})
        except SlipwayError as trouble:
            return draw_listing(request, stored.listing_id, version=stored.version, refused=trouble)
        return redirect(
            request, f"/marketplace/listings/{stored.listing_id}?done={'installed' if done['new'] else 'known'}"
        )

    @post("/listings/{listing_id:uuid}/rating", sync_to_thread=True)
    def rate(self, request: PageRequest, listing_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Say what it is worth to those who run it."""
        stars = form.first("stars")
        number = int(stars) if stars.isascii() and stars.isdigit() and len(stars) == 1 else 0

        def operation(work: Work) -> None:
            speaking.rate(work, listing_id, stars=number, said=form.first("said"))

        return _say(request, listing_id, form, operation, "rated")

    @post("/listings/{listing_id:uuid}/reports", sync_to_thread=True)
    def report(self, request: PageRequest, listing_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Tell the operator that something is wrong with it."""

        def operation(work: Work) -> None:
            speaking.report(work, listing_id, reason=form.first("reason"))

        return _say(request, listing_id, form, operation, "reported")


def draw_listing(
    request: PageRequest,
    listing_id: UUID,
    *,
    version: str = "",
    notice: str = "",
    refused: SlipwayError | None = None,
) -> Response[str]:
    """The page of a listing; with what stood against something that was tried. Raises ListingMissing."""
    with scope(request) as (session, _now):
        versions, ratings = read_listing(session, listing_id), list_ratings(session, listing_id)
        card = _chosen(versions, version)
        stored = get_package(session, card.version_id)
    query, language = request.query_params, locale_of(request).language
    context = plan(effective_of(stored.package, stored.key), query.get("view", ""), query.get("language", language))
    context |= {
        "listing": _carded(
            card, [each for each in versions if each.installed], language, site_of(request).organisation_id
        ),
        "versions": [card_of(each, language) for each in versions],
        "ratings": ratings,
        "may_publish": may(request, Permission.TEMPLATE_PUBLISH),
        "command_key": new_command_key(),
        "refused": refused.message if refused else "",
        "typed": {},
    }
    status = refused.status if refused else 200
    nav = staff_nav(request)
    return page(request, "marketplace/listing.html", context, status=status, nav=nav, notice=notice)


def run_home(request: PageRequest, form: Form, operation: Any) -> dict[str, Any]:
    """Run the operation of a form in the organisation's home, once for its command key."""
    home = home_of(request)
    return run_form(request, home.id, key=form.command_key, body=form.typed, operation=operation)


def _say(request: PageRequest, listing_id: UUID, form: Form, operation: Any, done: str) -> Response[str]:
    let_in(request, Permission.TEMPLATE_PUBLISH)
    with scope(request) as (session, _now):
        read_listing(session, listing_id)

    def run(work: Work) -> dict[str, object]:
        operation(work)
        return {}

    try:
        run_home(request, form, run)
    except SlipwayError as trouble:
        return draw_listing(request, listing_id, refused=trouble)
    return redirect(request, f"/marketplace/listings/{listing_id}?done={done}")


def _chosen(versions: list[Card], version: str) -> Card:
    if not version:
        return next((each for each in versions if each.offered), versions[0])
    found = next((each for each in versions if each.version == version), None)
    if found is None:
        raise ListingMissing(NO_SUCH)
    return found


def _carded(card: Card, taken: list[Card], language: str, reader: UUID) -> dict[str, Any]:
    """A card, and whether it is the reader's organisation's own, or it has this version, or an earlier one."""
    have = [each.version for each in taken if each.listing_id == card.listing_id]
    has = "" if not have else "this" if card.version in have else "older"
    has = "own" if card.organisation_id == reader else has
    return card_of(card, language) | {"has": has, "held": newest(have) if have else ""}
