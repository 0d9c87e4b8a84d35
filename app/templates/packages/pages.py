"""The HTML doors of a partner's packages: what it sells, how many have it, beginning one, taking one off sale."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.access.decisions import can
from app.access.permissions import Permission
from app.access.require import require
from app.access.rights import AtWork, staff_rights
from app.kernel.errors import Conflict, Invalid
from app.kernel.work import Work
from app.templates.packages.document import Content, Package, PackageUnfit, Price, Quotas, read_content, said
from app.templates.packages.operations import begin_draft, retire_package, revise
from app.templates.packages.queries import count_sold, list_drafts, list_offers
from app.templates.queries import list_catalogue
from app.web.begin import begin_work, home_of, run_form, runtime_of, site_of, visit_of
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import locale_of, page, redirect
from app.web.translations import mark
from tenants.sessions import partner_session

PageRequest = Request[Any, Any, Any]


class PackagePages(Controller):
    """The packages of the partner whose host this is."""

    path = "/packages"
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(self, request: PageRequest) -> Response[str]:
        """Everything that is sold, what was, and what is being drawn up."""
        _let_in(request, Permission.TEMPLATE_READ)
        context = _shown(request) | {"command_key": new_command_key()}
        return page(request, "templates/packages/list.html", context, nav=staff_nav(request))

    @get("/new", sync_to_thread=True)
    def begin(self, request: PageRequest) -> Response[str]:
        """Choose a template and a name."""
        _let_in(request, Permission.TEMPLATE_PUBLISH)
        return _draw_new(request, {})

    @post("/drafts", sync_to_thread=True)
    def create(self, request: PageRequest, form: NamedDependency[Form]) -> Response[str]:
        """Begin a package, or a further version of the one that is named."""
        _let_in(request, Permission.TEMPLATE_PUBLISH)
        try:
            made = _begun(request, form)
        except (Conflict, Invalid) as error:
            return _draw_new(request, form.typed, refused=_why(error), status=error.status)
        return redirect(request, f"/packages/drafts/{made}")

    @post("/{package:str}/retirement", sync_to_thread=True)
    def retire(self, request: PageRequest, package: FromPath[str], form: NamedDependency[Form]) -> Response[str]:
        """Sell it no more. What was sold goes on."""

        def operation(work: Work) -> dict[str, object]:
            return {"package": retire_package(work, package)}

        run_form(request, home_of(request).id, key=form.command_key, body=form.typed, operation=operation)
        return redirect(request, "/packages")


def _let_in(request: PageRequest, permission: Permission) -> None:
    home_of(request)
    actor = visit_of(request).actor
    require(AtWork(staff_rights(actor), actor), permission)


def _begun(request: PageRequest, form: Form) -> str:
    """The id of the draft that there is now."""
    existing = form.first("package")
    fresh = None if existing else _content(form, locale_of(request).language)

    def operation(work: Work) -> dict[str, object]:
        return {"package": revise(work, existing) if fresh is None else begin_draft(work, fresh)}

    done = run_form(request, home_of(request).id, key=form.command_key, body=form.typed, operation=operation)
    return str(done["package"])


def _content(form: Form, language: str) -> Content:
    title = form.first("title").strip()
    wanted = {"package": form.first("id").strip(), "template": form.first("template"), "title": {"en": title}}
    if not title or not wanted["template"]:
        raise PackageUnfit(mark("A package has a title, a short name, and a template that it stands on."))
    if language != "en":
        wanted["title"] = {"en": title, language: title}
    return read_content(wanted)


def _why(error: Conflict | Invalid) -> str:
    if isinstance(error, PackageUnfit) and "$.package" in error.message:
        return mark("A short name has 2 to 30 small letters, digits and hyphens, and begins with a letter.")
    return error.message


def _templates(request: PageRequest) -> dict[str, str]:
    """The titles of what the partner has published, by id."""
    organisation_id = site_of(request).organisation_id
    with partner_session(runtime_of(request).databases, organisation_id, actor="packages") as (session, _now):
        return {each.template_id: each.newest.title for each in list_catalogue(session, organisation_id)}


def _draw_new(request: PageRequest, typed: dict[str, Any], *, refused: str = "", status: int = 200) -> Response[str]:
    context = {"templates": _templates(request), "typed": typed, "refused": refused, "command_key": new_command_key()}
    return page(request, "templates/packages/new.html", context, status=status, nav=staff_nav(request))


def _shown(request: PageRequest) -> dict[str, Any]:
    """Cards of packages and drafts."""
    runtime, organisation_id = runtime_of(request), site_of(request).organisation_id
    language = locale_of(request).language
    with begin_work(request, home_of(request).id) as work:
        offers, drafts = list_offers(work.session), list_drafts(work.session)
    with partner_session(runtime.databases, organisation_id, actor="packages") as (session, _now):
        sold = count_sold(session, organisation_id)
    titles, under_way = _templates(request), {each.content.package for each in drafts}
    cards = [
        _card(each.package, titles, language) | {"retired": each.retired, "sold": sold.get(each.package.id, 0)}
        for each in offers
    ]
    return {
        "packages": [card | {"drafted": card["id"] in under_way} for card in cards],
        "drafts": [
            {"id": each.content.package, "title": said(each.content.title, language), "changed_at": each.changed_at}
            for each in drafts
        ],
        "may_publish": can(staff_rights(visit_of(request).actor), Permission.TEMPLATE_PUBLISH),
    }


def _card(package: Package, titles: dict[str, str], language: str) -> dict[str, Any]:
    content = package.content
    return {
        "id": package.id,
        "version": content.version,
        "title": said(content.title, language),
        "description": said(content.description, language),
        "excluded": said(content.excluded, language),
        "template": titles.get(content.template, content.template),
        "tier": said(content.tier.title, language) if content.tier else "",
        "prices": _prices(content.prices, language),
        "add_ons": [
            {"title": said(each.title, language), "prices": _prices(each.prices, language)} for each in content.add_ons
        ],
        "quotas": {name: getattr(content.quotas, name, None) for name in Quotas.__struct_fields__},
    }


def _prices(prices: list[Price], language: str) -> list[dict[str, str]]:
    return [{"interval": each.interval, "text": said(each.text, language)} for each in prices]
