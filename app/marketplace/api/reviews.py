"""The JSON doors of the operator's people: what waits for a review, what is listed, what was reported."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response
from litestar.params import FromPath, RawBody

from app.access.permissions import Permission
from app.kernel.work import Work
from app.marketplace.api import described
from app.marketplace.api.answers import accept, offer_fields
from app.marketplace.doors.places import let_in, scope
from app.marketplace.operations.reviewing import approve, decline, take_down
from app.marketplace.queries.offers import (
    Submission,
    find_key,
    get_package_bytes,
    get_submission,
    list_in_review,
    list_reports,
    list_reviewed,
)
from app.marketplace.queries.plans import fingerprint
from app.marketplace.rules import require_seen
from app.marketplace.schemas import (
    EndWish,
    OfferOut,
    ReportList,
    ReportOut,
    ReviewList,
    ReviewOut,
    ReviewQuery,
    ReviewWish,
)
from app.marketplace.signing import package_hash
from app.web.wire.answering import answer_read, write
from app.web.wire.doors import commands, reads
from app.web.wire.reading import read_body, read_key, read_query

PageRequest = Request[Any, Any, Any]


class ReviewDoors(Controller):
    """For whoever may review what is offered: the operator's people, on the operator's host."""

    path = "/api/v1/marketplace/reviews"
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("marketplace",)

    @reads("/", "reviews.list", described.REVIEWS)
    def list(self, request: PageRequest) -> Response[bytes]:
        """List what waits for a review, the oldest first; or what everybody can install."""
        let_in(request, Permission.LISTING_REVIEW)
        asked = read_query(request, ReviewQuery)
        with scope(request) as (session, _now):
            found = list_in_review(session) if asked.state == "in_review" else list_reviewed(session)
        return answer_read(request, write(ReviewList([OfferOut(**offer_fields(one)) for one in found])))

    @reads("/reports", "reviews.reports", described.REPORTS)
    def reports(self, request: PageRequest) -> Response[bytes]:
        """List what partners have reported, the last first."""
        let_in(request, Permission.LISTING_REVIEW)
        with scope(request) as (session, _now):
            found = list_reports(session)
        items = [
            ReportOut(each.listing_id, each.template_id, each.said, each.by_name, each.organisation, each.said_at)
            for each in found
        ]
        return answer_read(request, write(ReportList(items)))

    @reads("/{version_id:uuid}", "reviews.read", described.REVIEW_READ)
    def read(self, request: PageRequest, version_id: FromPath[UUID]) -> Response[bytes]:
        """Read one submission with what the checks found, and the hash that an approval names."""
        let_in(request, Permission.LISTING_REVIEW)
        with scope(request) as (session, _now):
            one, raw = get_submission(session, version_id), get_package_bytes(session, version_id)
            key = find_key(session, one.organisation_id) or ""
        told: dict[str, Any] = {
            "package": package_hash(raw),
            "package_bytes": len(raw),
            "fingerprint": fingerprint(key),
        }
        return answer_read(request, write(ReviewOut(**offer_fields(one), **told)))

    @commands("/{version_id:uuid}/decision", "reviews.decide", described.DECIDE, status=202)
    def decide(self, request: PageRequest, version_id: FromPath[UUID], body: RawBody) -> Response[bytes]:
        """Approve exactly the package that was looked at, or do not list it and say why; never one's own."""
        one, raw = _asked(request, version_id)
        wish = read_body(request, body, ReviewWish)

        def operation(work: Work) -> None:
            if wish.approved:
                require_seen(wish.package, package_hash(raw))
                approve(work, one, package=wish.package, note=wish.reason)
            else:
                decline(work, one, reason=wish.reason)

        return accept(request, version_id, wish, operation)

    @commands("/{version_id:uuid}/takedown", "reviews.takeDown", described.TAKE_DOWN, status=202)
    def take_down(self, request: PageRequest, version_id: FromPath[UUID], body: RawBody) -> Response[bytes]:
        """Let nobody install it any more. Whoever has it keeps it, and is told why."""
        one, _raw = _asked(request, version_id)
        wish = read_body(request, body, EndWish)
        return accept(request, version_id, wish, lambda work: take_down(work, one, reason=wish.reason))


def _asked(request: PageRequest, version_id: UUID) -> tuple[Submission, bytes]:
    """What is decided about, for who may decide it."""
    read_key(request)
    let_in(request, Permission.LISTING_REVIEW)
    with scope(request) as (session, _now):
        return get_submission(session, version_id), get_package_bytes(session, version_id)
