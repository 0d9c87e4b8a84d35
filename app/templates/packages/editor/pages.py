"""The HTML doors of the package editor: its sections, what is sold like this as one types, publishing it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlencode

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.access.permissions import Permission
from app.access.require import require
from app.kernel.errors import Conflict
from app.kernel.work import Work
from app.templates.authoring.versions import VersionTaken
from app.templates.lines.queries import find_line
from app.templates.operations import effective_document
from app.templates.overlays.versions import precedence
from app.templates.packages.document import said
from app.templates.packages.editor.desk import SECTIONS, Desk, Filled, fill
from app.templates.packages.editor.preview import packed, preview_of, problem_line
from app.templates.packages.operations import DraftMoved, publish_package, save_draft
from app.templates.packages.queries import PackageMissing, get_draft, list_releases
from app.web.begin import begin_work, home_of, run_form, runtime_of, site_of
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import fragment, locale_of, page, redirect
from app.web.translations import mark, translations
from tenants.sessions import partner_session

PageRequest = Request[Any, Any, Any]


class TemplateGone(Conflict):
    """The template that a package stands on is published by nobody here."""


class EditorPages(Controller):
    """One package under way."""

    path = "/packages/drafts/{package:str}"
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(
        self, request: PageRequest, package: FromPath[str], section: FromQuery[str] = "", of: FromQuery[str] = ""
    ) -> Response[str]:
        """One section of it, beside what would be sold."""
        desk = _desk(request, package)
        return _draw(request, desk, fill(desk, section, of, None), Form(tuple(request.query_params.multi_items())))

    @post("/", sync_to_thread=True)
    def save(self, request: PageRequest, package: FromPath[str], form: NamedDependency[Form]) -> Response[str]:
        """Keep what a section says now."""
        desk = _desk(request, package)
        filled = fill(desk, form.first("section"), form.first("of"), form)
        if filled.content is None:
            return _draw(request, desk, filled, form, status=422)
        try:
            _save(request, form, filled)
        except DraftMoved as error:
            return _draw(request, desk, filled, form, refused=error.message, status=error.status)
        at = {"section": filled.section, "of": "" if form.first("drop") else _at(filled, form)}
        return redirect(request, f"/packages/drafts/{package}?{urlencode(at)}")

    @post("/preview", status_code=200, sync_to_thread=True)
    def preview(self, request: PageRequest, package: FromPath[str], form: NamedDependency[Form]) -> Response[str]:
        """What it would be as it is typed; nothing is kept."""
        desk = _desk(request, package)
        filled = fill(desk, form.first("section"), form.first("of"), form)
        shown = preview_of(filled.content or desk.draft.content, desk, form.every("with"))
        context = {"preview": shown, "path": _path(desk), "section": filled.section, "of": filled.of}
        return fragment(request, "templates/packages/_preview.html", context)

    @post("/publication", sync_to_thread=True)
    def publish(self, request: PageRequest, package: FromPath[str], form: NamedDependency[Form]) -> Response[str]:
        """Publish it as it was looked at, if it fits its template however it is sold."""
        try:
            refused, status = _publish(request, form, _desk(request, package))
        except PackageMissing as gone:
            _once(request, form, partial(_refuse, gone))  # sent twice: its draft is done since it was published
            refused, status = "", 0
        if not refused:
            return redirect(request, "/packages")
        desk = _desk(request, package)
        return _draw(request, desk, fill(desk, "", "", None), form, refused=refused, status=status)


_NOT_YET = mark("It cannot be published like this: look at what is to be put right.")
_LONGEST = 9  # digits of a version
_GONE = mark("The template that this package stands on is not published here.")


def _at(filled: Filled, form: Form) -> str:
    """A new add-on is looked at next."""
    fresh = form.first("new_title").strip() and filled.content and filled.content.add_ons
    return fresh[-1].id if fresh else filled.of


def _desk(request: PageRequest, package_id: str) -> Desk:
    """The draft and what it stands upon. Raises NotPermitted, PackageMissing, TemplateGone."""
    with begin_work(request, home_of(request).id) as work:
        require(work, Permission.TEMPLATE_PUBLISH)
        draft = get_draft(work.session, package_id)
        released = [each.package.content.version for each in list_releases(work.session, package_id)]
    runtime, organisation_id = runtime_of(request), site_of(request).organisation_id
    with partner_session(runtime.databases, organisation_id, actor="packages") as (session, _now):
        offered = find_line(session, draft.content.template)
    if offered is None:
        raise TemplateGone(_GONE)
    upon = effective_document(
        runtime,
        organisation_id,
        template_digest=offered.template_digest,
        overlay_digest=offered.overlay_digest,
    )
    language = locale_of(request).language
    say = translations(language).gettext
    return Desk(draft, upon, upon.compile(), tuple(released), say, language)


def _save(request: PageRequest, form: Form, filled: Filled) -> None:
    content = filled.content
    assert content is not None  # noqa: S101 - whoever calls has looked

    def operation(work: Work) -> dict[str, object]:
        return {"package": save_draft(work, content, seen=_seen(form))}

    _once(request, form, operation)


def _publish(request: PageRequest, form: Form, desk: Desk) -> tuple[str, int]:
    """What stands against it, with the status of the answer; "" where it is published. Raises PackageMissing."""
    version = form.first("version").strip()
    made, troubles = packed(desk.draft.content, desk, version=version, partner=site_of(request).slug)
    if made is None or troubles:
        return (problem_line(troubles[0])["message"] if made is None else desk.say(_NOT_YET)), 422

    def operation(work: Work) -> dict[str, object]:
        return {"digest": publish_package(work, made, seen=_seen(form))}

    try:
        _once(request, form, operation)
    except (DraftMoved, VersionTaken) as error:
        return error.message, error.status
    return "", 0


def _refuse(trouble: PackageMissing, _work: Work) -> dict[str, object]:
    """What a form comes to that was not sent before."""
    raise trouble


def _once(request: PageRequest, form: Form, operation: Callable[[Work], dict[str, object]]) -> None:
    run_form(request, home_of(request).id, key=form.command_key, body=form.typed, operation=operation)


def _seen(form: Form) -> int:
    """The version of the draft that the page was drawn from."""
    said = form.first("seen")
    return int(said) if said.isascii() and said.isdecimal() and len(said) <= _LONGEST else 0


def _path(desk: Desk) -> str:
    return f"/packages/drafts/{desk.draft.content.package}"


def _draw(
    request: PageRequest, desk: Desk, filled: Filled, form: Form, *, refused: str = "", status: int = 200
) -> Response[str]:
    """The editor. What cannot be kept is drawn as it was typed, beside what the draft says."""
    content = filled.content or desk.draft.content
    newest = max(desk.published, key=precedence, default="")
    context = {
        "package": {"id": content.package, "title": said(content.title, desk.language)},
        "template": said(desk.plan.title, desk.language),
        "published": newest,
        "next_version": form.first("version") or _next(newest),
        "sections": [{"name": name, "label": desk.say(word)} for name, word in SECTIONS.items()],
        "section": filled.section,
        "of": filled.of,
        "drawn": filled.drawn,
        "preview": preview_of(content, desk, form.every("with")),
        "path": _path(desk),
        "seen": desk.draft.version,
        "refused": refused or filled.refused,
        "command_key": new_command_key(),
    }
    return page(request, "templates/packages/editor.html", context, status=status, nav=staff_nav(request))


def _next(newest: str) -> str:
    """The version that is offered: the next minor one."""
    major, minor, _patch = newest.split(".") if newest else ("1", "-1", "0")
    return f"{major}.{int(minor) + 1}.0"
