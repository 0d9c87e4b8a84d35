"""The HTML doors of working times: when both sides work, what would move if one worked at other times, the change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.access.permissions import Permission
from app.access.require import require
from app.flow.dates.backward import look_back
from app.flow.definition import Side
from app.kernel.errors import Conflict, Invalid, SlipwayError
from app.kernel.work import Work
from app.onboarding.dates.operations import change_dates, try_dates
from app.onboarding.dates.queries import go_live_of, lines_of, would_move
from app.onboarding.dates.typed import ONE, TimesUnfit, countries, read_typed, shown_times, typed_of, zones
from app.onboarding.pages.doors import names, saying, see
from app.onboarding.queries.gate import gate_lines
from app.onboarding.queries.partner import top_of
from app.onboarding.queries.picture import Picture
from app.onboarding.sending import in_words
from app.web.begin import begin_work, run_form
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import locale_of, page, redirect

PageRequest = Request[Any, Any, Any]
Typed = dict[str, Any]


class TimePages(Controller):
    """When both sides of one onboarding work."""

    path = "/t/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/dates/times"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID]) -> Response[str]:
        """The times of both sides; of one side the form, and with `try` also what would move."""
        asked = Form(tuple(request.query_params.multi_items()))
        typed = _typed(asked) if asked.first("try") else None
        return _page(request, tenant_id, onboarding_id, side=asked.first("side"), typed=typed)

    @post("/", sync_to_thread=True)
    def change(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Say when a side works from now on, with a reason, from what was seen."""
        typed, seen = _typed(form), frozenset({f'"{form.first("seen")}"'})

        def operation(work: Work) -> dict[str, object]:
            wish = read_typed(typed, see(request, work, onboarding_id).state.time_for(_side(typed["side"])).owner)
            change_dates(work, onboarding_id=onboarding_id, wish=wish, reason=typed["reason"], seen=seen)
            return {}

        try:
            run_form(request, tenant_id, key=form.command_key, body=form.typed, operation=operation)
        except (Conflict, Invalid) as error:
            return _page(request, tenant_id, onboarding_id, side=typed["side"], typed=typed, error=error)
        return redirect(request, f"/t/{tenant_id}/onboardings/{onboarding_id}/dates")


def _typed(form: Form) -> Typed:
    typed: Typed = {name: form.first(name) for name in ONE}
    return typed | {"side": _side(typed["side"]), "weekdays": form.every("weekdays")}


def _side(said: str) -> Side:
    return cast("Side", said) if said == "customer" else "partner"


def _page(
    request: PageRequest,
    tenant_id: UUID,
    onboarding_id: UUID,
    *,
    side: str,
    typed: Typed | None,
    error: SlipwayError | None = None,
) -> Response[str]:
    with begin_work(request, tenant_id) as work:
        require(work, Permission.ONBOARDING_WRITE)
        picture = see(request, work, onboarding_id)
        context = _context(request, work, picture)
        if side and context["may"]:
            context["form"] = _form(request, work, picture, typed or _as_is(picture, _side(side)), tried=bool(typed))
            if error is not None:
                context["form"]["errors"] = [_wrong(request, error)]
    status = 200 if error is None else error.status
    return page(request, "onboarding/dates/times.html", context, status=status, nav=tuple(staff_nav(request)))


def _context(request: PageRequest, work: Work, picture: Picture) -> dict[str, Any]:
    state = picture.state
    sides = [
        {"side": side} | shown_times(calendar, calendar.day_at(work.now))
        for side, calendar in (("partner", state.partner), ("customer", state.customer))
    ]
    shown = top_of(work, picture, gate_lines(picture)) | {"view": "dates", "names": names(request, work)}
    shown |= {"sides": sides, "form": None, "may": state.status == "running"}
    return shown | {"action": f"{picture.path}/dates/times", "back": f"{picture.path}/dates"}


def _form(
    request: PageRequest, work: Work, picture: Picture, typed: Mapping[str, Any], *, tried: bool
) -> dict[str, Any]:
    territories = locale_of(request).territories
    places = sorted(((territories.get(code, code), code) for code in countries()), key=lambda each: each[0])
    form: dict[str, Any] = {"typed": typed, "errors": [], "tried": None, "key": new_command_key()}
    form |= {"zones": zones(), "countries": [{"id": code, "label": name} for name, code in places]}
    form["seen"] = picture.state.seq
    if tried:
        try:
            wish = read_typed(typed, picture.state.time_for(typed["side"]).owner)
            decision = try_dates(work, onboarding_id=picture.onboarding.id, wish=wish)
        except (Conflict, Invalid) as error:
            form["errors"] = [_wrong(request, error)]
        else:
            back = go_live_of(decision.state, look_back(picture.definition, decision.state))
            form["tried"] = {"moves": lines_of(picture, would_move(decision)), "go_live": back}
    return form


def _as_is(picture: Picture, side: Side) -> Typed:
    return typed_of(side, picture.state.time_for(side).owner)


def _wrong(request: PageRequest, error: SlipwayError) -> tuple[str, str]:
    """Which field is wrong, and why."""
    if isinstance(error, TimesUnfit):
        return error.place, saying(request)(error.message)
    place = "reason" if "Reason" in type(error).__name__ else "weekdays"
    return place, in_words(error.message, saying(request))
