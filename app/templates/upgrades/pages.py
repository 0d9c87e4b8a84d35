"""The HTML doors of a line: what new onboardings get, the merge view of an upgrade, and the way back."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.access.decisions import can
from app.access.permissions import Permission
from app.access.require import require
from app.access.rights import AtWork, staff_rights
from app.kernel.errors import SlipwayError
from app.kernel.work import Work
from app.templates.authoring.addresses import digest_of
from app.templates.lines.ends import End, end_of, ends_of
from app.templates.lines.operations import GoingBackRefused, go_back
from app.templates.lines.queries import LineEntry, find_entry, list_line
from app.templates.merging import ResolutionRefused, UpgradeRefused
from app.templates.queries import NO_SUCH, TemplateMissing, check_name, list_publishers, name_versions
from app.templates.rules import TemplateRefused
from app.templates.upgrades.operations import (
    UpgradeMoved,
    UpgradeOpen,
    list_targets,
    see_line,
    try_upgrade,
    upgrade,
)
from app.templates.upgrades.plan import Resolutions, UpgradePlan
from app.templates.upgrades.showing import ended_out, history_out, line_out, plan_out, reader, target_out
from app.templates.upgrades.typed import read_decisions
from app.web.begin import begin_work, home_of, run_form, runtime_of, site_of, visit_of
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import locale_of, page, redirect
from app.web.translations import mark
from tenants.sessions import partner_session
from tenants.tenant import Tenant

PageRequest = Request[Any, Any, Any]
_REFUSED = (TemplateRefused, UpgradeRefused, ResolutionRefused, UpgradeOpen, UpgradeMoved)
_DONE = {
    "upgraded": mark("Published. New onboardings get it within seconds; those that run go on as they are."),
    "back": mark("Done. New onboardings get it again within seconds; those that run go on as they are."),
}


class LinePages(Controller):
    """What a partner offers of one template."""

    path = "/templates/lines/{line:str}"
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def look(self, request: PageRequest, line: FromPath[str], done: FromQuery[str] = "") -> Response[str]:
        """What new onboardings get, what is newer, what was offered before."""
        return _draw_line(request, line, notice=_DONE.get(done, ""))

    @get("/upgrade", sync_to_thread=True)
    def merge(self, request: PageRequest, line: FromPath[str], to: FromQuery[str] = "") -> Response[str]:
        """The merge view: what the own overlays become on another version."""
        home = _let_in(request)
        check_name(line)
        if not to:
            with begin_work(request, home.id) as work:
                see_line(work, line)  # one that is not there leads nowhere
            return redirect(request, f"/templates/lines/{line}")
        return _draw_upgrade(request, line, to, Form(()))

    @post("/upgrade", status_code=200, sync_to_thread=True)
    def decide(self, request: PageRequest, line: FromPath[str], form: NamedDependency[Form]) -> Response[str]:
        """Look at what was decided so far, or publish what was looked at."""
        to, home = form.first("to"), _let_in(request)
        decided, wrong = read_decisions(form)
        if wrong or form.first("action") != "publish":
            return _draw_upgrade(request, line, to, form)

        def operation(work: Work) -> dict[str, object]:
            return {"made": upgrade(work, line, digest_of(to), decided, seen=form.first("seen"))}

        try:
            run_form(request, home.id, key=form.command_key, body=form.typed, operation=operation)
        except _REFUSED as error:
            return _draw_upgrade(request, line, to, form, refused=error)
        return redirect(request, f"/templates/lines/{line}?done=upgraded")

    @post("/back", sync_to_thread=True)
    def back(self, request: PageRequest, line: FromPath[str], form: NamedDependency[Form]) -> Response[str]:
        """Offer again what was offered before."""
        home = _let_in(request)
        entry = _entry(request, line, form.first("seq"))

        def operation(work: Work) -> dict[str, object]:
            go_back(work, line, entry.offered, form.first("reason"))
            return {}

        try:
            run_form(request, home.id, key=form.command_key, body=form.typed, operation=operation)
        except GoingBackRefused as error:
            return _draw_line(request, line, refused=error.message, status=error.status)
        return redirect(request, f"/templates/lines/{line}?done=back")


def _let_in(request: PageRequest) -> Tenant:
    """The home, for who may change what is offered. Raises NotPermitted."""
    home, actor = home_of(request), visit_of(request).actor
    require(AtWork(staff_rights(actor), actor), Permission.TEMPLATE_PUBLISH)
    return home


def _draw_line(
    request: PageRequest, template_id: str, *, notice: str = "", refused: str = "", status: int = 200
) -> Response[str]:
    home, read = home_of(request), reader(locale_of(request).language)
    check_name(template_id)
    with begin_work(request, home.id) as work:
        line = see_line(work, template_id)
        publishers, names = list_publishers(work.session, template_id), name_versions(work.session, template_id)
        targets = [target_out(each, publishers) for each in list_targets(work, line)]
    history, ends = _history(request, template_id)
    context = {
        "line": line_out(line, publishers, read),
        "targets": targets,
        "history": history_out(history, names, line),
        "ended": ended_out(end_of(ends, digest=line.chain.template.digest), template_id, targets),
        "may_publish": can(staff_rights(visit_of(request).actor), Permission.TEMPLATE_PUBLISH),
        "command_key": new_command_key(),
        "refused": refused,
    }
    return page(request, "templates/lines/line.html", context, nav=staff_nav(request), notice=notice, status=status)


def _draw_upgrade(
    request: PageRequest, template_id: str, to: str, form: Form, *, refused: SlipwayError | None = None
) -> Response[str]:
    read = reader(locale_of(request).language)
    decided, wrong = read_decisions(form)
    plan, trouble = _tried(request, template_id, to, decided)
    trouble = refused or trouble
    context = {
        "template_id": template_id,
        "to": to,
        "plan": plan_out(plan, decided, form.typed, read),
        "title": read(plan.now.document["title"]),
        "versions": (plan.beneath[0].template.version, plan.beneath[1].template.version),
        "refused": trouble.message if trouble else "",
        "wrong": wrong,
        "command_key": new_command_key(),
    }
    return page(
        request,
        "templates/lines/upgrade.html",
        context,
        nav=staff_nav(request),
        status=trouble.status if trouble else 422 if wrong else 200,
    )


def _tried(
    request: PageRequest, template_id: str, to: str, decided: Resolutions
) -> tuple[UpgradePlan, SlipwayError | None]:
    """The plan with what is decided; where that cannot be, the plan without it, and why."""
    check_name(template_id)
    with begin_work(request, home_of(request).id) as work:
        try:
            return try_upgrade(work, template_id, digest_of(to), decided), None
        except (ResolutionRefused, TemplateRefused) as error:
            if not decided:
                raise
            return try_upgrade(work, template_id, digest_of(to), {}), error


def _history(request: PageRequest, template_id: str) -> tuple[list[LineEntry], list[End]]:
    """What was offered of it, and what of it has ended."""
    organisation_id, actor, runtime = site_of(request).organisation_id, visit_of(request).actor, runtime_of(request)
    with partner_session(runtime.databases, organisation_id, actor=actor.label) as (session, _now):
        return list_line(session, template_id), ends_of(runtime, session, template_id)


def _entry(request: PageRequest, template_id: str, seq: str) -> LineEntry:
    check_name(template_id)
    organisation_id, actor = site_of(request).organisation_id, visit_of(request).actor
    with partner_session(runtime_of(request).databases, organisation_id, actor=actor.label) as (session, _now):
        found = find_entry(session, template_id, seq)
    if found is None:
        raise TemplateMissing(NO_SUCH)
    return found
