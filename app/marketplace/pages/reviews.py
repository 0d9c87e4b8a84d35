"""The HTML doors of the operator's people: what waits for a review, what is listed, what was reported."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.access.permissions import Permission
from app.kernel.errors import SlipwayError
from app.kernel.work import Work
from app.marketplace.doors.places import let_in, scope
from app.marketplace.operations.reviewing import approve, decline, take_down
from app.marketplace.pages.market import run_home
from app.marketplace.pages.showing import submission_of
from app.marketplace.queries.offers import (
    Submission,
    find_key,
    find_version_before,
    get_package_bytes,
    get_submission,
    list_in_review,
    list_reports,
    list_reviewed,
)
from app.marketplace.queries.plans import effective_of, fingerprint, plan, said
from app.marketplace.rules import State, may_become, require_seen
from app.marketplace.signing import package_hash
from app.templates.merging.difference import difference
from app.templates.overlay import Effective
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import locale_of, page, redirect
from app.web.translations import mark

PageRequest = Request[Any, Any, Any]
_DONE = mark("Done. Its publisher sees it within seconds.")
_MOST_CHANGES = 200
_LONGEST = 300  # characters of a value that are shown


class ReviewPages(Controller):
    """For whoever may review what is offered: the operator's people, on the operator's host."""

    path = "/marketplace/reviews"
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(self, request: PageRequest, done: FromQuery[bool] = False) -> Response[str]:  # noqa: FBT002 - a query parameter with what it is without
        """What waits, oldest first; what everybody can install; what partners have reported."""
        let_in(request, Permission.LISTING_REVIEW)
        language = locale_of(request).language
        with scope(request) as (session, _now):
            waiting, listed, reports = list_in_review(session), list_reviewed(session), list_reports(session)
        context = {
            "waiting": [submission_of(one, language) for one in waiting],
            "listed": [submission_of(one, language) for one in listed],
            "reports": reports,
        }
        return page(request, "marketplace/reviews.html", context, nav=staff_nav(request), notice=_DONE if done else "")

    @get("/{version_id:uuid}", sync_to_thread=True)
    def look(self, request: PageRequest, version_id: FromPath[UUID]) -> Response[str]:
        """One submission: what the checks found, its plan, and what differs from the version before."""
        let_in(request, Permission.LISTING_REVIEW)
        return _draw(request, version_id)

    @post("/{version_id:uuid}", sync_to_thread=True)
    def decide(self, request: PageRequest, version_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Approve the package that was looked at, or decline it."""
        decision, reason = form.first("decision"), form.first("reason")

        def operation(work: Work, one: Submission, package: str) -> None:
            if decision == "approve":
                require_seen(form.first("package"), package)
                approve(work, one, package=form.first("package"), note=reason)
            else:
                decline(work, one, reason=reason)

        return _carry_out(request, version_id, form, operation)

    @post("/{version_id:uuid}/takedown", sync_to_thread=True)
    def take_down(self, request: PageRequest, version_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Let nobody install it any more."""

        def operation(work: Work, one: Submission, _package: str) -> None:
            take_down(work, one, reason=form.first("reason"))

        return _carry_out(request, version_id, form, operation)


def _carry_out(request: PageRequest, version_id: UUID, form: Form, operation: Any) -> Response[str]:
    let_in(request, Permission.LISTING_REVIEW)
    with scope(request) as (session, _now):
        one, package = get_submission(session, version_id), package_hash(get_package_bytes(session, version_id))

    def run(work: Work) -> dict[str, object]:
        operation(work, one, package)
        return {}

    try:
        run_home(request, form, run)
    except SlipwayError as trouble:
        return _draw(request, version_id, refused=trouble)
    return redirect(request, "/marketplace/reviews?done=true")


def _draw(request: PageRequest, version_id: UUID, *, refused: SlipwayError | None = None) -> Response[str]:
    language = locale_of(request).language
    with scope(request) as (session, _now):
        one = get_submission(session, version_id)
        raw, key = get_package_bytes(session, version_id), find_key(session, one.organisation_id) or ""
        before = _before(session, one)
    effective = effective_of(raw, key)
    query = request.query_params
    context = plan(effective, query.get("view", ""), query.get("language", language))
    context |= {
        "offer": submission_of(one, language) | {"fingerprint": fingerprint(key), "package": package_hash(raw)},
        "changes": _changes(effective_of(before, key), effective, language) if before else None,
        "may_decide": may_become(one.state, State.LISTED),
        "may_take_down": may_become(one.state, State.TAKEN_DOWN),
        "command_key": new_command_key(),
        "refused": refused.message if refused else "",
    }
    status, nav = refused.status if refused else 200, staff_nav(request)
    return page(request, "marketplace/review.html", context, status=status, nav=nav)


def _before(session: Any, one: Submission) -> bytes | None:
    found = find_version_before(session, one)
    return get_package_bytes(session, found) if found else None


def _changes(old: Effective, new: Effective, language: str) -> list[dict[str, str]]:
    """What is other than in the version before, place by place."""
    found = difference(old.document, new.document)
    return [
        {
            "path": each.path,
            "kind": each.kind,
            "before": _shown(each.before, language),
            "after": _shown(each.after, language),
        }
        for each in found[:_MOST_CHANGES]
    ]


def _shown(value: Any, language: str) -> str:
    if isinstance(value, dict):
        named = value.get("title") or value.get("label") or value
        if all(isinstance(each, str) for each in named.values()):
            return said(named, language)[:_LONGEST]
    return "" if value is None else str(value)[:_LONGEST]
