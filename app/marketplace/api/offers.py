"""The JSON doors of publishers: offer a published template, follow its checks and its review, end an offer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response
from litestar.params import FromPath, RawBody
from msgspec import UNSET, to_builtins

from app.access.permissions import Permission
from app.kernel.paging import CursorKey, Listing
from app.marketplace.api import described
from app.marketplace.api.answers import accept, arriving_out, offer_fields, once
from app.marketplace.doors.places import let_in, scope
from app.marketplace.operations.offering import Ending, Offer, deprecate, submit, withdraw
from app.marketplace.queries.offers import (
    SUBMISSION_MISSING,
    Submission,
    SubmissionMissing,
    find_offerable,
    get_submission,
    list_arriving,
    list_submissions,
    states_of,
)
from app.marketplace.queries.paging import Place, next_of, place_of
from app.marketplace.rules import Visibility, listing_id_of
from app.marketplace.schemas import Accepted, DeprecationWish, EndWish, OfferOut, OfferPage, OfferQuery, OfferWish
from app.web.begin import begin_work, home_of, runtime_of, site_of
from app.web.wire.answering import answer_done, answer_read, link_next, write
from app.web.wire.doors import commands, reads
from app.web.wire.reading import read_body, read_key, read_query

PageRequest = Request[Any, Any, Any]
OFFERS = "/api/v1/marketplace/offers"
_CHECKING = "checking"


class OfferDoors(Controller):
    """What the partner whose host this is offers to others."""

    path = OFFERS
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("marketplace",)

    @reads("/", "offers.list", described.OFFERS)
    def list(self, request: PageRequest) -> Response[bytes]:
        """List what your organisation has submitted, the last first; what is being checked before all others."""
        let_in(request, Permission.TEMPLATE_PUBLISH)
        asked = read_query(request, OfferQuery)
        shown = _page(request, asked)
        return answer_read(request, write(shown), link_next(request, shown.next))

    @commands("/", "offers.create", described.OFFER, status=201)
    def create(self, request: PageRequest, body: RawBody) -> Response[bytes]:
        """Offer a published template. The automatic checks begin; read the offer to see what they found."""
        read_key(request)
        let_in(request, Permission.TEMPLATE_PUBLISH)
        wish = read_body(request, body, OfferWish, lines="changelog")
        with scope(request) as (session, _now):
            _document, adapted = find_offerable(session, wish.template)
            states = states_of(session, site_of(request).organisation_id)
        overlays = adapted if wish.adapted else ()
        offer = Offer(wish.template, overlays, Visibility(wish.visibility), wish.changelog)
        done, replayed = once(request, to_builtins(wish), lambda work: {"id": str(submit(work, offer, states))})
        headers = {"location": f"{OFFERS}/{done['id']}"}
        return answer_done(write(Accepted(UUID(done["id"]))), status=201, headers=headers, replayed=replayed)

    @reads("/{version_id:uuid}", "offers.read", described.OFFER_READ)
    def read(self, request: PageRequest, version_id: FromPath[UUID]) -> Response[bytes]:
        """Read one: what the checks found, what the review said, how many have it."""
        let_in(request, Permission.TEMPLATE_PUBLISH)
        with scope(request) as (session, _now):
            found = _own(session, site_of(request).organisation_id, version_id)
        if found is not None:
            return answer_read(request, write(OfferOut(**offer_fields(found))))
        arriving = [each for each in _arriving(request, ()) if each.id == version_id]
        if not arriving:
            raise SubmissionMissing(SUBMISSION_MISSING)
        return answer_read(request, write(arriving[0]))

    @commands("/{version_id:uuid}/withdrawal", "offers.withdraw", described.WITHDRAW, status=202)
    def withdraw(self, request: PageRequest, version_id: FromPath[UUID], body: RawBody) -> Response[bytes]:
        """Offer it no longer. Those who have it keep it, and are told why."""
        one = _to_end(request, version_id)
        wish = read_body(request, body, EndWish)
        told = {"template": one.template_id, "state": one.state, "reason": wish.reason}
        return accept(request, version_id, wish, lambda work: withdraw(work, version_id, **told))

    @commands("/{version_id:uuid}/deprecation", "offers.deprecate", described.DEPRECATE, status=202)
    def deprecate(self, request: PageRequest, version_id: FromPath[UUID], body: RawBody) -> Response[bytes]:
        """Ask those who have it to use another: which, and until when."""
        one = _to_end(request, version_id)
        wish = read_body(request, body, DeprecationWish)
        ending, told = Ending(wish.reason, wish.replaced_by, wish.ends_on), {"template": one.template_id}
        told["state"] = one.state
        return accept(request, version_id, wish, lambda work: deprecate(work, version_id, ending, **told))


def _to_end(request: PageRequest, version_id: UUID) -> Submission:
    """One's own submission, for who may end it; whether that is possible is asked in the home."""
    read_key(request)
    let_in(request, Permission.TEMPLATE_PUBLISH)
    with scope(request) as (session, _now):
        found = _own(session, site_of(request).organisation_id, version_id)
    if found is None:
        raise SubmissionMissing(SUBMISSION_MISSING)
    return found


def _own(session: Any, organisation_id: UUID, version_id: UUID) -> Submission | None:
    """A scope also holds what those below have submitted: that is theirs."""
    try:
        found = get_submission(session, version_id)
    except SubmissionMissing:
        return None
    return found if found.organisation_id == organisation_id else None


def _page(request: PageRequest, asked: OfferQuery) -> OfferPage:
    key, organisation_id = runtime_of(request).service(CursorKey).value, site_of(request).organisation_id
    listing = Listing("offers", organisation_id, (("state", asked.state),))
    with scope(request) as (session, now):
        place = place_of(key, listing, None if asked.cursor is UNSET else str(asked.cursor), now=now)
        which: dict[str, Any] = {"state": asked.state, "behind": place, "most": asked.limit + 1}
        found = list_submissions(session, organisation_id, **which)
        known = states_of(session, organisation_id) if place is None else {}
    first = _arriving(request, known) if place is None and asked.state in {"", _CHECKING} else []
    items = [OfferOut(**offer_fields(one)) for one in found[: asked.limit]]
    return OfferPage([*first, *items], next_of(key, listing, found, asked.limit, _at, now=now))


def _arriving(request: PageRequest, known: Any) -> list[OfferOut]:
    """What the home has submitted and `control` does not know yet."""
    organisation_id = site_of(request).organisation_id
    with begin_work(request, home_of(request).id) as work:
        found = list_arriving(work.session, known)
    return [arriving_out(each, listing_id_of(organisation_id, each.template_id)) for each in found]


def _at(one: Submission) -> Place:
    return one.submitted_at, one.id
