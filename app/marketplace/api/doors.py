"""The JSON doors of who looks for templates: search, read, install, import, and say what a listing is worth."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response
from litestar.params import FromPath, RawBody
from msgspec import UNSET, structs, to_builtins

from app.access.permissions import Permission
from app.kernel.paging import CursorKey, Listing
from app.marketplace.api import described
from app.marketplace.api.answers import (
    accept,
    card_fields,
    checks_out,
    once,
    plan_out,
    signature_out,
    version_out,
)
from app.marketplace.doors.places import fetch, install_here, let_in, receive, scope
from app.marketplace.operations import speaking
from app.marketplace.queries.finding import facets, narrow
from app.marketplace.queries.market import (
    Card,
    get_card,
    get_checks,
    get_package,
    list_held,
    list_ratings,
    read_listing,
    search_listings,
)
from app.marketplace.queries.paging import next_of, place_of
from app.marketplace.schemas import (
    FacetOut,
    ImportedOut,
    InstallationOut,
    InstalledList,
    InstalledOut,
    ListingOut,
    ListingPage,
    MarketQuery,
    NewerOut,
    RatingOut,
    RatingWish,
    ReportWish,
    VersionFull,
    VersionQuery,
)
from app.marketplace.signing import package_hash
from app.templates.packing.package import LARGEST
from app.web.begin import runtime_of, site_of
from app.web.responses import locale_of
from app.web.wire.answering import answer_done, answer_read, link_next, write
from app.web.wire.doors import commands, reads
from app.web.wire.openapi import FILE
from app.web.wire.reading import is_known, read_body, read_key, read_query, require_media

PageRequest = Request[Any, Any, Any]


class MarketDoors(Controller):
    """What is on offer to the partner whose host this is, and what it has taken."""

    path = "/api/v1/marketplace"
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("marketplace",)

    @reads("/listings", "marketplace.search", described.SEARCH)
    def search(self, request: PageRequest) -> Response[bytes]:
        """List what fits the words and the choices, the last offered first; with what each other choice would find."""
        let_in(request)
        asked = read_query(request, MarketQuery)
        shown = _page(request, asked)
        return answer_read(request, write(shown), link_next(request, shown.next))

    @reads("/listings/{listing_id:uuid}", "marketplace.read", described.READ)
    def read(self, request: PageRequest, listing_id: FromPath[UUID]) -> Response[bytes]:
        """Read one listing: its versions with their changelogs, the newest first, and its ratings."""
        let_in(request)
        with scope(request) as (session, _now):
            cards, ratings = read_listing(session, listing_id), list_ratings(session, listing_id)
        said = [RatingOut(each.stars, each.said, each.said_at, each.mine) for each in ratings]
        first = cards[0]
        shown = ListingOut(listing_id, first.template_id, first.publisher, [version_out(each) for each in cards], said)
        return answer_read(request, write(shown))

    @reads("/versions/{version_id:uuid}", "marketplace.readVersion", described.READ_VERSION)
    def read_version(self, request: PageRequest, version_id: FromPath[UUID]) -> Response[bytes]:
        """Read one version: what the checks said, its whole plan, and whose signatures it bears."""
        let_in(request)
        language = read_query(request, VersionQuery).language or locale_of(request).language
        with scope(request) as (session, _now):
            (card, stored), checks = get_card(session, version_id), get_checks(session, version_id)
        told: dict[str, Any] = {"checks": checks_out(checks), "plan": plan_out(stored, language)}
        return answer_read(request, write(VersionFull(**card_fields(card), **told, signature=signature_out(stored))))

    @reads("/versions/{version_id:uuid}/package", "marketplace.package", described.PACKAGE)
    def package(self, request: PageRequest, version_id: FromPath[UUID]) -> Response[bytes]:
        """Download the signed file, byte for byte as its publisher signed it. Its ETag is its SHA-256."""
        let_in(request)
        with scope(request) as (session, _now):
            stored = get_package(session, version_id)
        named = f'attachment; filename="{stored.template_id}-{stored.version}.json"'
        headers = {"etag": f'"{package_hash(stored.package)}"', "content-disposition": named}
        if is_known(request, headers["etag"]):
            return Response(b"", status_code=304, headers=headers, media_type=FILE)
        return Response(stored.package, headers=headers, media_type=FILE)

    @commands("/versions/{version_id:uuid}/installation", "marketplace.install", described.INSTALL)
    def install(self, request: PageRequest, version_id: FromPath[UUID]) -> Response[bytes]:
        """Take a version, after everything about it was verified again. What runs goes on as it is."""
        read_key(request)
        let_in(request, Permission.TEMPLATE_PUBLISH)
        taking = fetch(request, version_id)
        done, replayed = once(request, None, lambda work: {"new": install_here(work, taking)})
        stored = taking.stored
        shown = InstallationOut(version_id, stored.listing_id, stored.template_id, stored.version, done["new"])
        return answer_done(write(shown), status=200, replayed=replayed)

    @reads("/installations", "marketplace.installed", described.INSTALLED)
    def installed(self, request: PageRequest) -> Response[bytes]:
        """List what your organisation has taken: what became of it, and what newer version there is to go to."""
        let_in(request)
        with scope(request) as (session, _now):
            held = list_held(session)
        return answer_read(request, write(InstalledList([_installed(card, later) for card, later in held])))

    @commands("/imports", "marketplace.import", described.IMPORT, most=LARGEST)
    def receive(self, request: PageRequest, body: RawBody) -> Response[bytes]:
        """Take in a signed file of a publisher whose key a person here has decided to trust."""
        read_key(request)
        let_in(request, Permission.TEMPLATE_PUBLISH)
        require_media(request, FILE)
        package, take = receive(request, body)
        done, replayed = once(request, hashlib.sha256(body).hexdigest(), lambda work: {"new": take(work)})
        version, digest = str(package.chain[-1].document["version"]), package.chain[-1].digest
        signed = (package.key.name, package.key.fingerprint)
        shown = ImportedOut(package.template.id, version, digest, *signed, new=done["new"])
        return answer_done(write(shown), status=200, replayed=replayed)

    @commands("/listings/{listing_id:uuid}/rating", "marketplace.rate", described.RATE, status=202)
    def rate(self, request: PageRequest, listing_id: FromPath[UUID], body: RawBody) -> Response[bytes]:
        """Say what a listing is worth to those who run it; a later word replaces an earlier one."""
        read_key(request)
        let_in(request, Permission.TEMPLATE_PUBLISH)
        wish = read_body(request, body, RatingWish)
        _seen(request, listing_id)
        return accept(
            request, listing_id, wish, lambda work: speaking.rate(work, listing_id, stars=wish.stars, said=wish.said)
        )

    @commands("/listings/{listing_id:uuid}/reports", "marketplace.report", described.REPORT, status=202)
    def report(self, request: PageRequest, listing_id: FromPath[UUID], body: RawBody) -> Response[bytes]:
        """Tell the operator that something is wrong with a listing."""
        read_key(request)
        let_in(request, Permission.TEMPLATE_PUBLISH)
        wish = read_body(request, body, ReportWish)
        _seen(request, listing_id)
        return accept(request, listing_id, wish, lambda work: speaking.report(work, listing_id, reason=wish.reason))


def _seen(request: PageRequest, listing_id: UUID) -> None:
    """Nobody speaks of what they may not see. Raises ListingMissing."""
    with scope(request) as (session, _now):
        read_listing(session, listing_id)


def _page(request: PageRequest, asked: MarketQuery) -> ListingPage:
    chosen = to_builtins(structs.replace(asked, cursor=UNSET, limit=0))
    key = runtime_of(request).service(CursorKey).value
    filters = tuple((name, str(value)) for name, value in chosen.items())
    listing = Listing("marketplace", site_of(request).organisation_id, filters)
    with scope(request) as (session, now):
        place = place_of(key, listing, None if asked.cursor is UNSET else str(asked.cursor), now=now)
        found = search_listings(session, asked.q)
    cards = sorted(narrow(found, chosen), key=_at, reverse=True)
    rest = [card for card in cards if place is None or _at(card) < place]
    counted = {name: [FacetOut(**each) for each in values] for name, values in facets(found, chosen).items()}
    behind = next_of(key, listing, rest, asked.limit, _at, now=now)
    return ListingPage([version_out(card) for card in rest[: asked.limit]], behind, len(cards), counted)


def _at(card: Card) -> tuple[Any, UUID]:
    return card.submitted_at, card.version_id


def _installed(card: Card, later: Card | None) -> InstalledOut:
    newer = NewerOut(later.version_id, later.version) if later else None
    return InstalledOut(**card_fields(card), newer=newer)
