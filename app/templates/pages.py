"""The HTML doors of a partner's catalogue: what it has published, and how each looks before it runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from litestar import Controller, Request, Response, get
from litestar.params import FromPath, FromQuery

from app.access.decisions import can
from app.access.permissions import Permission
from app.access.require import require
from app.access.rights import AtWork, staff_rights
from app.flow.definition import Definition
from app.flow.fields import Text
from app.templates.authoring.addresses import digest_of
from app.templates.lines.ends import end_of, ends_of
from app.templates.lines.queries import find_overlay
from app.templates.operations import effective_document
from app.templates.overlay import Effective
from app.templates.preview import board_of, changes_of, facts_of, forms_of, timeline_of
from app.templates.preview.board import Read
from app.templates.queries import list_catalogue, list_versions_beside
from app.templates.studio.queries import Draft, list_drafts
from app.web.begin import NothingHere, begin_work, home_of, runtime_of, site_of, visit_of
from app.web.forms import new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import locale_of, page
from app.web.translations import mark
from tenants.sessions import partner_session

PageRequest = Request[Any, Any, Any]
_OF_DEFINITION: dict[str, Callable[[Definition, Read], Any]] = {
    "board": board_of,
    "timeline": timeline_of,
    "forms": forms_of,
    "needs": facts_of,
}
_CHANGES = "changes"
_PUBLISHED = mark("Published. It stands in this list within seconds.")
_DISCARDED = mark("The draft is discarded.")
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})


class CataloguePages(Controller):
    """Templates of the partner whose host this is."""

    path = "/templates"
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(
        self,
        request: PageRequest,
        published: FromQuery[bool] = False,  # noqa: FBT002 - a query parameter with what it is without
        discarded: FromQuery[bool] = False,  # noqa: FBT002 - the same
    ) -> Response[str]:
        """Every template that the partner has published, by its newest version, and the drafts."""
        _let_in(request)
        runtime, organisation_id = runtime_of(request), site_of(request).organisation_id
        with partner_session(runtime.databases, organisation_id, actor=visit_of(request).actor.label) as (session, _):
            entries, ends = list_catalogue(session, organisation_id), ends_of(runtime, session)
        offered = {each.newest.digest: end_of(ends, digest=each.newest.digest) for each in entries}
        context = {"templates": entries, "ended": offered, "drafts": _drafts(request)}
        notice = _PUBLISHED if published else _DISCARDED if discarded else ""
        return page(request, "templates/catalogue.html", context, nav=staff_nav(request), notice=notice)

    @get("/{address:str}", sync_to_thread=True)
    def look(
        self,
        request: PageRequest,
        address: FromPath[str],
        view: FromQuery[str] = "board",
        language: FromQuery[str] = "",
        base: FromQuery[bool] = False,  # noqa: FBT002 - a query parameter with what it is without
    ) -> Response[str]:
        """One version as its customers would see it, with the partner's own overlay upon it."""
        _let_in(request)
        context = _preview(request, digest_of(address), language=language, base=base)
        context |= _view(view, *context.pop("parts"))
        context |= {"may_edit": _may(request, Permission.TEMPLATE_EDIT), "command_key": new_command_key()}
        context |= {"may_try": _may(request, Permission.TENANT_CREATE)}
        context["may_publish"] = can(staff_rights(visit_of(request).actor), Permission.TEMPLATE_PUBLISH)
        return page(request, "templates/template.html", context, nav=staff_nav(request))


def _view(view: str, effective: Effective, definition: Definition, read: Read) -> dict[str, Any]:
    """Which view is shown, and what is on it."""
    if view == _CHANGES:
        return {"view": view, "shown": changes_of(effective, read)}
    known = view if view in _OF_DEFINITION else "board"
    return {"view": known, "shown": _OF_DEFINITION[known](definition, read)}


def _drafts(request: PageRequest) -> list[Draft] | None:
    """The drafts, for who may write some."""
    if not _may(request, Permission.TEMPLATE_EDIT):
        return None
    try:
        home = home_of(request)
    except NothingHere:  # an organisation without a home publishes nothing, and keeps no drafts
        return None
    with begin_work(request, home.id) as work:
        return list_drafts(work.session, locale_of(request).language)


def _may(request: PageRequest, permission: Permission) -> bool:
    return can(staff_rights(visit_of(request).actor), permission)


def _let_in(request: PageRequest) -> None:
    actor = visit_of(request).actor
    require(AtWork(staff_rights(actor), actor), Permission.TEMPLATE_READ)


def _preview(request: PageRequest, digest: str, *, language: str, base: bool) -> dict[str, Any]:
    """What every view of a template has in common. Raises TemplateMissing."""
    runtime, organisation_id = runtime_of(request), site_of(request).organisation_id
    with partner_session(runtime.databases, organisation_id, actor=visit_of(request).actor.label) as (session, _):
        overlay = find_overlay(session, digest)
        versions = list_versions_beside(session, organisation_id, digest)
    plain = effective_document(  # after that session: nobody holds two connections at once
        runtime, organisation_id, template_digest=digest, overlay_digest=None if base else overlay
    )
    chosen = _language(request, plain, language)
    definition = plain.compile()
    read = partial(_read, chosen, str(plain.document["default_locale"]))
    return {
        "template": {
            "address": digest.removeprefix("sha256:"),
            "id": definition.id,
            "title": read(definition.title),
            "description": read(plain.document.get("description", {})),
            "version": definition.version,
            "lifecycle": definition.lifecycle,
            "adapted": overlay is not None,
            "base": base or overlay is None,
        },
        "facts": facts_of(definition, read),
        "language": chosen,
        "direction": "rtl" if chosen.partition("-")[0] in RIGHT_TO_LEFT else "ltr",
        "texts_in": list(definition.locales),
        "versions": versions,
        "parts": (plain, definition, read),
    }


def _language(request: PageRequest, effective: Effective, wanted: str) -> str:
    """The language asked for, else the reader's, else the template's own."""
    known = list(effective.document["locales"])
    for language in (wanted, locale_of(request).language):
        if language in known:
            return language
    return str(effective.document["default_locale"])


def _read(language: str, default: str, text: Text) -> str:
    return text.get(language) or text.get(default) or next(iter(text.values()), "")
