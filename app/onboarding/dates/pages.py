"""The HTML doors of dates: why each is what it is, for both sides; for staff also what would move, and the change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.access.decisions import can
from app.access.permissions import Permission
from app.access.roles import CUSTOMER_ROLES
from app.flow.dates.backward import look_back
from app.identity.feeds.operations import find_feed
from app.kernel.errors import Conflict, Invalid, SlipwayError
from app.kernel.work import Work
from app.onboarding.dates.operations import DueDate, GoLive, Wish, change_dates, try_dates
from app.onboarding.dates.queries import go_live_of, lines_of, shown_dates, would_move
from app.onboarding.pages.doors import names, saying, see
from app.onboarding.queries.gate import gate_lines
from app.onboarding.queries.heading import REASONS, TOLD, head
from app.onboarding.queries.partner import top_of
from app.onboarding.queries.picture import Picture
from app.onboarding.sending import in_words
from app.web.begin import begin_work, front_of, run_form, runtime_of, site_of, visit_of
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import page, redirect
from app.web.translations import mark

PageRequest = Request[Any, Any, Any]
GO_LIVE = "go_live"
NOTHING_TYPED: Mapping[str, str] = {"step": "", "day": "", "reason": ""}


class NotADay(Invalid):
    """What was typed as a day is none."""


class DatePages(Controller):
    """The dates of one onboarding."""

    path = "/t/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/dates"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        step: FromQuery[str] = "",
        day: FromQuery[str] = "",
    ) -> Response[str]:
        """Every date and why; with a step and a day also what would move."""
        typed = {"step": step, "day": day, "reason": ""}
        return dates_page(request, tenant_id, onboarding_id, typed)

    @post("/", sync_to_thread=True)
    def change(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Choose a day, with a reason, from what was seen."""
        typed = {name: form.first(name) for name in ("step", "day", "reason")}
        seen = frozenset({f'"{form.first("seen")}"'})

        def operation(work: Work) -> dict[str, object]:
            wish = _wish(typed["step"], typed["day"])
            change_dates(work, onboarding_id=onboarding_id, wish=wish, reason=typed["reason"], seen=seen)
            return {}

        try:
            run_form(request, tenant_id, key=form.command_key, body=form.typed, operation=operation)
        except (Conflict, Invalid) as error:
            return dates_page(request, tenant_id, onboarding_id, typed, error)
        return redirect(request, f"/t/{tenant_id}/onboardings/{onboarding_id}/dates")


def dates_page(
    request: PageRequest,
    tenant_id: UUID,
    onboarding_id: UUID,
    typed: Mapping[str, str] = NOTHING_TYPED,
    error: SlipwayError | None = None,
    *,
    feed: str = "",
) -> Response[str]:
    """The page, for the reader's side. `feed` is the token of an address that was just made."""
    with begin_work(request, tenant_id) as work:
        picture = see(request, work, onboarding_id)
        customer = bool(work.rights & CUSTOMER_ROLES)
        context = _context(request, work, picture, typed, customer=customer)
    context["feed"] = _feed(request, tenant_id, onboarding_id, feed)
    status = 200
    if error is not None:
        place = "reason" if "eason" in type(error).__name__ else "day"
        context["errors"], status = [(place, in_words(error.message, saying(request)))], error.status
    name = "customer" if customer else "partner"
    return page(
        request,
        f"onboarding/dates/{name}.html",
        context,
        status=status,
        nav=() if customer else tuple(staff_nav(request)),
    )


def _feed(request: PageRequest, tenant_id: UUID, onboarding_id: UUID, token: str) -> dict[str, Any]:
    """The reader's own address of dates: whether there is one; where it is, only when it was just made."""
    site, databases, person = site_of(request), runtime_of(request).databases, visit_of(request).actor.id
    made_at = find_feed(databases, site, person_id=person, tenant_id=tenant_id)
    at = front_of(request).url(site.host, f"/calendar/{token}") if token else ""
    shown = (
        {"dates": f"{at}/{onboarding_id}/dates.ics", "steps": f"{at}/steps.ics"} if at else {"dates": "", "steps": ""}
    )
    shown |= {"action": f"/t/{tenant_id}/onboardings/{onboarding_id}/dates/feed", "key": new_command_key()}
    return shown | {"made_at": made_at}


def _context(
    request: PageRequest, work: Work, picture: Picture, typed: Mapping[str, str], *, customer: bool
) -> dict[str, Any]:
    shown = shown_dates(work, picture, TOLD if customer else REASONS) | {
        "names": names(request, work),
        "tried": None,
        "errors": [],
        "typed": typed,
    }
    if customer:
        return shown | {"onboarding": head(picture, TOLD), "back": picture.path, "may": False}
    may = can(work.rights, Permission.ONBOARDING_WRITE) and picture.state.status == "running"
    shown |= top_of(work, picture, gate_lines(picture))
    shown |= {"view": "dates", "may": may, "action": f"{picture.path}/dates"}
    shown |= {"seen": picture.state.seq, "command_key": new_command_key(), "steps": _steps(picture)}
    if may and typed["step"]:
        shown |= _tried(request, work, picture, typed)
    return shown


def _tried(request: PageRequest, work: Work, picture: Picture, typed: Mapping[str, str]) -> dict[str, Any]:
    try:
        decision = try_dates(work, onboarding_id=picture.onboarding.id, wish=_wish(typed["step"], typed["day"]))
    except (Conflict, Invalid) as error:
        return {"errors": [("day", in_words(error.message, saying(request)))]}
    moves = would_move(decision)
    back = go_live_of(decision.state, look_back(picture.definition, decision.state))
    return {"tried": {"moves": lines_of(picture, moves), "go_live": back, "step": _called(picture, typed["step"])}}


def _steps(picture: Picture) -> list[dict[str, Any]]:
    open_ones = [item for item in picture.definition.items.values() if not picture.state.is_settled(item.key)]
    return [{"id": item.key, "label": dict(item.title)} for item in open_ones if item.kind != "stage"]


def _called(picture: Picture, step: str) -> str:
    return picture.say(mark("Going live")) if step == GO_LIVE else picture.read(picture.item(step).title)


def _wish(step: str, day: str) -> Wish:
    """What a form asks for. Raises NotADay."""
    try:
        wanted = date.fromisoformat(day) if day else None
    except ValueError:
        raise NotADay(mark("This is not a day.")) from None
    return GoLive(day=wanted) if step == GO_LIVE else DueDate(item=step, day=wanted)
