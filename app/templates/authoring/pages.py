"""The HTML doors of authors: write a template or an overlay, see what is wrong while typing, publish it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency

from app.access.permissions import Permission
from app.access.require import require
from app.access.rights import AtWork, staff_rights
from app.kernel.work import Work
from app.templates.authoring.checking import Checked, check_text
from app.templates.authoring.versions import VersionTaken
from app.templates.lines.chains import Chain, find_beneath
from app.templates.lines.queries import published_shelves
from app.templates.operations import publish
from app.templates.preview import facts_of
from app.templates.rules import Problem
from app.web.begin import home_of, run_form, runtime_of, site_of, visit_of
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import fragment, locale_of, page, redirect
from tenants.sessions import partner_session

PageRequest = Request[Any, Any, Any]
_LONGEST_LINE = 160  # characters of a line that are shown beside its problem


class AuthorPages(Controller):
    """Where a partner's authors write."""

    path = "/templates/drafts"
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/new", sync_to_thread=True)
    def begin(self, request: PageRequest) -> Response[str]:
        """An empty text."""
        _let_in(request)
        return _draw(request, "", None)

    @post("/checks", status_code=200, sync_to_thread=True)
    def check(self, request: PageRequest, form: NamedDependency[Form]) -> Response[str]:
        """What is wrong with a text as it is typed; nothing is kept."""
        _let_in(request)
        text = form.first("source")
        return fragment(request, "templates/authoring/_checked.html", _shown(request, text, _check(request, text)))

    @post("/", sync_to_thread=True)
    def publish(self, request: PageRequest, form: NamedDependency[Form]) -> Response[str]:
        """Publish it, if nothing is wrong with it."""
        _let_in(request)
        text, home = form.first("source"), home_of(request)
        checked = _check(request, text)
        if checked.version is None:
            return _draw(request, text, checked, status=422)
        try:
            _publish(request, home.id, form, checked)
        except VersionTaken as error:
            return _draw(request, text, checked, refused=error.message, status=error.status)
        return redirect(request, "/templates?published=true")


def _let_in(request: PageRequest) -> None:
    home_of(request)
    actor = visit_of(request).actor
    require(AtWork(staff_rights(actor), actor), Permission.TEMPLATE_PUBLISH)


def _check(request: PageRequest, text: str) -> Checked:
    runtime, organisation_id = runtime_of(request), site_of(request).organisation_id

    def find(digest: str) -> Chain:
        with partner_session(runtime.databases, organisation_id, actor=visit_of(request).actor.label) as (session, _):
            return find_beneath(published_shelves(session), digest)

    return check_text(text, find)


def _publish(request: PageRequest, home_id: UUID, form: Form, checked: Checked) -> None:
    version = checked.version
    assert version is not None  # noqa: S101 - whoever calls has looked

    def operation(work: Work) -> dict[str, object]:
        return {"digest": publish(work, version)}

    run_form(request, home_id, key=form.command_key, body=form.typed, operation=operation)


def _draw(
    request: PageRequest, text: str, checked: Checked | None, *, refused: str = "", status: int = 200
) -> Response[str]:
    context = _shown(request, text, checked) | {"command_key": new_command_key(), "refused": refused}
    return page(request, "templates/authoring/write.html", context, status=status, nav=staff_nav(request))


def _shown(request: PageRequest, text: str, checked: Checked | None) -> dict[str, Any]:
    """The text with what is wrong with it, each beside its line, or with what it makes."""
    lines = text.splitlines()
    made = checked.effective.compile() if checked and checked.effective else None
    language = locale_of(request).language
    return {
        "source": text,
        "checked": checked is not None,
        "problems": [_problem(each, lines) for each in (checked.problems if checked else ())],
        "made": {"title": _said(made.title, language), "version": made.version} if made else None,
        "facts": facts_of(made, lambda said: _said(said, language)) if made else None,
    }


def _problem(problem: Problem, lines: list[str]) -> dict[str, Any]:
    written = lines[problem.line - 1] if 0 < problem.line <= len(lines) else ""
    return {
        "line": problem.line,
        "column": problem.column,
        "message": problem.message,
        "fix": problem.fix,
        "written": written.strip()[:_LONGEST_LINE],
    }


def _said(text: dict[str, str], language: str) -> str:
    return text.get(language) or next(iter(text.values()), "")
