"""The HTML doors of migrations: which version runs, what another would do, propose, agree or decline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.access.permissions import Permission
from app.access.require import require
from app.flow.migration.migrate import Preview
from app.kernel.errors import Conflict, Invalid, Missing, SlipwayError
from app.kernel.work import Work
from app.onboarding.migration import operations
from app.onboarding.migration.api import choose, offered
from app.onboarding.migration.showing import ITEM, VALUE, page_of, read_wishes, tried_of
from app.onboarding.migration.versions import Target, definition_for
from app.onboarding.pages.doors import names, saying, see
from app.onboarding.queries.gate import gate_lines
from app.onboarding.queries.partner import top_of
from app.onboarding.queries.picture import Picture
from app.onboarding.sending import in_words
from app.web.begin import begin_work, run_form
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import page, redirect

PageRequest = Request[Any, Any, Any]


class MigrationPages(Controller):
    """The version that one onboarding runs, and the way to another."""

    path = "/t/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/migration"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID]) -> Response[str]:
        """Which version runs; with `to` also what that one would do, and what has to be said first."""
        return _page(request, tenant_id, onboarding_id, _given(request))

    @post("/", sync_to_thread=True)
    def propose(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Ask another person to agree to the plan that was looked at."""
        given = {"to": form.first("to"), "map": form.first("map"), "reason": form.first("reason")}
        target = choose(request, tenant_id, onboarding_id, given["to"])

        def operation(work: Work) -> None:
            operations.propose_migration(
                work,
                onboarding_id=onboarding_id,
                target=target,
                wanted=operations.read_map(given["map"]),
                reason=given["reason"],
                seen=form.first("plan"),
            )

        return _do(request, tenant_id, onboarding_id, form, given, operation)

    @post("/decision", sync_to_thread=True)
    def decide(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Agree to what somebody else proposed, or decline it."""
        agreed, reason = form.first("decision") == "agree", form.first("reason")

        def operation(work: Work) -> None:
            operations.decide_migration(
                work, onboarding_id=onboarding_id, agreed=agreed, seen=form.first("plan"), reason=reason
            )

        return _do(request, tenant_id, onboarding_id, form, {"reason": reason}, operation)


def _do(  # the parts of one command, in the order in which they are known
    request: PageRequest,
    tenant_id: UUID,
    onboarding_id: UUID,
    form: Form,
    given: dict[str, str],
    operation: Callable[[Work], None],
) -> Response[str]:
    def once(work: Work) -> dict[str, object]:
        operation(work)
        return {}

    try:
        run_form(request, tenant_id, key=form.command_key, body=form.typed, operation=once)
    except (Conflict, Invalid) as error:
        return _page(request, tenant_id, onboarding_id, given, error)
    return redirect(request, f"/t/{tenant_id}/onboardings/{onboarding_id}/migration")


def _page(
    request: PageRequest,
    tenant_id: UUID,
    onboarding_id: UUID,
    given: dict[str, str],
    error: SlipwayError | None = None,
) -> Response[str]:
    published = offered(request, tenant_id, onboarding_id)
    target = choose(request, tenant_id, onboarding_id, given["to"]) if given.get("to") else None
    with begin_work(request, tenant_id) as work:
        require(work, Permission.ONBOARDING_WRITE)
        picture = see(request, work, onboarding_id)
        context = top_of(work, picture, gate_lines(picture)) | page_of(work, picture, published)
        context |= {"view": "course", "names": names(request, work), "command_key": new_command_key()}
        context |= {"given": given, "errors": [], "tried": None}
        if target is not None:
            context |= _tried(request, work, picture, target, given)
    if error is not None:
        sentence = in_words(error.message, saying(request)) if error.status != Conflict.status else error.message
        context["errors"] = [("reason", sentence)]
    status = error.status if error is not None else 200
    return page(request, "onboarding/migration/partner.html", context, status=status, nav=staff_nav(request))


def _tried(request: PageRequest, work: Work, picture: Picture, target: Target, given: dict[str, str]) -> dict[str, Any]:
    """The dry run of what the form says so far; what cannot be looked at is told instead."""
    try:
        new = definition_for(work, picture.onboarding, target)
        wanted = operations.read_map(given["map"]) if given.get("map") else read_wishes(given, new)
        found: Preview = operations.try_migration(
            work, onboarding_id=picture.onboarding.id, target=target, wanted=wanted
        )
    except (Conflict, Invalid, Missing) as error:
        return {"errors": [("to", in_words(error.message, saying(request)))]}
    kept = {key: value for key, value in given.items() if key.startswith((ITEM, VALUE))}
    shown = tried_of(picture, new, found)
    asked = {one["id"] for one in shown["questions"]}
    said = {key: value for key, value in kept.items() if key not in asked}
    return {"tried": shown | {"map": msgspec.json.encode(wanted).decode(), "said": said}}


def _given(request: PageRequest) -> dict[str, str]:
    asked = request.query_params
    return {key: str(asked[key]) for key in asked if key == "to" or key.startswith((ITEM, VALUE))}
